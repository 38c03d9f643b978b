//! Who is calling an old route, and for which tenant.

use actix_web::dev::RequestHead;
use actix_web::http::header;
use tenantry_domain::{Scope, TenantNumber};

use super::options::Opening;
use crate::access;
use crate::problem::Problem;
use crate::state::State;

/// Lets in whoever has a key with `scope`, and whoever shows none where a tenant is opened to them; says whose
/// data it is about. A key that is shown must be good, opened or not.
pub(super) async fn tenant(
    state: &State,
    head: &RequestHead,
    opening: Option<&Opening>,
    scope: Scope,
) -> Result<TenantNumber, Problem> {
    match opening {
        Some(opening) if opening.allows(scope) && !head.headers().contains_key(header::AUTHORIZATION) => {
            let named = access::named_tenant(head)?;
            Ok(state.services.tenants.resolve_opened(&opening.tenant, named.as_ref()).await?)
        }
        _ => access::tenant_of_bytes(state, head, scope).await,
    }
}
