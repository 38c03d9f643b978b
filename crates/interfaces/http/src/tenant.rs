//! Tenants: `/api/v1/tenants`.

use actix_web::dev::{Payload, RequestHead};
use actix_web::http::{StatusCode, Uri, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tenantry_domain::{Page, Scope, Tenant, TenantDraft, TenantFilter, TenantNumber, TenantStatus};
use utoipa::ToSchema;

use crate::cursor::{self, ListIdentity};
use crate::problem::Problem;
use crate::query::{Query, is_parameter};
use crate::state::State;
use crate::{access, body, etag, json};

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(crate) struct TenantDto<'a> {
    /// Given once, never reused, growing.
    #[schema(example = 1, minimum = 1)]
    tenant_number: i64,
    /// `{tenant_number}_{name}`.
    #[schema(example = "1_acme")]
    tenant_id: String,
    /// The name.
    #[schema(example = "acme")]
    name: &'a str,
    /// `active`, `suspended` or `deleting`.
    #[schema(example = "active", pattern = "^(active|suspended|deleting)$")]
    status: &'a str,
    /// Whatever its administrator keeps about it.
    #[schema(value_type = Object, example = json!({"email": "ops@acme.example"}))]
    tenant_info: &'a RawValue,
    /// When it was created.
    #[schema(format = DateTime, example = "2026-11-21T10:00:00.000000Z")]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime, example = "2026-11-21T10:00:00.000000Z")]
    updated_at: String,
    /// While it is being deleted: how far that has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    erasure: Option<ErasureDto>,
}

/// How far the erasure of a tenant has come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Erasure)]
pub(crate) struct ErasureDto {
    /// When it was deleted.
    #[schema(format = DateTime, example = "2026-11-21T10:00:00.000000Z")]
    started_at: String,
    /// Events, key-values and keys erased so far.
    #[schema(example = 4096, minimum = 0)]
    erased_rows: u64,
}

/// A page of tenants, by number.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TenantList<'a> {
    #[schema(value_type = Vec<TenantDto>)]
    tenants: Vec<TenantDto<'a>>,
    /// For the next page; null at the end.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// What a tenant is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TenantDraft)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantBody<'a> {
    /// 1 to 64 of `A-Z a-z 0-9 . _ -`. Names need not be unique.
    #[schema(required = true, nullable = false, value_type = String, min_length = 1, max_length = 64,
        pattern = "^[A-Za-z0-9._-]+$", example = "acme")]
    name: Option<String>,
    /// A JSON object of at most 64 KiB, nested at most 32 levels; `{}` where absent.
    #[serde(borrow)]
    #[schema(value_type = Object, required = false, example = json!({"email": "ops@acme.example"}))]
    tenant_info: Option<&'a RawValue>,
}

/// A JSON merge patch (RFC 7396) of a tenant: what is absent stays, a null member of `tenant_info` leaves.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "only the schema is used: the patch is applied to the text")]
pub(crate) struct TenantPatch {
    /// The new name.
    #[schema(
        nullable = false,
        required = false,
        min_length = 1,
        max_length = 64,
        pattern = "^[A-Za-z0-9._-]+$",
        example = "acme"
    )]
    name: Option<String>,
    /// A merge patch of the object; null empties it.
    #[schema(value_type = Option<Object>, required = false, example = json!({"email": null, "plan": "gold"}))]
    tenant_info: Option<serde_json::Value>,
}

impl<'a> From<&'a Tenant> for TenantDto<'a> {
    fn from(tenant: &'a Tenant) -> Self {
        Self {
            tenant_number: tenant.number.get(),
            tenant_id: tenant.id(),
            name: tenant.name.as_str(),
            status: tenant.status.as_str(),
            tenant_info: tenant.info.as_raw(),
            created_at: tenant.created_at.to_string(),
            updated_at: tenant.updated_at.to_string(),
            erasure: tenant.erasure.map(|erasure| ErasureDto {
                started_at: erasure.started_at.to_string(),
                erased_rows: erasure.erased_rows,
            }),
        }
    }
}

fn answer(status: StatusCode, tenant: &Tenant) -> Result<HttpResponse, Problem> {
    let mut answer = json::builder(status);
    answer.insert_header((header::ETAG, etag::of(tenant.version)));
    if status == StatusCode::CREATED {
        answer.insert_header((header::LOCATION, format!("/api/v1/tenants/{}", tenant.number)));
    }
    Ok(answer.body(json::write(&TenantDto::from(tenant))?))
}

