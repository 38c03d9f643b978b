mod among_nodes;
mod reads;
mod writes;

use std::sync::Arc;

use tenantry_domain::Precondition;
use tenantry_ports::MockKeyValueRepository;

use super::{CachedEntry, KeyValueError, KeyValueService};
use crate::samples::{clock_at, down, entry, forgetful, key, knowing, number, revision, time};

/// The time at which all of this happens.
const NOW: i64 = 1_000;

const ALWAYS: Precondition = Precondition { if_match: None, if_none_match: None };

/// A service whose cache knows nothing, and which takes values of up to 8 bytes.
fn service(entries: MockKeyValueRepository) -> KeyValueService {
    KeyValueService::new(Arc::new(entries), forgetful(), clock_at(time(NOW)), 8)
}

/// A service whose cache knows this, and which has no storage.
fn service_that_knows(known: CachedEntry) -> KeyValueService {
    KeyValueService::new(Arc::new(MockKeyValueRepository::new()), knowing(known), clock_at(time(NOW)), 8)
}
