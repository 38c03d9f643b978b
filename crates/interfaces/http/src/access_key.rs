//! A tenant's access keys: `/api/v1/tenants/{tenant}/keys`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use tenantry_domain::{AccessKey, AccessKeyDraft, KeyId, Scope, TenantNumber, Timestamp};
use tenantry_ports::KeyPosition;
use utoipa::ToSchema;

use crate::cursor::{self, ListIdentity};
use crate::problem::Problem;
use crate::problem_code::Code;
use crate::query::Query;
use crate::state::State;
use crate::tenant::{link_next, next_cursor, read_body};
use crate::{access, json};

/// An access key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessKey)]
pub(crate) struct AccessKeyDto<'a> {
    /// The key's public name.
    #[schema(example = "4fB7nQ2xKd0A")]
    key_id: String,
    /// How the key begins: all of it that is ever shown again.
    #[schema(example = "tnt_4fB7nQ2xKd0A")]
    prefix: String,
    /// What it is for.
    #[schema(example = "ingest")]
    name: &'a str,
    /// What it allows.
    #[schema(example = json!(["events:write"]))]
    scopes: Vec<&'static str>,
    /// When it was made.
    #[schema(format = DateTime, example = "2026-11-21T10:00:00.000000Z")]
    created_at: String,
    /// From when on it is refused; null: never.
    #[schema(required = true, format = DateTime, example = "2027-11-21T10:00:00.000000Z")]
    expires_at: Option<String>,
    /// When it was last used, to about two minutes; null: never.
    #[schema(required = true, format = DateTime, example = "2026-11-21T10:05:00.000000Z")]
    last_used_at: Option<String>,
}

/// A new access key, with its secret: the only time that it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewAccessKey<'a> {
    #[serde(flatten)]
    #[schema(inline)]
    about: AccessKeyDto<'a>,
    /// The key itself: what a client sends behind `Bearer`.
    #[schema(example = "tnt_4fB7nQ2xKd0A_…")]
    key: &'a str,
}

/// A page of keys, in the order in which they were made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessKeyList<'a> {
    #[schema(value_type = Vec<AccessKeyDto>)]
    keys: Vec<AccessKeyDto<'a>>,
    /// For the next page; null at the end.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// What a key is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AccessKeyDraft)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessKeyBody {
    /// What it is for: 1 to 100 characters.
    #[schema(required = true, nullable = false, min_length = 1, max_length = 100, example = "ingest")]
    name: Option<String>,
    /// What it allows: at least one of `events:read`, `events:write`, `kv:read`, `kv:write`.
    #[schema(required = true, nullable = false, min_items = 1, example = json!(["events:write", "events:read"]))]
    scopes: Option<Vec<String>>,
    /// From when on it is refused (RFC 3339, in the future); never where absent.
    #[schema(format = DateTime, example = "2099-01-01T00:00:00Z")]
    expires_at: Option<String>,
}

impl<'a> From<&'a AccessKey> for AccessKeyDto<'a> {
    fn from(key: &'a AccessKey) -> Self {
        Self {
            key_id: key.id.to_string(),
            prefix: key.prefix(),
            name: key.name.as_str(),
            scopes: key.scopes.iter().map(Scope::as_str).collect(),
            created_at: key.created_at.to_string(),
            expires_at: key.expires_at.map(|time| time.to_string()),
            last_used_at: key.last_used_at.map(|time| time.to_string()),
        }
    }
}

/// Makes a key of the tenant. Its text is shown in this answer and never again.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/keys", tag = "Access keys", request_body = AccessKeyBody,
    params(("tenant" = String, Path, description = "The number or the id.", example = "1")),
    responses((status = 201, description = "The key, with its text.", body = NewAccessKey)))]
