//! What is done in the background, and how often.

use std::sync::Arc;
use std::time::Duration;

use tenantry_http::Services;
use tenantry_ports::StorageError;
use tenantry_services::TenantError;

use super::background::{Background, Step};
use crate::config::MaintenanceSettings;
use crate::huge_pages;

/// How often to see whether the program has grown.
const HUGE_PAGES_INTERVAL: Duration = Duration::from_millis(100);

/// Starts it all. An erasure that a former run left unfinished goes on at once.
pub(super) fn start(background: &mut Background, services: &Services, settings: &MaintenanceSettings) {
    let tenants = Arc::clone(&services.tenants);
    let max_rows = settings.erasure_step_rows;
    background.repeat("erasure", Duration::from_millis(settings.erasure_interval_ms), async move || {
        match tenants.erase_next(max_rows).await {
            Ok(true) => Ok(Step::More),
            Ok(false) => Ok(Step::Done),
            Err(TenantError::Storage(error)) => Err(error),
            Err(other) => Err(StorageError::Failed(other.to_string())),
        }
    });

    let key_values = Arc::clone(&services.key_values);
    let max_entries = settings.expiry_step_entries;
    background.repeat("expiry", Duration::from_millis(settings.expiry_interval_ms), async move || {
        let removed = key_values.remove_expired(max_entries).await?;
        Ok(if removed < max_entries { Step::Done } else { Step::More })
    });

    let access = Arc::clone(&services.access);
    background.repeat("key use", Duration::from_millis(settings.key_use_interval_ms), async move || {
        access.flush_uses().await.map(|()| Step::Done)
    });

    let mut is_settled = false;
    background.repeat("huge pages", HUGE_PAGES_INTERVAL, async move || {
        is_settled = is_settled || huge_pages::allow_if_grown();
        Ok(Step::Done)
    });
}