/// Creates a tenant, under the next number.
#[utoipa::path(post, path = "/api/v1/tenants", tag = "Tenants", request_body = TenantBody,
    responses((status = 201, description = "It is created.", body = TenantDto,
        headers(("Location" = String), ("ETag" = String)))))]
pub(crate) async fn create_tenant(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    access::caller(&state, request.head(), Scope::TenantsWrite).await?;
    let text = read_body(&state, request.head(), payload.into_inner(), &["application/json"]).await?;
    let body: TenantBody<'_> = json::read_object(&text, state.limits.max_json_depth)?;
    let draft = TenantDraft { name: body.name, tenant_info: body.tenant_info };
    answer(StatusCode::CREATED, &state.services.tenants.create(draft).await?)
}

/// Lists tenants, by number.
#[utoipa::path(get, path = "/api/v1/tenants", tag = "Tenants",
    params(
        ("status" = Option<String>, Query, description = "Only those of this status: `active`, `suspended` or `deleting`.", example = "active"),
        ("name" = Option<String>, Query, description = "Only those whose name begins so.", example = "ac"),
        ("limit" = Option<u16>, Query, description = "How many at most.", minimum = 1, maximum = 1000, example = 50),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before.")),
    responses((status = 200, description = "A page of tenants.", body = TenantList,
        headers(("Link" = String, description = "RFC 8288: `rel=\"next\"`, where there is more.")))))]
pub(crate) async fn list_tenants(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    access::caller(&state, request.head(), Scope::TenantsRead).await?;
    let query = Query::parse(request.query_string(), &["status", "name", "limit", "cursor"])?;
    let filter = TenantFilter {
        status: query.read("status", "active, suspended or deleting", TenantStatus::parse)?,
        name_prefix: query.one("name")?.map(str::to_owned),
    };
    let identity = format!("{filter:?}");
    let list = ListIdentity { list: "tenants", tenant: None, filter: &identity };
    let after = match query.one("cursor")? {
        Some(text) => TenantNumber::new(cursor::number(&state.cursors.open(&list, text)?)?.cast_signed()),
        None => None,
    };
    let page = state.services.tenants.list(filter, after, query.limit()?).await?;
    let next = next_cursor(&page, |last| state.cursors.seal(&list, &last.number.get().to_be_bytes()));
    let mut answer = json::builder(StatusCode::OK);
    link_next(&mut answer, &request, next.as_deref());
    let tenants = page.items.iter().map(TenantDto::from).collect();
    Ok(answer.body(json::write(&TenantList { tenants, next_cursor: next })?))
}

/// The cursor behind a page's last item, where the list goes on.
pub(crate) fn next_cursor<T>(page: &Page<T>, seal: impl FnOnce(&T) -> String) -> Option<String> {
    if page.more { page.items.last().map(seal) } else { None }
}

/// Adds the RFC 8288 link to the next page.
pub(crate) fn link_next(
    answer: &mut actix_web::HttpResponseBuilder,
    request: &HttpRequest,
    next: Option<&str>,
) {
    if let Some(next) = next {
        answer.insert_header((header::LINK, next_link(request.uri(), next)));
    }
}

/// The RFC 8288 link to the next page of what `uri` has asked for.
pub(crate) fn next_link(uri: &Uri, next: &str) -> String {
    let query = uri.query().unwrap_or_default();
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !is_parameter(pair, "cursor"));
    let query: Vec<&str> = kept.collect();
    let separator = if query.is_empty() { "" } else { "&" };
    format!("<{}?{}{separator}cursor={next}>; rel=\"next\"", uri.path(), query.join("&"))
}

/// Shows a tenant.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}", tag = "Tenants",
    params(("tenant" = String, Path, description = "The number or the id.", example = "1")),
    responses((status = 200, description = "The tenant.", body = TenantDto, headers(("ETag" = String))),
        (status = 304, description = "It is what `If-None-Match` names.", headers(("ETag" = String)))))]
pub(crate) async fn get_tenant(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    access::caller(&state, request.head(), Scope::TenantsRead).await?;
    let tenant = state.services.tenants.get(&access::tenant_in_path(&request)?).await?;
    etag::require_match(request.headers(), tenant.version)?;
    if etag::is_unchanged(request.headers(), tenant.version)? {
        return Ok(HttpResponse::NotModified()
            .insert_header((header::ETAG, etag::of(tenant.version)))
            .finish());
    }
    answer(StatusCode::OK, &tenant)
}

