//! Storing sample tenants, without doubling any.

use std::collections::HashMap;

use tenantry_domain::{PageLimit, Tenant, TenantDraft, TenantFilter, TenantNumber, TenantStatus};
use tenantry_services::{TenantError, TenantService};

use super::SampleTenant;

/// What became of a sample tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeded {
    /// It is stored now, under this number.
    Created(TenantNumber),
    /// One of the same name and e-mail address was there, under this number.
    Skipped(TenantNumber),
}

impl Seeded {
    /// The number of the tenant.
    #[must_use]
    pub fn number(self) -> TenantNumber {
        match self {
            Self::Created(number) | Self::Skipped(number) => number,
        }
    }
}

/// Stores, in their order, the samples that are not there yet: a tenant of the same name whose info has
/// the same `email` is the same, unless it is being deleted.
///
/// # Errors
/// When storage fails; what was stored until then stays, and another call goes on from there.
pub async fn store_missing(
    tenants: &TenantService,
    samples: &[SampleTenant],
) -> Result<Vec<Seeded>, TenantError> {
    let mut known = find_present(tenants, samples).await?;
    let mut outcomes = Vec::with_capacity(samples.len());
    for sample in samples {
        let seen = known.get(&identity(sample)).copied().flatten();
        if let Some(number) = seen {
            outcomes.push(Seeded::Skipped(number));
            continue;
        }
        let name = Some(sample.tenant.name.as_str().to_owned());
        let draft = TenantDraft { name, tenant_info: Some(sample.tenant.info.as_raw()) };
        let number = tenants.create(draft).await?.number;
        known.insert(identity(sample), Some(number));
        outcomes.push(Seeded::Created(number));
    }
    Ok(outcomes)
}

type Identity = (String, String);

fn identity(sample: &SampleTenant) -> Identity {
    (sample.tenant.name.as_str().to_owned(), sample.email.clone())
}

/// Goes once through all tenants, and keeps the numbers of those that are among the samples.
async fn find_present(
    tenants: &TenantService,
    samples: &[SampleTenant],
) -> Result<HashMap<Identity, Option<TenantNumber>>, TenantError> {
    let mut known: HashMap<Identity, Option<TenantNumber>> =
        samples.iter().map(|sample| (identity(sample), None)).collect();
    let mut after = None;
    loop {
        let page = tenants.list(TenantFilter::default(), after, PageLimit::MAX).await?;
        for tenant in page.items.iter().filter(|tenant| tenant.status != TenantStatus::Deleting) {
            if let Some(slot) = identity_of(tenant).and_then(|identity| known.get_mut(&identity)) {
                slot.get_or_insert(tenant.number);
            }
        }
        after = page.items.last().map(|tenant| tenant.number);
        if !page.more {
            return Ok(known);
        }
    }
}

fn identity_of(tenant: &Tenant) -> Option<Identity> {
    let email = tenant.info.to_value().get("email")?.as_str()?.to_lowercase();
    Some((tenant.name.as_str().to_owned(), email))
}
