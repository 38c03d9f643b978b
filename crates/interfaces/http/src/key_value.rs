//! One key-value: `/api/v1/kv/{key}`.

use std::io::Write as _;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, RequestHead};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tenantry_domain::{ContentType, Entry, EntryMeta, Key, KeyError, Scope, TimeToLive, Timestamp};
use tenantry_ports::NewValue;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::problem_code::Code;
use crate::query::{Query, percent_signs_are_escapes, whole_number};
use crate::state::State;
use crate::tenant::read_body;
use crate::{access, body, etag, json};

/// What stands before the key: `/api/v1/kv/`, however it is encoded.
const SLASHES_BEFORE_KEY: usize = 4;
const TENANTRY_VERSION: HeaderName = HeaderName::from_static("tenantry-version");

/// The key: all that follows `/kv/`, percent-decoded and not normalised.
fn key_of(head: &RequestHead) -> Result<Key, Problem> {
    let text = head.uri.path().splitn(SLASHES_BEFORE_KEY + 1, '/').nth(SLASHES_BEFORE_KEY);
    let text = text.unwrap_or_default();
    let key = if text.contains('%') {
        if !percent_signs_are_escapes(text.as_bytes()) {
            return Err(Problem::plain(Code::InvalidPath));
        }
        let bytes: Vec<u8> = percent_encoding::percent_decode_str(text).collect();
        Key::new(&bytes)
    } else {
        Key::new(text.as_bytes())
    };
    key.map_err(|error| refused(error, "/key"))
}

