//! The embedded default storage: one SQLite file, many readers, and one writer that commits in groups.
//!
//! What belongs here: SQLite's side of the ports, and the care for its file. What never will: rules of
//! the domain, or knowledge of who calls.
//!
//! Start with [`SqliteStorage`]: each port is implemented beside its noun (`event.rs`, `key_value.rs`, …),
//! its writes as functions over a `WriteBatch` (`batch.rs`), its reads over a connection.
//! Opening a file, with everything that may be wrong with it, is `file/`.

mod access_key;
mod batch;
mod connection;
mod counters;
mod engine;
mod error;
mod event;
mod event_list;
mod export;
mod feed;
mod feed_run;
mod feed_run_discard;
mod feed_run_publish;
mod feed_run_schedule;
mod feed_run_stage;
mod file;
mod health;
mod import;
mod job_queue;
mod key_value;
mod key_value_list;
mod key_value_write;
mod literal;
mod options;
mod plan;
mod plan_identity;
mod schema;
mod setting;
mod static_query;
mod storage;
mod tenant;
mod tenant_erasure;
#[cfg(test)]
mod tests;

pub use export::SqliteExport;
pub use file::{Inspection, OpenError, inspect, migrate};
pub use job_queue::SqliteJobQueue;
pub use options::SqliteOptions;
pub use storage::SqliteStorage;