pub(crate) async fn create_access_key(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let tenant = admin_of_tenant(&state, &request).await?;
    let text = read_body(&state, request.head(), payload.into_inner(), &["application/json"]).await?;
    let body: AccessKeyBody = json::read_owned(&text, state.limits.max_json_depth)?;
    let expires_at = match body.expires_at.as_deref() {
        Some(text) => Some(Timestamp::parse_rfc3339(text).ok_or_else(|| {
            Problem::violation("/expires_at", "date_time", "must be an RFC 3339 date-time")
        })?),
        None => None,
    };
    let draft = AccessKeyDraft { name: body.name, scopes: body.scopes, expires_at };
    let (key, secret) = state.services.access.create_key(tenant, draft).await?;
    let mut answer = json::builder(StatusCode::CREATED);
    answer.insert_header((actix_web::http::header::CACHE_CONTROL, "no-store"));
    Ok(answer.body(json::write(&NewAccessKey { about: (&key).into(), key: secret.expose() })?))
}

/// Lists the tenant's keys in the order in which they were made, without their secrets.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/keys", tag = "Access keys",
    params(("tenant" = String, Path, description = "The number or the id.", example = "1"),
        ("limit" = Option<u16>, Query, description = "How many at most.", minimum = 1, maximum = 1000, example = 50),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before.")),
    responses((status = 200, description = "A page of keys.", body = AccessKeyList,
        headers(("Link" = String, description = "RFC 8288: `rel=\"next\"`, where there is more.")))))]
pub(crate) async fn list_access_keys(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant = admin_of_tenant(&state, &request).await?;
    let query = Query::parse(request.query_string(), &["limit", "cursor"])?;
    let list = ListIdentity { list: "keys", tenant: Some(tenant), filter: "" };
    let after = match query.one("cursor")? {
        Some(text) => Some(read_position(&state.cursors.open(&list, text)?)?),
        None => None,
    };
    let page = state.services.access.list_keys(tenant, after, query.limit()?).await?;
    let next = next_cursor(&page, |last| state.cursors.seal(&list, &write_position(last)));
    let mut answer = json::builder(StatusCode::OK);
    link_next(&mut answer, &request, next.as_deref());
    let keys = page.items.iter().map(AccessKeyDto::from).collect();
    Ok(answer.body(json::write(&AccessKeyList { keys, next_cursor: next })?))
}

fn write_position(key: &AccessKey) -> Vec<u8> {
    let mut position = key.created_at.as_micros().to_be_bytes().to_vec();
    position.extend_from_slice(key.id.as_str().as_bytes());
    position
}

fn read_position(position: &[u8]) -> Result<KeyPosition, Problem> {
    let refused = || Problem::plain(Code::InvalidCursor);
    let (time, id) = position.split_at_checked(8).ok_or_else(refused)?;
    let created_at = Timestamp::from_micros(cursor::number(time)?.cast_signed());
    let id = std::str::from_utf8(id).ok().and_then(KeyId::parse).ok_or_else(refused)?;
    Ok(KeyPosition { created_at, id })
}

/// Revokes a key of the tenant, at once.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/keys/{key_id}", tag = "Access keys",
    params(("tenant" = String, Path, description = "The number or the id.", example = "1"),
        ("key_id" = String, Path, description = "The key's public name.", example = "4fB7nQ2xKd0A")),
    responses((status = 204, description = "The key is refused from now on.")))]
pub(crate) async fn revoke_access_key(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant = admin_of_tenant(&state, &request).await?;
    let id = KeyId::parse(request.match_info().query("key_id"))
        .ok_or_else(|| Problem::plain(Code::AccessKeyNotFound))?;
    state.services.access.revoke_key(tenant, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Lets in an administrator who may handle keys, and finds the tenant that the path names.
async fn admin_of_tenant(state: &State, request: &HttpRequest) -> Result<TenantNumber, Problem> {
    let caller = access::caller(state, request.head(), Scope::KeysWrite).await?;
    Ok(state.services.tenants.resolve(&caller, Some(&access::tenant_in_path(request)?)).await?)
}