pub(crate) fn refused(error: KeyError, pointer: &str) -> Problem {
    Problem::violation(pointer, error.code(), error.to_string())
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`: every date is as long.
const HTTP_DATE_BYTES: usize = 29;

fn http_date(time: Timestamp) -> Option<HeaderValue> {
    let seconds = u64::try_from(time.as_seconds()).ok()?;
    let time = std::time::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(seconds))?;
    let mut text = [0; HTTP_DATE_BYTES];
    write!(text.as_mut_slice(), "{}", httpdate::HttpDate::from(time)).ok()?;
    HeaderValue::from_bytes(&text).ok()
}

fn media_type(kind: &ContentType) -> Option<HeaderValue> {
    match kind.as_str() {
        "application/octet-stream" => Some(HeaderValue::from_static("application/octet-stream")),
        "application/json" => Some(HeaderValue::from_static("application/json")),
        other => HeaderValue::from_str(other).ok(),
    }
}

/// The entry's bytes. A clone of them would write to their own count of references, which lies elsewhere in
/// memory and is seldom in the processor's cache; the entry's is there already.
fn value_of(entry: Arc<Entry>) -> Bytes {
    struct Value(Arc<Entry>);
    impl AsRef<[u8]> for Value {
        fn as_ref(&self) -> &[u8] {
            &self.0.value
        }
    }
    Bytes::from_owner(Value(entry))
}

/// The headers that tell about an entry.
fn describe(headers: &mut HeaderMap, meta: &EntryMeta) {
    headers.insert(header::ETAG, etag::of(meta.revision.get()));
    headers.insert(TENANTRY_VERSION, HeaderValue::from(meta.version));
    if let Some(date) = http_date(meta.updated_at) {
        headers.insert(header::LAST_MODIFIED, date);
    }
    if let Some(date) = meta.expires_at.and_then(http_date) {
        headers.insert(header::EXPIRES, date);
    }
}

/// Answers with a value's bytes, plainly.
#[utoipa::path(get, path = "/api/v1/kv/{key}", tag = "Key-values",
    params(("key" = String, Path, description = "1 to 512 bytes of UTF-8, percent-encoded; `/` may stand as it is. All that follows `/kv/` is the key.", example = "greeting"),
        ("If-None-Match" = Option<String>, Header, description = "304 if the entity tag is this.")),
    responses((status = 200, description = "The bytes, with their own content type.", content_type = "application/octet-stream", body = Vec<u8>,
            headers(("ETag" = String, description = "The revision."), ("Last-Modified" = String),
                ("Tenantry-Version" = u64, description = "1 at the key's creation, one more with each write."),
                ("Expires" = String, description = "Where it has an end."))),
        (status = 304, description = "It is what `If-None-Match` names.",
            headers(("ETag" = String, description = "The revision."), ("Last-Modified" = String),
                ("Tenantry-Version" = u64), ("Expires" = String, description = "Where it has an end.")))))]
pub(crate) async fn get_key_value(state: &State, head: &RequestHead) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant_of_bytes(state, head, Scope::KvRead).await?;
    Query::parse(head.uri.query().unwrap_or_default(), &[])?;
    let key = key_of(head)?;
    let entry = match state.services.key_values.get_cached(tenant, &key) {
        Some(known) => known.ok_or_else(|| Problem::plain(Code::KeyValueNotFound))?,
        None => state.services.key_values.get(tenant, key).await?,
    };
    let revision = entry.meta.revision.get();
    etag::require_match(head.headers(), revision)?;
    let unchanged = etag::is_unchanged(head.headers(), revision)?;
    let mut answer = if unchanged {
        HttpResponse::with_body(StatusCode::NOT_MODIFIED, BoxBody::new(()))
    } else {
        HttpResponse::with_body(StatusCode::OK, BoxBody::new(value_of(Arc::clone(&entry))))
    };
    let headers = answer.headers_mut();
    describe(headers, &entry.meta);
    // Without it, `Expires` would let a cache keep a value that may change before its end.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if !unchanged && let Some(kind) = media_type(&entry.meta.content_type) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    Ok(answer)
}

/// Stores the body as it is, with its content type.
#[utoipa::path(put, path = "/api/v1/kv/{key}", tag = "Key-values",
    params(("key" = String, Path, description = "1 to 512 bytes of UTF-8, percent-encoded; `/` may stand as it is. All that follows `/kv/` is the key.", example = "greeting"),
        ("ttl" = Option<u64>, Query, description = "Seconds until the key ends; it lives for good where absent.", minimum = 1, maximum = 3_155_760_000_u64, example = 3600),
        ("If-Match" = Option<String>, Header, description = "Only if the entity tag is this; `*`: only if the key is there."),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only if the key is not there.")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "Any bytes up to 1 MiB (configurable), of any content type."),
    responses((status = 201, description = "The key is new.", headers(("ETag" = String, description = "The revision."), ("Last-Modified" = String),
            ("Tenantry-Version" = u64), ("Expires" = String, description = "Where it has an end."), ("Location" = String))),
        (status = 200, description = "The value was replaced.", headers(("ETag" = String, description = "The revision."), ("Last-Modified" = String),
            ("Tenantry-Version" = u64), ("Expires" = String, description = "Where it has an end.")))))]
pub(crate) async fn put_key_value(
    state: &State,
    head: &RequestHead,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant_of_bytes(state, head, Scope::KvWrite).await?;
    let key = key_of(head)?;
    let precondition = etag::precondition(head.headers())?;
    let ttl = Query::parse(head.uri.query().unwrap_or_default(), &["ttl"])?.read(
        "ttl",
        "a whole number of seconds from 1 to 3155760000",
        |text| TimeToLive::from_seconds(whole_number(text)?),
    )?;
    let content_type = content_type_of(head)?;
    let bytes = body::read(head, payload, state.limits.max_value_bytes, state.body_timeout).await?;
    // A copy of its own: the body is a part of the connection's buffer, which a cache would keep alive whole.
    let value = NewValue { bytes: Bytes::copy_from_slice(&bytes), content_type, ttl };
    let outcome = state.services.key_values.put(tenant, key, value, precondition).await?;
    let mut answer = HttpResponse::new(if outcome.created { StatusCode::CREATED } else { StatusCode::OK });
    describe(answer.headers_mut(), &outcome.entry.meta);
    if outcome.created
        && let Ok(path) = HeaderValue::from_str(head.uri.path())
    {
        answer.headers_mut().insert(header::LOCATION, path);
    }
    Ok(answer)
}

fn content_type_of(head: &RequestHead) -> Result<ContentType, Problem> {
    body::require_no_encoding(head)?;
    let Some(value) = head.headers().get(header::CONTENT_TYPE) else {
        return Ok(ContentType::octet_stream());
    };
    value.to_str().ok().and_then(ContentType::new).ok_or_else(|| {
        Problem::new(
            Code::InvalidHeader,
            "Content-Type must be a media type (type/subtype) of at most 255 characters",
        )
    })
}

/// Removes a key.
#[utoipa::path(delete, path = "/api/v1/kv/{key}", tag = "Key-values",
    params(("key" = String, Path, description = "1 to 512 bytes of UTF-8, percent-encoded; `/` may stand as it is. All that follows `/kv/` is the key.", example = "greeting"),
        ("If-Match" = Option<String>, Header, description = "Only if the entity tag is this.")),
    responses((status = 204, description = "The key is gone.")))]
pub(crate) async fn delete_key_value(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant_of_bytes(&state, request.head(), Scope::KvWrite).await?;
    Query::parse(request.query_string(), &[])?;
    let key = key_of(request.head())?;
    let precondition = etag::precondition(request.headers())?;
    state.services.key_values.delete(tenant, key, precondition).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// An increment.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Increment)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncrementBody {
    /// How much to add; it may be negative.
    #[schema(required = true, nullable = false, example = 1)]
    increment: Option<i64>,
    /// What an absent key becomes; the increment is not added to it. Without it an absent key is 404.
    #[schema(example = 1)]
    initial: Option<i64>,
}

/// What an increment made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Incremented {
    /// The new value.
    #[schema(example = 1)]
    value: i64,
    /// 1 at the key's creation, one more with each write.
    #[schema(example = 1)]
    version: u64,
    /// The revision of this write.
    #[schema(example = 1)]
    revision: u64,
}

/// Adds to a value that is a decimal integer, atomically.
#[utoipa::path(post, path = "/api/v1/kv/{key}", tag = "Key-values", request_body = IncrementBody,
    params(("key" = String, Path, description = "1 to 512 bytes of UTF-8, percent-encoded; `/` may stand as it is. All that follows `/kv/` is the key.", example = "visits"),
        ("If-Match" = Option<String>, Header, description = "Only if the entity tag is this."),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only if the key is not there.")),
    responses((status = 200, description = "The new value.", body = Incremented, headers(("ETag" = String, description = "The revision."),
        ("Last-Modified" = String), ("Tenantry-Version" = u64), ("Expires" = String, description = "Where it has an end.")))))]
pub(crate) async fn increment_key_value(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::KvWrite).await?;
    Query::parse(request.query_string(), &[])?;
    let key = key_of(request.head())?;
    let precondition = etag::precondition(request.headers())?;
    let text = read_body(&state, request.head(), payload.into_inner(), &["application/json"]).await?;
    let body: IncrementBody = json::read_owned(&text, state.limits.max_json_depth)?;
    let by = body.increment.ok_or_else(|| Problem::violation("/increment", "required", "is required"))?;
    let (outcome, value) =
        state.services.key_values.increment(tenant, key, by, body.initial, precondition).await?;
    let meta = &outcome.entry.meta;
    let mut answer = json::answer(
        StatusCode::OK,
        &Incremented { value, version: meta.version, revision: meta.revision.get() },
    )?;
    describe(answer.headers_mut(), meta);
    Ok(answer)
}
