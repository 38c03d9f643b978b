//! tenantbase (aiohttp, SQLite, memcached): `/compat/key-values`.
//!
//! Kept: the routes, a `GET` with a JSON body, the shapes, refusals in plain text. Mended: a second `set` replaces,
//! a value that was read before comes back as it was, and what is no JSON is refused.
//!
//! A value that is a JSON string is stored as its text (`text/plain`), any other as its JSON text
//! (`application/json`): `GET /api/v1/kv/code` gives `test`, not `"test"`. On the way back JSON is what has a JSON
//! type and can be read as such; any other text is a string, and bytes that are no text are a string in base 64.

use actix_web::dev::{Payload, RequestHead};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use tenantry_domain::{ContentType, Key, PageLimit, Precondition, Scope, Violation, Violations};
use tenantry_ports::{EntryQuery, NewValue};
use tenantry_services::KeyValueError;
use utoipa::ToSchema;

use super::listing::{self, Frame, Piece};
use super::{access, body};
use crate::json;
use crate::key_value::refused;
use crate::problem::Problem;
use crate::query::Query;
use crate::state::State;

const JSON: &str = "application/json";

/// What is to be stored.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CompatSetDraft)]
pub(crate) struct SetBody<'a> {
    /// 1 to 512 bytes of UTF-8.
    #[schema(required = true, nullable = false, example = "code")]
    key: Option<String>,
    /// Any JSON: a string, a number, an object, an array, `true`, `false` or `null`.
    #[serde(borrow, default, deserialize_with = "present")]
    #[schema(required = true, value_type = serde_json::Value, example = "test")]
    value: Option<&'a RawValue>,
}

/// Which key is meant.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = CompatKeyDraft)]
pub(crate) struct KeyBody {
    /// The key.
    #[schema(required = false, nullable = false, example = "code")]
    key: Option<String>,
    /// The key too, as the program read it; `key` goes before it.
    #[schema(required = false, nullable = false, example = "code")]
    value: Option<String>,
}

/// A value, or `null` where there is none.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompatValue)]
pub(crate) struct OldValue<'a> {
    #[schema(value_type = serde_json::Value, required = true, example = "test")]
    value: Option<Shown<'a>>,
}

/// A key with its value.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompatRow)]
pub(crate) struct Row<'a> {
    /// The tenant's count of writes when this value was stored, in the canonical API the `revision`: no two rows have
    /// the same, and it stays as long as the value does.
    #[schema(example = 1, minimum = 1)]
    id: u64,
    /// The key.
    #[schema(example = "code")]
    key: &'a str,
    /// The value.
    #[schema(value_type = serde_json::Value, required = true, example = "test")]
    value: Shown<'a>,
}

/// Every key with its value.
#[derive(Debug, ToSchema)]
#[schema(as = CompatRows)]
#[expect(dead_code, reason = "only the schema is used: the list is streamed")]
pub(crate) struct Rows<'a> {
    value: Vec<Row<'a>>,
}

/// `null` is a value, and not the absence of one.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Stored bytes as the JSON that they were.
#[derive(Debug)]
struct Shown<'a> {
    content_type: &'a ContentType,
    bytes: &'a [u8],
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if is_json(self.content_type)
            && let Ok(value) = serde_json::from_slice::<&RawValue>(self.bytes)
        {
            return value.serialize(serializer);
        }
        match std::str::from_utf8(self.bytes) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => serializer.serialize_str(&STANDARD.encode(self.bytes)),
        }
    }
}

fn is_json(content_type: &ContentType) -> bool {
    let essence = content_type.as_str().split(';').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    essence == JSON || essence.ends_with("+json")
}

/// The bytes of a JSON value, and what they are.
fn stored(value: &RawValue) -> Result<NewValue, Violation> {
    let text = value.get();
    let (bytes, content_type) = if text.starts_with('"') {
        // Half of a surrogate pair is JSON, and no text.
        let text: String = serde_json::from_str(text).map_err(|_| {
            Violation::new("/value", "surrogate", "is no text: it contains half of a surrogate pair")
        })?;
        (Bytes::from(text), ContentType::plain_text())
    } else {
        let json = ContentType::new(JSON).unwrap_or_else(ContentType::octet_stream);
        (Bytes::copy_from_slice(text.as_bytes()), json)
    };
    Ok(NewValue { bytes, content_type, ttl: None })
}

