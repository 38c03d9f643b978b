//! The production storage: a schema of a PostgreSQL database, read by many and written by a few connections
//! that commit in groups, on as many nodes as wanted.
//!
//! What belongs here: PostgreSQL's side of the ports, its schema and its second wall between tenants. What never
//! will: rules of the domain, or knowledge of who calls.
//!
//! Start with [`PostgresStorage`]: each port is implemented beside its noun (`event.rs`, `key_value.rs`, …). Reads
//! work over a connection; writes over a `WriteBatch` (`batch.rs`), which first locks the tenants that are written
//! to, and in the end stores all that was staged (`event_append.rs`, `key_value_write.rs`). `session.rs` is how a
//! connection is made, `database/` everything that may be wrong with a database. `replica.rs` says which reads
//! a replica answers. [`PostgresBus`] is apart from it: how
//! nodes tell each other of changes.

mod access_key;
mod batch;
mod bus;
mod claim;
mod counters;
mod database;
mod doubt;
mod engine;
mod error;
mod event;
mod event_append;
mod event_data;
mod event_list;
mod event_past;
mod export;
mod feed;
mod feed_run;
mod feed_run_discard;
mod feed_run_publish;
mod feed_run_schedule;
mod feed_run_stage;
mod health;
mod import;
mod job_queue;
mod key_value;
mod key_value_cell;
mod key_value_list;
mod key_value_write;
mod literal;
mod moment;
mod options;
mod plan;
mod plan_identity;
mod plan_slice;
mod pulse;
mod replica;
mod row_place;
mod schema;
mod session;
mod setting;
mod static_query;
mod storage;
mod tenant;
mod tenant_erasure;
mod tenant_past;
mod url;

// Linked through diesel, and named here for their features: libpq and OpenSSL are built from source.
use {openssl_sys as _, pq_sys as _};

pub use bus::PostgresBus;
pub use database::{Inspection, OpenError, inspect, migrate};
pub use job_queue::PostgresJobQueue;
pub use options::PostgresOptions;
pub use replica::{ReplicaInspection, inspect_replica};
pub use storage::PostgresStorage;
pub use url::{PostgresUrl, PostgresUrlError};
