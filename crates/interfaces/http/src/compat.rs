//! The HTTP contracts of the systems that Tenantry replaces, each under `/compat/<name>`: a client of theirs moves
//! over by changing its base URL.
//!
//! What belongs here: reading the old shape, calling the same services as the canonical routes, printing the old
//! shape. What never will: a rule of its own. Each predecessor has a file, which says what is kept and what was
//! mended; `refusal.rs` is the one place that knows how each of them refused. All of it is off until the
//! configuration switches it on ([`CompatOptions`]).

mod access;
pub(crate) mod activity;
mod body;
pub(crate) mod key_values;
mod listing;
mod options;
pub(crate) mod refusal;
pub(crate) mod search;
pub(crate) mod tenants;

pub use options::{CompatOptions, OpenAccess, Opening};
pub(crate) use refusal::Predecessor;