/// Replaces a tenant's name and information.
#[utoipa::path(put, path = "/api/v1/tenants/{tenant}", tag = "Tenants", request_body = TenantBody,
    params(("tenant" = String, Path, description = "The number or the id.", example = "1"),
        ("If-Match" = Option<String>, Header, description = "Only if its entity tag is this.")),
    responses((status = 200, description = "The tenant as it is now.", body = TenantDto, headers(("ETag" = String)))))]
pub(crate) async fn replace_tenant(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    access::caller(&state, request.head(), Scope::TenantsWrite).await?;
    let tenant = access::tenant_in_path(&request)?;
    let precondition = etag::precondition(request.headers())?;
    let text = read_body(&state, request.head(), payload.into_inner(), &["application/json"]).await?;
    let body: TenantBody<'_> = json::read_object(&text, state.limits.max_json_depth)?;
    let draft = TenantDraft { name: body.name, tenant_info: body.tenant_info };
    answer(StatusCode::OK, &state.services.tenants.replace(&tenant, draft, &precondition).await?)
}

/// Changes a tenant by a JSON merge patch (RFC 7396) over `name` and `tenant_info`.
#[utoipa::path(patch, path = "/api/v1/tenants/{tenant}", tag = "Tenants",
    request_body(content((TenantPatch = "application/merge-patch+json"), (TenantPatch = "application/json"))),
    params(("tenant" = String, Path, description = "The number or the id.", example = "1"),
        ("If-Match" = Option<String>, Header, description = "Only if its entity tag is this.")),
    responses((status = 200, description = "The tenant as it is now.", body = TenantDto, headers(("ETag" = String)))))]
pub(crate) async fn patch_tenant(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    access::caller(&state, request.head(), Scope::TenantsWrite).await?;
    let tenant = access::tenant_in_path(&request)?;
    let precondition = etag::precondition(request.headers())?;
    let types = ["application/merge-patch+json", "application/json"];
    let text = read_body(&state, request.head(), payload.into_inner(), &types).await?;
    let patch: &RawValue = json::read(&text, state.limits.max_json_depth)?;
    answer(StatusCode::OK, &state.services.tenants.patch(&tenant, patch.get(), &precondition).await?)
}

/// Suspends a tenant: its keys are refused until it is active again; its data stays.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/suspend", tag = "Tenants",
    params(("tenant" = String, Path, description = "The number or the id.", example = "1"),
        ("If-Match" = Option<String>, Header, description = "Only if its entity tag is this.")),
    responses((status = 200, description = "The tenant as it is now.", body = TenantDto, headers(("ETag" = String)))))]
pub(crate) async fn suspend_tenant(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    access::caller(&state, request.head(), Scope::TenantsWrite).await?;
    let precondition = etag::precondition(request.headers())?;
    let tenant = access::tenant_in_path(&request)?;
    answer(StatusCode::OK, &state.services.tenants.suspend(&tenant, &precondition).await?)
}

/// Makes a suspended tenant active again.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/activate", tag = "Tenants",
    params(("tenant" = String, Path, description = "The number or the id.", example = "1"),
        ("If-Match" = Option<String>, Header, description = "Only if its entity tag is this.")),
    responses((status = 200, description = "The tenant as it is now.", body = TenantDto, headers(("ETag" = String)))))]
pub(crate) async fn activate_tenant(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    access::caller(&state, request.head(), Scope::TenantsWrite).await?;
    let precondition = etag::precondition(request.headers())?;
    let tenant = access::tenant_in_path(&request)?;
    answer(StatusCode::OK, &state.services.tenants.activate(&tenant, &precondition).await?)
}

/// Deletes a tenant: its keys stop at once and for good, its data is erased bit by bit, also over
/// restarts; then the tenant is gone. `GET` shows the progress meanwhile.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}", tag = "Tenants",
    params(("tenant" = String, Path, description = "The number or the id.", example = "1"),
        ("If-Match" = Option<String>, Header, description = "Only if its entity tag is this.")),
    responses((status = 202, description = "The erasure has begun.", body = TenantDto, headers(("ETag" = String)))))]
pub(crate) async fn delete_tenant(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    access::caller(&state, request.head(), Scope::TenantsWrite).await?;
    let precondition = etag::precondition(request.headers())?;
    let tenant = access::tenant_in_path(&request)?;
    answer(StatusCode::ACCEPTED, &state.services.tenants.delete(&tenant, &precondition).await?)
}

/// Reads a body that is one JSON thing, of one of these types.
pub(crate) async fn read_body(
    state: &State,
    head: &RequestHead,
    payload: Payload,
    types: &[&str],
) -> Result<web::Bytes, Problem> {
    body::require_media_type(head, types)?;
    body::read(head, payload, state.limits.max_json_body_bytes, state.body_timeout).await
}