fn missing(pointer: &str) -> Violation {
    Violation::new(pointer, "required", "is missing")
}

/// The key that the query or the body names.
async fn key_of(state: &State, head: &RequestHead, payload: Payload) -> Result<Key, Problem> {
    let query = Query::parse_leniently(head.uri.query().unwrap_or_default(), &["key"])?;
    if let Some(key) = query.first("key") {
        return Key::new(key.as_bytes()).map_err(|error| refused(error, "/key"));
    }
    let text = body::read(state, head, payload).await?;
    let KeyBody { key, value } = body::object_or_nothing(state, &text)?;
    let key = key.or(value).ok_or_else(|| Problem::invalid(Violations::one(missing("/key"))))?;
    Key::new(key.as_bytes()).map_err(|error| refused(error, "/key"))
}

fn plain(text: &'static str) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8")).body(text)
}

/// Says that the process lives; it asks for no key. `/readyz` says more.
#[utoipa::path(get, path = "/compat/key-values/health-check", tag = "compat/key-values", operation_id = "compat_key_values_health",
    responses((status = 200, description = "It lives.", body = String, content_type = "text/plain", example = json!("OK"))))]
pub(crate) async fn health_check() -> Result<HttpResponse, Problem> {
    Ok(plain("OK"))
}

/// Stores a value under a key, or replaces it. The answer comes after it is committed to disk.
#[utoipa::path(post, path = "/compat/key-values/set-value", tag = "compat/key-values", operation_id = "compat_set_value",
    request_body = SetBody,
    responses((status = 200, description = "It is stored.", body = String, content_type = "text/plain", example = json!("OK"))))]
pub(crate) async fn set_value(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let tenant =
        access::tenant(&state, request.head(), state.compat.key_values.as_ref(), Scope::KvWrite).await?;
    let text = body::read(&state, request.head(), payload.into_inner()).await?;
    let SetBody { key, value } = body::object_or_nothing(&state, &text)?;
    let (Some(key), Some(value)) = (&key, value) else {
        let faults = [key.is_none().then(|| missing("/key")), value.is_none().then(|| missing("/value"))];
        let faults = Violations::from_list(faults.into_iter().flatten().collect());
        return Err(faults.map_or_else(|| Problem::internal("nothing is missing"), Problem::invalid));
    };
    let key = Key::new(key.as_bytes()).map_err(|error| refused(error, "/key"))?;
    let value = stored(value).map_err(|fault| Problem::invalid(Violations::one(fault)))?;
    state.services.key_values.put(tenant, key, value, Precondition::default()).await?;
    Ok(plain("OK"))
}

/// Shows the value of a key; `null` where there is none. The key stands in the query, or in the body as `key` or as
/// `value`.
#[utoipa::path(get, path = "/compat/key-values/get-value", tag = "compat/key-values", operation_id = "compat_get_value",
    params(("key" = Option<String>, Query, description = "The key; otherwise it stands in the body.", example = "code")),
    request_body(content = Option<KeyBody>, content_type = "application/json"),
    responses((status = 200, description = "The value.", body = OldValue)))]
pub(crate) async fn get_value(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let tenant =
        access::tenant(&state, request.head(), state.compat.key_values.as_ref(), Scope::KvRead).await?;
    let key = key_of(&state, request.head(), payload.into_inner()).await?;
    let entry = match state.services.key_values.get(tenant, key).await {
        Ok(entry) => Some(entry),
        Err(KeyValueError::KeyNotFound) => None,
        Err(error) => return Err(error.into()),
    };
    let value =
        entry.as_ref().map(|entry| Shown { content_type: &entry.meta.content_type, bytes: &entry.value });
    json::answer(StatusCode::OK, &OldValue { value })
}

