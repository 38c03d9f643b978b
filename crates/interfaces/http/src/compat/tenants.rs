//! The multi-tenant registry (FastAPI, PostgreSQL): `/compat/tenants/api/v1`.
//!
//! Kept: a token on every route; the shapes; 401 for a wrong token and 403 for none. Mended: creating, replacing
//! and deleting, which answered 501. What it did not know of is left out: a tenant's name, its status, its entity
//! tag. A tenant that is being deleted is gone.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tenantry_domain::{
    Precondition, Scope, Tenant, TenantDraft, TenantFilter, TenantName, TenantRef, TenantStatus, Timestamp,
};
use tenantry_services::TenantError;
use utoipa::ToSchema;

use super::body;
use super::listing::{self, Frame, Piece};
use crate::problem::Problem;
use crate::problem_code::Code;
use crate::state::State;
use crate::{access, json, ping};

/// What a tenant is called whose info gives no name.
const NAME_OF_THE_NAMELESS: &str = "tenant";

/// A tenant, as the registry showed it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompatTenant)]
pub(crate) struct OldTenant<'a> {
    /// `{tenant_number}_{name}`.
    #[schema(example = "1_Jacklyn91")]
    tenant_id: String,
    /// Given once, never reused, growing.
    #[schema(example = 1, minimum = 1)]
    tenant_number: i64,
    /// Whatever is kept about it.
    #[schema(value_type = Object, example = json!({"email": "ops@acme.example"}))]
    tenant_info: &'a RawValue,
    /// When it was created, as Python prints a time in UTC.
    #[schema(format = DateTime, example = "2026-11-21T10:00:00.000000+00:00")]
    created_at: String,
    /// When it last changed, likewise.
    #[schema(format = DateTime, example = "2026-11-21T10:00:00.000000+00:00")]
    updated_at: String,
}

/// What is to be kept about a tenant. Other members are passed over.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CompatTenantDraft)]
pub(crate) struct OldTenantBody<'a> {
    /// A JSON object of at most 64 KiB, nested at most 32 levels; `{}` where absent.
    #[serde(borrow)]
    #[schema(value_type = Object, required = false, example = json!({"email": "ops@acme.example", "name": "acme"}))]
    tenant_info: Option<&'a RawValue>,
}

impl<'a> From<&'a Tenant> for OldTenant<'a> {
    fn from(tenant: &'a Tenant) -> Self {
        Self {
            tenant_id: tenant.id(),
            tenant_number: tenant.number.get(),
            tenant_info: tenant.info.as_raw(),
            created_at: python_time(tenant.created_at),
            updated_at: python_time(tenant.updated_at),
        }
    }
}

/// As Python's `datetime.isoformat` prints a time in UTC, which its `fromisoformat` reads in every version.
fn python_time(time: Timestamp) -> String {
    let text = time.to_string();
    format!("{}+00:00", text.trim_end_matches('Z'))
}

/// The tenant that the path names: by its number alone.
fn tenant_in_path(request: &HttpRequest) -> Result<TenantRef, Problem> {
    TenantRef::parse(request.match_info().query("tenant_number"))
        .filter(|tenant| tenant.name.is_none())
        .ok_or_else(|| Problem::plain(Code::TenantNotFound))
}

/// A tenant that is being deleted is gone.
fn refused(error: TenantError) -> Problem {
    match error {
        TenantError::Deleting => Problem::plain(Code::TenantNotFound),
        other => other.into(),
    }
}

async fn find(state: &State, tenant: &TenantRef) -> Result<Tenant, Problem> {
    let found = state.services.tenants.get(tenant).await?;
    if found.status == TenantStatus::Deleting { Err(refused(TenantError::Deleting)) } else { Ok(found) }
}

/// The name of a tenant that comes without one: `name` or else `tenant_id` in its info, where that can be a name.
fn name_in(tenant_info: Option<&RawValue>) -> String {
    #[derive(Deserialize)]
    struct Naming {
        name: Option<Value>,
        tenant_id: Option<Value>,
    }
    let naming = tenant_info.and_then(|info| serde_json::from_str::<Naming>(info.get()).ok());
    let candidates = naming.into_iter().flat_map(|naming| [naming.name, naming.tenant_id]).flatten();
    let name = candidates.filter_map(|name| TenantName::new(name.as_str()?)).next();
    name.map_or_else(|| NAME_OF_THE_NAMELESS.to_owned(), |name| name.as_str().to_owned())
}

/// Answers, so that a caller knows that the registry is reached and the token is good.
#[utoipa::path(get, path = "/compat/tenants/api/v1/ping", tag = "compat/tenants", operation_id = "compat_tenants_ping",
    responses((status = 200, description = "It is.", body = ping::Pong)))]
pub(crate) async fn ping(state: web::Data<State>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    access::authorized(&state, request.head(), Scope::TenantsRead).await?;
    ping::ping().await
}

/// Lists the id of every tenant, by number. It is read page by page and sent in chunks: where that fails in the
/// middle, the connection ends before the array does.
#[utoipa::path(get, path = "/compat/tenants/api/v1/tenants", tag = "compat/tenants", operation_id = "compat_list_tenants",
    responses((status = 200, description = "Every `tenant_id`.", body = Vec<String>, example = json!(["1_Jacklyn91", "2_Skye_Jones"]))))]
