//! Tenants that are open to callers without a key: whoever starts it is to know.

use tenantry_http::{CompatOptions, OpenAccess, Opening};
use tenantry_services::{TenantError, TenantService};

/// Warns of each tenant that is opened, and of one that is not there (yet).
pub(super) async fn warn(compat: &CompatOptions, tenants: &TenantService) {
    if !compat.enabled {
        return;
    }
    let routes = [
        ("/compat/key-values", &compat.key_values),
        ("/compat/activity", &compat.activity),
        ("/compat/search", &compat.search),
    ];
    for (path, opening) in routes {
        if let Some(opening) = opening {
            warn_of(path, opening, tenants).await;
        }
    }
}

async fn warn_of(path: &str, opening: &Opening, tenants: &TenantService) {
    let may = match opening.access {
        OpenAccess::ReadOnly => "read",
        OpenAccess::ReadWrite => "read, write and delete",
    };
    tracing::warn!(
        http.path = path,
        tenant.number = opening.tenant.number.get(),
        "whoever reaches the port may {may} this tenant's data without a key"
    );
    if let Err(TenantError::NotFound) = tenants.get(&opening.tenant).await {
        tracing::warn!(
            http.path = path,
            tenant.number = opening.tenant.number.get(),
            "the tenant that is open to callers without a key does not exist"
        );
    }
}
