//! Lists of key-values: `GET /api/v1/kv`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use tenantry_domain::{Key, Scope};
use tenantry_ports::{EntryQuery, ListedEntry};
use utoipa::ToSchema;

use crate::cursor::ListIdentity;
use crate::problem::Problem;
use crate::problem_code::Code;
use crate::query::Query;
use crate::state::State;
use crate::tenant::{link_next, next_cursor};
use crate::{access, json};

/// A key-value in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entry)]
pub(crate) struct EntryDto<'a> {
    /// The key.
    #[schema(example = "greeting")]
    key: &'a str,
    /// The value, in the form that `encoding` says; absent with `keys_only`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "hello")]
    value: Option<String>,
    /// `utf-8`: `value` is the text itself; `base64`: the bytes are no text, and stand in base 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "utf-8")]
    encoding: Option<&'static str>,
    /// What kind of bytes it is.
    #[schema(example = "text/plain")]
    content_type: &'a str,
    /// How many bytes it has.
    #[schema(example = 5)]
    size: u64,
    /// 1 at the key's creation, one more with each write.
    #[schema(example = 1)]
    version: u64,
    /// The write that made it what it is: its entity tag.
    #[schema(example = 1)]
    revision: u64,
    /// When the key came to be.
    #[schema(format = DateTime, example = "2026-11-21T10:00:00.000000Z")]
    created_at: String,
    /// When it was last written.
    #[schema(format = DateTime, example = "2026-11-21T10:00:00.000000Z")]
    updated_at: String,
    /// From when on it is absent; null: never.
    #[schema(required = true, format = DateTime, example = "2026-11-21T11:00:00.000000Z")]
    expires_at: Option<String>,
}

/// A page of key-values, in the order of the keys' bytes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryList<'a> {
    #[schema(value_type = Vec<EntryDto>)]
    entries: Vec<EntryDto<'a>>,
    /// For the next page; null at the end.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

impl<'a> From<&'a ListedEntry> for EntryDto<'a> {
    fn from(entry: &'a ListedEntry) -> Self {
        let (value, encoding) = match &entry.value {
            None => (None, None),
            Some(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => (Some(text.to_owned()), Some("utf-8")),
                Err(_) => (Some(STANDARD.encode(bytes)), Some("base64")),
            },
        };
        let meta = &entry.meta;
        Self {
            key: meta.key.as_str(),
            value,
            encoding,
            content_type: meta.content_type.as_str(),
            size: meta.size,
            version: meta.version,
            revision: meta.revision.get(),
            created_at: meta.created_at.to_string(),
            updated_at: meta.updated_at.to_string(),
            expires_at: meta.expires_at.map(|time| time.to_string()),
        }
    }
}

/// Lists key-values in the order of their keys' bytes. A page with large values may end early; it goes on
/// behind `next_cursor`.
#[utoipa::path(get, path = "/api/v1/kv", tag = "Key-values",
    params(("prefix" = Option<String>, Query, description = "Only keys that begin so.", example = "config/"),
        ("keys_only" = Option<bool>, Query, description = "Leave the values out.", example = true),
        ("limit" = Option<u16>, Query, description = "How many at most.", minimum = 1, maximum = 1000, example = 50),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before.")),
    responses((status = 200, description = "A page of key-values.", body = EntryList,
        headers(("Link" = String, description = "RFC 8288: `rel=\"next\"`, where there is more.")))))]
pub(crate) async fn list_key_values(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::KvRead).await?;
    let query = Query::parse(request.query_string(), &["prefix", "keys_only", "limit", "cursor"])?;
    let prefix = query.one("prefix")?.unwrap_or_default().to_owned();
    let keys_only = query.read("keys_only", "true or false", |word| word.parse().ok())?.unwrap_or(false);
    let list = ListIdentity { list: "key-values", tenant: Some(tenant), filter: &prefix };
    let after = match query.one("cursor")? {
        Some(text) => {
            let position = state.cursors.open(&list, text)?;
            Some(Key::new(&position).map_err(|_| Problem::plain(Code::InvalidCursor))?)
        }
        None => None,
    };
    let wanted = EntryQuery {
        prefix: prefix.clone(),
        after,
        limit: query.limit()?,
        keys_only,
        max_value_bytes: state.limits.max_page_value_bytes,
    };
    let page = state.services.key_values.list(tenant, wanted).await?;
    let next = next_cursor(&page, |last| state.cursors.seal(&list, last.meta.key.as_str().as_bytes()));
    let mut answer = json::builder(StatusCode::OK);
    link_next(&mut answer, &request, next.as_deref());
    let entries = page.items.iter().map(EntryDto::from).collect();
    Ok(answer.body(json::write(&EntryList { entries, next_cursor: next })?))
}