pub(crate) async fn list_tenants(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    access::authorized(&state, request.head(), Scope::TenantsRead).await?;
    let frame = Frame { before: "[", after: "]" };
    listing::answer(request.head(), frame, move |after| {
        let state = state.clone();
        async move {
            let tenants = &state.services.tenants;
            let page = tenants.list(TenantFilter::default(), after, listing::page_limit()).await?;
            let mut piece = Piece::of(&page, |last| last.number);
            for tenant in page.items.iter().filter(|tenant| tenant.status != TenantStatus::Deleting) {
                piece.push(&tenant.id())?;
            }
            Ok(piece)
        }
    })
    .await
}

/// Shows a tenant. What is no number of a tenant (`-1`, `0`, a word) is 404.
#[utoipa::path(get, path = "/compat/tenants/api/v1/tenants/{tenant_number}", tag = "compat/tenants", operation_id = "compat_get_tenant",
    params(("tenant_number" = i64, Path, description = "The number.", example = 1)),
    responses((status = 200, description = "The tenant.", body = OldTenant)))]
pub(crate) async fn get_tenant(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    access::authorized(&state, request.head(), Scope::TenantsRead).await?;
    let tenant = find(&state, &tenant_in_path(&request)?).await?;
    json::answer(StatusCode::OK, &OldTenant::from(&tenant))
}

/// Creates a tenant, under the next number. Its name, the part of `tenant_id` behind the number, is `name` in
/// `tenant_info`, or else `tenant_id` there, if that is 1 to 64 of `A-Z a-z 0-9 . _ -`; otherwise `tenant`.
#[utoipa::path(post, path = "/compat/tenants/api/v1/tenants", tag = "compat/tenants", operation_id = "compat_create_tenant",
    request_body = OldTenantBody,
    responses((status = 201, description = "It is created.", body = OldTenant)))]
pub(crate) async fn create_tenant(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    access::authorized(&state, request.head(), Scope::TenantsWrite).await?;
    let text = body::read(&state, request.head(), payload.into_inner()).await?;
    let OldTenantBody { tenant_info } = body::object(&state, &text)?;
    let draft = TenantDraft { name: Some(name_in(tenant_info)), tenant_info };
    let tenant = state.services.tenants.create(draft).await?;
    json::answer(StatusCode::CREATED, &OldTenant::from(&tenant))
}

/// Replaces what is kept about a tenant. Its name stays.
#[utoipa::path(put, path = "/compat/tenants/api/v1/tenants/{tenant_number}", tag = "compat/tenants", operation_id = "compat_replace_tenant",
    request_body = OldTenantBody,
    params(("tenant_number" = i64, Path, description = "The number.", example = 1)),
    responses((status = 204, description = "It is replaced.")))]
pub(crate) async fn replace_tenant(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    access::authorized(&state, request.head(), Scope::TenantsWrite).await?;
    let tenant = tenant_in_path(&request)?;
    let text = body::read(&state, request.head(), payload.into_inner()).await?;
    let OldTenantBody { tenant_info } = body::object(&state, &text)?;
    let tenants = &state.services.tenants;
    tenants.replace_info(&tenant, tenant_info, &Precondition::default()).await.map_err(refused)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Deletes a tenant. Its keys stop at once, its data is erased in the background; here it is gone at once.
#[utoipa::path(delete, path = "/compat/tenants/api/v1/tenants/{tenant_number}", tag = "compat/tenants", operation_id = "compat_delete_tenant",
    params(("tenant_number" = i64, Path, description = "The number.", example = 1)),
    responses((status = 204, description = "It is deleted.")))]
pub(crate) async fn delete_tenant(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    access::authorized(&state, request.head(), Scope::TenantsWrite).await?;
    let tenant = TenantRef::from(find(&state, &tenant_in_path(&request)?).await?.number);
    state.services.tenants.delete(&tenant, &Precondition::default()).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_from_the_info_if_it_can_be_one() {
        for (info, expected) in [
            (r#"{"name":"acme","tenant_id":"other"}"#, "acme"),
            (r#"{"tenant_id":"Jacklyn91"}"#, "Jacklyn91"),
            (r#"{"name":"a name","tenant_id":"Skye_Jones"}"#, "Skye_Jones"),
            (r#"{"name":5,"tenant_id":["x"]}"#, "tenant"),
            (r#"{"email":"a@b.example"}"#, "tenant"),
            ("[]", "tenant"),
            ("5", "tenant"),
        ] {
            let raw: &RawValue = serde_json::from_str(info).unwrap();
            assert_eq!(name_in(Some(raw)), expected, "{info}");
        }
        assert_eq!(name_in(None), "tenant");
    }

    #[test]
    fn a_time_is_printed_as_python_prints_it() {
        assert_eq!(
            python_time(Timestamp::from_micros(1_618_531_200_230_000)),
            "2021-04-16T00:00:00.230000+00:00"
        );
    }
}
