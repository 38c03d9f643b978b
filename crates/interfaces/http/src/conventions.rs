//! What holds for every answer: its request id, its problem written out, compression, and the log.

use actix_http::encoding::Encoder;
use actix_http::header::from_comma_delimited;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{RequestHead, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, AcceptEncoding, ContentEncoding, Encoding, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};

use crate::compat::Predecessor;
use crate::problem::Problem;
use crate::problem_code::Code;
use crate::request_id::{RequestId, X_REQUEST_ID};
use crate::state::State;
use crate::streamed_body;
use crate::unread_body::ChunkedBody;

/// Bodies below this many bytes are not compressed: it would cost more than it saves.
const MIN_COMPRESSED_BYTES: u64 = 1024;

/// Wraps the whole application.
pub(crate) async fn conventions(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = RequestId::of(request.headers());
    let state = request.app_data::<web::Data<State>>();
    let log_requests = state.is_some_and(|state| state.log_requests);
    let has_predecessors = state.is_some_and(|state| state.compat.enabled);
    let started = log_requests.then(std::time::Instant::now);
    let body = ChunkedBody::watch(&mut request);
    let (request, response) = next.call(request).await?.map_into_boxed_body().into_parts();
    let predecessor = if has_predecessors { Predecessor::of(request.path()) } else { None };
    let response = dress(request.head(), &id, predecessor, response);
    if let Some(started) = started {
        log(request.head(), response.status(), &id, started.elapsed());
    }
    Ok(body.close_if_unread(ServiceResponse::new(request, response)))
}

/// Makes of a handler's answer what goes out: see the module. A `predecessor`'s routes refuse in its shape.
pub(crate) fn dress(
    head: &RequestHead,
    id: &RequestId,
    predecessor: Option<Predecessor>,
    mut response: HttpResponse,
) -> HttpResponse {
    if response.status().is_client_error() || response.status().is_server_error() {
        response = write_problem(head, id, predecessor, response);
    }
    response = streamed_body::watch(head, id, response);
    let headers = response.headers_mut();
    if let Some(id) = id.to_header() {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    compress(head, response)
}

/// Writes a refusal out as problem details, or as a predecessor did; also one that actix made by itself.
fn write_problem(
    head: &RequestHead,
    id: &RequestId,
    predecessor: Option<Predecessor>,
    response: HttpResponse,
) -> HttpResponse {
    if response.headers().contains_key(header::CONTENT_TYPE) && response.error().is_none() {
        return response;
    }
    let problem = match response.error() {
        Some(error) => match error.as_error::<Problem>() {
            Some(problem) => problem.clone(),
            None => foreign(response.status(), error.to_string()),
        },
        None => foreign(response.status(), String::new()),
    };
    if problem.code.status().is_server_error() {
        log_failure(head, id, &problem);
    }
    if let Some(predecessor) = predecessor {
        return predecessor.refuse(&problem, response);
    }
    let body = serde_json::to_vec(&problem.to_wire(Some(id.as_str()))).unwrap_or_default();
    let mut response = response.set_body(BoxBody::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

/// The problem for a refusal that is none of ours.
fn foreign(status: StatusCode, cause: String) -> Problem {
    let code = match status {
        StatusCode::NOT_FOUND => Code::RouteNotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
        StatusCode::REQUEST_TIMEOUT => Code::RequestTimeout,
        status if status.is_server_error() => Code::Internal,
        _ => Code::InvalidHeader,
    };
    Problem { cause: Some(cause), ..Problem::plain(code) }
}

fn log_failure(head: &RequestHead, id: &RequestId, problem: &Problem) {
    tracing::error!(
        request.id = id.as_str(),
        http.method = head.method.as_str(),
        http.path = head.uri.path(),
        problem.code = problem.code.as_str(),
        cause = problem.cause.as_deref().unwrap_or_default(),
        "a request failed"
    );
}

fn log(head: &RequestHead, status: StatusCode, id: &RequestId, took: std::time::Duration) {
    tracing::info!(
        request.id = id.as_str(),
        http.method = head.method.as_str(),
        http.path = head.uri.path(),
        http.status = status.as_u16(),
        duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "answered a request"
    );
}

/// Compresses a body of some size by the best encoding that the caller takes.
fn compress(head: &RequestHead, mut response: HttpResponse) -> HttpResponse {
    match response.body().size() {
        BodySize::None => return response,
        BodySize::Sized(bytes) if bytes < MIN_COMPRESSED_BYTES => return response,
        BodySize::Sized(_) | BodySize::Stream => {}
    }
    if !is_compressible(response.headers().get(header::CONTENT_TYPE)) {
        return response;
    }
    let Some(encoding) = wanted_encoding(head) else {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
        return response;
    };
    // The encoder adds `Vary` by itself.
    response.map_body(|answer, body| BoxBody::new(Encoder::response(encoding, answer, body)))
}

/// The encoding that the caller prefers; nothing where that is none.
fn wanted_encoding(head: &RequestHead) -> Option<ContentEncoding> {
    if head.method == Method::HEAD || !head.headers().contains_key(header::ACCEPT_ENCODING) {
        return None;
    }
    let accepted =
        AcceptEncoding(from_comma_delimited(head.headers().get_all(header::ACCEPT_ENCODING)).ok()?);
    let supported = [Encoding::brotli(), Encoding::zstd(), Encoding::gzip(), Encoding::identity()];
    match accepted.negotiate(supported.iter()) {
        Some(Encoding::Known(encoding)) if encoding != ContentEncoding::Identity => Some(encoding),
        _ => None,
    }
}

/// Whether there is anything to gain: pictures, sound, films and archives are compressed already.
fn is_compressible(content_type: Option<&HeaderValue>) -> bool {
    let Some(Ok(kind)) = content_type.map(HeaderValue::to_str) else { return true };
    let is = |prefix: &str| kind.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let packed = [
        "image/",
        "video/",
        "audio/",
        "font/woff",
        "application/zip",
        "application/gzip",
        "application/zstd",
    ];
    is("image/svg") || !packed.iter().any(|prefix| is(prefix))
}