/// Removes a key. That there was none is no fault. The key stands in the query, or in the body as `key` or as `value`.
#[utoipa::path(delete, path = "/compat/key-values/delete-value", tag = "compat/key-values", operation_id = "compat_delete_value",
    params(("key" = Option<String>, Query, description = "The key; otherwise it stands in the body.", example = "code")),
    request_body(content = Option<KeyBody>, content_type = "application/json"),
    responses((status = 204, description = "There is no such key any more.")))]
pub(crate) async fn delete_value(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let tenant =
        access::tenant(&state, request.head(), state.compat.key_values.as_ref(), Scope::KvWrite).await?;
    let key = key_of(&state, request.head(), payload.into_inner()).await?;
    match state.services.key_values.delete(tenant, key, Precondition::default()).await {
        Ok(_) | Err(KeyValueError::KeyNotFound) => Ok(HttpResponse::NoContent().finish()),
        Err(error) => Err(error.into()),
    }
}

/// Lists every key with its value, in the order of the keys' bytes. It is read page by page and sent in chunks:
/// where that fails in the middle, the connection ends before the list does.
#[utoipa::path(get, path = "/compat/key-values/get-values", tag = "compat/key-values", operation_id = "compat_list_values",
    responses((status = 200, description = "Everything.", body = Rows)))]
pub(crate) async fn list_values(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant =
        access::tenant(&state, request.head(), state.compat.key_values.as_ref(), Scope::KvRead).await?;
    let frame = Frame { before: r#"{"value":["#, after: "]}" };
    listing::answer(request.head(), frame, move |after: Option<Key>| {
        let state = state.clone();
        async move {
            let query = EntryQuery {
                prefix: String::new(),
                after,
                limit: PageLimit::MAX,
                keys_only: false,
                max_value_bytes: state.limits.max_page_value_bytes,
            };
            let page = state.services.key_values.list(tenant, query).await?;
            let mut piece = Piece::of(&page, |last| last.meta.key.clone());
            for entry in &page.items {
                let bytes = entry.value.as_deref().unwrap_or_default();
                let value = Shown { content_type: &entry.meta.content_type, bytes };
                piece.push(&Row { id: entry.meta.revision.get(), key: entry.meta.key.as_str(), value })?;
            }
            Ok(piece)
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_as_the_json_that_it_was() {
        for text in [
            r#""test""#,
            r#""""#,
            "5",
            "1.10",
            "12345678901234567890123",
            "true",
            "null",
            r#"{"a": [1, null]}"#,
            r#""5""#,
            r#""null""#,
        ] {
            let value: &RawValue = serde_json::from_str(text).unwrap();
            let NewValue { bytes, content_type, .. } = stored(value).unwrap();
            let shown = Shown { content_type: &content_type, bytes: &bytes };
            assert_eq!(serde_json::to_string(&shown).unwrap(), text);
        }
    }

    #[test]
    fn a_string_is_stored_as_its_text() {
        let value: &RawValue = serde_json::from_str(r#""a\nb\u00e9""#).unwrap();
        let NewValue { bytes, content_type, .. } = stored(value).unwrap();
        assert_eq!((&bytes[..], content_type), ("a\nb\u{e9}".as_bytes(), ContentType::plain_text()));
        let half: &RawValue = serde_json::from_str(r#""\ud800""#).unwrap();
        assert_eq!(stored(half).unwrap_err().pointer, "/value");
    }

    #[test]
    fn what_others_have_stored_is_json_only_where_it_says_so_and_is() {
        for (content_type, bytes, expected) in [
            ("application/json; charset=utf-8", &b"[1]"[..], "[1]"),
            ("application/vnd.a+JSON", b"[1]", "[1]"),
            ("application/json", b"[1", r#""[1""#),
            ("text/plain", b"[1]", r#""[1]""#),
            ("application/octet-stream", b"\xff\x00", r#""/wA=""#),
            ("application/json", b"\xff", r#""/w==""#),
        ] {
            let content_type = ContentType::new(content_type).unwrap();
            let shown = Shown { content_type: &content_type, bytes };
            assert_eq!(serde_json::to_string(&shown).unwrap(), expected);
        }
    }
}
