//! Who is calling, and for which tenant.

use actix_web::HttpRequest;
use actix_web::dev::RequestHead;
use actix_web::http::header;
use tenantry_domain::{Caller, Scope, TenantNumber, TenantRef};

use crate::accept;
use crate::problem::Problem;
use crate::problem_code::Code;
use crate::state::State;

/// The header with which an administrator names a tenant.
const TENANTRY_TENANT: &str = "tenantry-tenant";

/// Lets in whoever has `scope`; for routes that answer JSON.
pub(crate) async fn caller(state: &State, head: &RequestHead, scope: Scope) -> Result<Caller, Problem> {
    let caller = authorized(state, head, scope).await?;
    accept::require_json(head.headers())?;
    Ok(caller)
}

/// Lets in whoever has `scope`, and says whose data it is about; for routes that answer JSON.
pub(crate) async fn tenant(state: &State, head: &RequestHead, scope: Scope) -> Result<TenantNumber, Problem> {
    let tenant = tenant_of_bytes(state, head, scope).await?;
    accept::require_json(head.headers())?;
    Ok(tenant)
}

/// As [`tenant`], for routes that answer bytes of any type.
pub(crate) async fn tenant_of_bytes(
    state: &State,
    head: &RequestHead,
    scope: Scope,
) -> Result<TenantNumber, Problem> {
    let caller = authorized(state, head, scope).await?;
    if let (tenantry_domain::KeyOwner::Tenant(number), None) =
        (caller.owner, head.headers().get(TENANTRY_TENANT))
    {
        return Ok(number);
    }
    let named = named_tenant(head)?;
    Ok(state.services.tenants.resolve(&caller, named.as_ref()).await?)
}

/// Lets in whoever has `scope`, whatever the answer's type is.
pub(crate) async fn authorized(state: &State, head: &RequestHead, scope: Scope) -> Result<Caller, Problem> {
    let key = bearer_key(head)?;
    let caller = match state.services.access.authenticate_cached(key) {
        Some(known) => known?,
        None => state.services.access.authenticate(key).await?,
    };
    if !caller.scopes.contains(scope) {
        return Err(Problem::new(Code::ScopeMissing, format!("the key lacks the scope {}", scope.as_str())));
    }
    Ok(caller)
}

/// RFC 6750, section 2.1; the scheme's case does not count (RFC 9110, section 11.1).
fn bearer_key(head: &RequestHead) -> Result<&str, Problem> {
    let Some(value) = head.headers().get(header::AUTHORIZATION) else {
        return Err(Problem::plain(Code::KeyMissing));
    };
    let value = value.to_str().map_err(|_| Problem::plain(Code::KeyMalformed))?;
    match value.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Ok(key.trim()),
        _ => Err(Problem::plain(Code::KeyMissing)),
    }
}

/// The tenant that the header names. A name that can be no tenant's is like one that does not exist.
pub(crate) fn named_tenant(head: &RequestHead) -> Result<Option<TenantRef>, Problem> {
    let Some(value) = head.headers().get(TENANTRY_TENANT) else { return Ok(None) };
    let named = value.to_str().ok().and_then(TenantRef::parse);
    named.map(Some).ok_or_else(|| Problem::plain(Code::TenantNotFound))
}

/// The tenant that `{tenant}` in the path names.
pub(crate) fn tenant_in_path(request: &HttpRequest) -> Result<TenantRef, Problem> {
    TenantRef::parse(request.match_info().query("tenant")).ok_or_else(|| Problem::plain(Code::TenantNotFound))
}
