//! The suites that every shared cache and every invalidation bus passes: one small named case for each promise
//! that the ports' documentation makes, over the traits alone. Embedders run them on their own adapters.
//!
//! What belongs here: what a node, or two, can see through the ports. What never will: an adapter, or anything
//! that only some servers can keep.
//!
//! An adapter's integration test is a function that opens one node in a namespace, and one line:
//!
//! ```text
//! async fn open(namespace: String, listener: Arc<dyn SharedCacheListener>) -> OpenCache { … }
//!
//! tenantry_cache_contract::shared_cache_contract_tests!(open);
//! ```
//!
//! It becomes one test a case, in a module a subject. The cases stand in `src/cases/`, their lists in
//! `src/list.rs`; a case that is missing in its list is dead code, which does not compile. Every case has a
//! namespace of its own, so cases and runs share a server without meeting.

#![deny(dead_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test library: a panic is how a case says that a promise is broken"
)]

mod bus_fixture;
mod cache_fixture;
mod cases;
mod fault_fixture;
mod list;
mod private_server;
mod recorded;
mod server_url;
mod wait;

#[doc(hidden)]
pub use list::{listed_bus, listed_bus_fault, listed_cache, listed_cache_fault};

pub use bus_fixture::{BusFixture, OpenBus, run_bus};
pub use cache_fixture::{CacheFixture, OpenCache, run_cache};
pub use fault_fixture::{BusFaultFixture, CacheFaultFixture, run_bus_fault, run_cache_fault};
pub use private_server::{FaultyServer, PrivateServer, free_port};
pub use recorded::{BusEvent, RecordedBus, RecordedGenerations};
pub use server_url::{namespace, server_url};
pub use wait::until;
