//! Reading a request's body: never more than is allowed, never longer than is allowed.

use std::time::Duration;

use actix_web::dev::{Payload, RequestHead};
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use crate::problem::Problem;
use crate::problem_code::Code;

/// Reads the whole body, at most `limit` bytes, within `deadline`.
///
/// actix's own timeout covers only the headers, so a body has its own.
pub(crate) async fn read(
    head: &RequestHead,
    payload: Payload,
    limit: usize,
    deadline: Duration,
) -> Result<Bytes, Problem> {
    if announced_length(head).is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    match tokio::time::timeout(deadline, collect(payload, limit)).await {
        Ok(body) => body,
        Err(_) => Err(Problem::plain(Code::RequestTimeout)),
    }
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    let Some(first) = payload.next().await else { return Ok(Bytes::new()) };
    let first = first.map_err(|error| incomplete(&error))?;
    if first.len() > limit {
        return Err(too_large(limit));
    }
    let Some(second) = payload.next().await else { return Ok(first) };
    let mut body = BytesMut::from(first.as_ref());
    let mut next = Some(second);
    while let Some(chunk) = next {
        let chunk = chunk.map_err(|error| incomplete(&error))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
        next = payload.next().await;
    }
    Ok(body.freeze())
}

fn announced_length(head: &RequestHead) -> Option<u64> {
    head.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(limit: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("the body may have at most {limit} bytes"))
}

fn incomplete(error: &actix_web::error::PayloadError) -> Problem {
    Problem { cause: Some(error.to_string()), ..Problem::plain(Code::BodyIncomplete) }
}

/// The media type of the body, in lower case and without parameters; nothing where none is said.
pub(crate) fn media_type(head: &RequestHead) -> Option<String> {
    let value = head.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Refuses a body that is packed.
pub(crate) fn require_no_encoding(head: &RequestHead) -> Result<(), Problem> {
    let encoding = head.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::new(Code::UnsupportedMediaType, "the body must not have a Content-Encoding"));
    }
    Ok(())
}

/// Refuses a body of another type than `allowed`, or of none, or in an encoding or charset that is not
/// read here.
pub(crate) fn require_media_type(head: &RequestHead, allowed: &[&str]) -> Result<(), Problem> {
    let headers = head.headers();
    if let Some(value) = headers.get(header::CONTENT_TYPE)
        && allowed.iter().any(|allowed| value.as_bytes() == allowed.as_bytes())
        && !headers.contains_key(header::CONTENT_ENCODING)
    {
        return Ok(());
    }
    require_no_encoding(head)?;
    if media_type(head).is_some_and(|found| allowed.contains(&found.as_str())) {
        return Ok(());
    }
    let allowed = allowed.join(" or ");
    Err(Problem::new(Code::UnsupportedMediaType, format!("the body's Content-Type must be {allowed}")))
}
