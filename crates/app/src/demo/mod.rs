//! Sample data for a first look: tenants, events, key-values and a catalog, stored once.
//!
//! Everything goes through the services, as if clients had sent it over the last month. An interrupted filling goes on at the
//! next start without doubling anything: tenants are known by name and e-mail address, events by their ids,
//! which depend on nothing but their place, and key-values are created only where they are absent.

mod catalog;
mod content;
pub mod feeds;
mod guide;

use futures_util::future::try_join_all;
use tenantry_domain::{Precondition, TenantNumber, Violations};
use tenantry_http::Services;
use tenantry_ports::{SettingRepository, StorageError};
use tenantry_services::{EventError, FeedError, FileImportError, KeyValueError, TenantError};

use crate::sample_tenants;
pub(crate) use catalog::fill_catalog_once;

/// The sample tenants, in the format that `tenantry seed` reads.
pub const TENANTS: &str = include_str!("../../demo/tenants.json");

/// Holds the number of the first sample tenant once everything is stored.
const MARKER: &str = "demo_seeded";

/// The sample data, once it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    first_tenant: TenantNumber,
}

/// Why sample data was not stored.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A tenant was not.
    #[error(transparent)]
    Tenant(#[from] TenantError),
    /// An event was not.
    #[error(transparent)]
    Event(#[from] EventError),
    /// An event breaks the rules.
    #[error("a sample event is not valid: {0}")]
    InvalidEvent(#[from] Violations),
    /// A key-value was not.
    #[error(transparent)]
    KeyValue(#[from] KeyValueError),
    /// A feed was not.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// A feed was not imported.
    #[error(transparent)]
    Import(#[from] FileImportError),
    /// The sample feed could not be laid down to be read.
    #[error("a temporary file cannot be written: {0}")]
    File(#[from] std::io::Error),
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The program's own samples are wrong.
    #[error("the samples are damaged: {0}")]
    Samples(String),
}

impl Demo {
    /// The sample tenant that the guide speaks of.
    #[must_use]
    pub fn first_tenant(&self) -> TenantNumber {
        self.first_tenant
    }
}

/// Stores the sample data, unless that was done before.
///
/// # Errors
/// When something cannot be stored; another call goes on from there.
pub async fn fill_once(services: &Services, settings: &dyn SettingRepository) -> Result<Demo, DemoError> {
    if let Some(marker) = settings.find(MARKER).await? {
        return demo_of(&marker);
    }
    let samples = sample_tenants::parse(TENANTS)
        .map_err(|faults| DemoError::Samples(faults.first().map_or_else(String::new, ToString::to_string)))?;
    let tenants = sample_tenants::store_missing(&services.tenants, &samples).await?;
    // At the same time, so that commits are shared.
    let fillings =
        tenants.iter().zip(&samples).map(|(stored, sample)| fill(services, stored.number(), sample));
    try_join_all(fillings).await?;
    let first = tenants.first().ok_or_else(|| DemoError::Samples("there is no tenant".to_owned()))?;
    tracing::info!(tenants = tenants.len(), "the sample data is stored");
    demo_of(&settings.find_or_insert(MARKER, first.number().to_string().into_bytes()).await?)
}

fn demo_of(marker: &[u8]) -> Result<Demo, DemoError> {
    let number = std::str::from_utf8(marker).ok().and_then(|text| text.parse().ok());
    let number = number.and_then(TenantNumber::new);
    let damaged = || DemoError::Samples(format!("the setting {MARKER} holds no tenant number"));
    number.map(|first_tenant| Demo { first_tenant }).ok_or_else(damaged)
}

async fn fill(
    services: &Services,
    tenant: TenantNumber,
    sample: &sample_tenants::SampleTenant,
) -> Result<(), DemoError> {
    let name = sample.tenant.name.as_str();
    let events = content::events(name, &sample.email, services.clock.now())?;
    services.events.import(tenant, events).await?;
    let puts = content::key_values(name).into_iter().map(|(key, value)| async move {
        match services.key_values.put(tenant, key, value, Precondition::absent()).await {
            Ok(_) | Err(KeyValueError::PreconditionFailed { .. }) => Ok(()),
            Err(error) => Err(DemoError::from(error)),
        }
    });
    try_join_all(puts).await.map(|_| ())
}
