//! What every handler has at hand.

use std::sync::Arc;
use std::time::Duration;

use tenantry_ports::{Clock, HealthProbe};
use tenantry_services::{
    AccessService, EventService, FeedService, KeyValueService, PlanService, SearchService, TenantService,
};

use crate::compat::CompatOptions;
use crate::cursor::CursorSeal;

/// The services behind the API, wired by the application.
#[derive(Clone)]
pub struct Services {
    /// The registry of tenants.
    pub tenants: Arc<TenantService>,
    /// Who may do what.
    pub access: Arc<AccessService>,
    /// The event log.
    pub events: Arc<EventService>,
    /// The key-value store.
    pub key_values: Arc<KeyValueService>,
    /// Where the catalog comes from.
    pub feeds: Arc<FeedService>,
    /// What is in the catalog.
    pub plans: Arc<PlanService>,
    /// The search in the catalog.
    pub search: Arc<SearchService>,
    /// What `/readyz` asks.
    pub health: Vec<Arc<dyn HealthProbe>>,
    /// What cursors are sealed with: the same on every node, and kept over restarts.
    pub cursor_secret: [u8; 32],
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// How much a caller may send or ask for at once.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The most bytes of a JSON body that is one thing.
    pub max_json_body_bytes: usize,
    /// The most bytes of a JSON body that is a batch of events.
    pub max_batch_body_bytes: usize,
    /// The most events of a batch.
    pub max_batch_items: usize,
    /// The most bytes of a key-value's value.
    pub max_value_bytes: usize,
    /// The most arrays and objects inside one another in a JSON body.
    pub max_json_depth: usize,
    /// A page of key-values ends behind the entry with which its values reach this many bytes.
    pub max_page_value_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_json_body_bytes: 1024 * 1024,
            max_batch_body_bytes: 8 * 1024 * 1024,
            max_batch_items: 1000,
            max_value_bytes: 1024 * 1024,
            max_json_depth: 34,
            max_page_value_bytes: 4 * 1024 * 1024,
        }
    }
}

/// Shared by all handlers of all workers.
pub(crate) struct State {
    pub(crate) services: Services,
    pub(crate) limits: Limits,
    pub(crate) body_timeout: Duration,
    pub(crate) cursors: CursorSeal,
    pub(crate) log_requests: bool,
    pub(crate) compat: CompatOptions,
}
