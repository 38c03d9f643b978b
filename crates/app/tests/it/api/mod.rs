//! The HTTP API, as a client sees it: the real application on port 0, called over TCP, with nothing stored.
//! On which engines it stands is all one: these tests run on each stack (`crate::stack`).
//!
//! What belongs here: what the contract says of requests and answers, a module a noun. What never will:
//! a look past the socket. `harness.rs` starts and calls; each answer is held against the OpenAPI document
//! (`openapi.rs`); a request that is refused must leave everything as it was (`snapshot.rs`).

pub(crate) mod answer;
pub(crate) mod harness;
pub(crate) mod openapi;
pub(crate) mod raw;
pub(crate) mod snapshot;
pub(crate) mod world;

mod access;
mod access_keys;
mod bad_input;
pub(crate) mod catalog;
mod compression;
mod concurrency;
mod conventions;
mod cors;
mod event_batches;
mod event_filters;
mod event_lists;
mod events;
mod feeds;
mod hot_routes;
mod isolation;
mod isolation_of_catalogs;
mod key_value_expiry;
mod key_value_increments;
mod key_value_keys;
mod key_value_lists;
mod key_value_preconditions;
mod key_values;
mod openapi_conformance;
mod ping_and_docs;
mod problems;
mod protocol;
mod provocations;
mod slow_clients;
mod tenant_changes;
mod tenant_erasure;
mod tenant_lists;
mod tenants;
