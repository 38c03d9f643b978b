//! What Tenantry does: one service a noun, each over the ports alone.
//!
//! What belongs here: the rules that need more than one look at storage, a clock, a cache or chance. What
//! never will: I/O of its own, an async runtime, SQL, wire shapes, status codes. So every rule is tested
//! against mocked repositories (`examples/unit_test_with_mocks.rs` shows how).
//!
//! - [`TenantService`]: tenants, their life, and which tenant a request is about.
//! - [`AccessService`]: who is calling, and the keys by which they call.
//! - [`EventService`]: what happened.
//! - [`KeyValueService`]: bytes under a name.
//! - [`SearchService`]: which plans take place within a span of time.
//! - [`PlanService`]: what is on, and what was.
//! - [`FeedService`]: where a tenant's catalog comes from.
//! - [`ImportService`]: how a run of a feed is carried out; [`Scheduler`]: when; [`Worker`]: by whom.
//! - [`DataMove`]: a whole installation, from one storage to another.
//!
//! # Why no write touches a cache
//! Reads fill the caches; writes leave them alone. A write is carried out even when its caller stops
//! waiting, so code behind the `await` of a write may never run. Instead the storage adapter tells its
//! [`CommitListener`](tenantry_ports::CommitListener), on its writing thread, after each commit and before
//! anyone is told of it. [`CacheCoherence`] is that listener, and the one place where a cache hears of a
//! change. Together with the tickets of [`NearCache`](tenantry_ports::NearCache) it follows that whoever
//! reads after a write was acknowledged sees that write, or a later one.
//!
//! # More than one node
//! [`Propagation`] carries what this node commits into the shared cache and onto the bus, [`RemoteChanges`] hears
//! the others, and [`AgedCache`] bounds what a bus that fails can do. A node that is alone has none of them.

mod access_key;
mod aged;
mod coherence;
mod data_move;
mod event;
mod feed;
mod feed_import;

mod key_value;
mod lifetimes;
mod past_outcome;
mod plan;
mod propagation;
mod read_through;
mod remote_changes;
#[cfg(test)]
mod samples;
mod schedule;
mod search;
mod shared_entry;
mod shared_reads;
#[cfg(test)]
mod simulation;
mod single_flight;
mod tenant;
mod worker;

pub use access_key::{AccessCache, AccessError, AccessKeyError, AccessService, CachedGrant};
pub use aged::{Aged, AgedCache, Ages};
pub use coherence::CacheCoherence;
pub use data_move::{DataMove, Difference, MoveError, MoveProgress, MoveReport, MoveStep, MovedTable};
pub use event::{EventError, EventService};
pub use feed::{FeedError, FeedLimits, FeedService};
pub use feed_import::{FileImportError, ImportOptions, ImportOutcome, ImportService};
pub use key_value::{CachedEntry, KeyValueCache, KeyValueError, KeyValueService};
pub use past_outcome::PastOutcome;
pub use plan::{PlanError, PlanService};
pub use propagation::{Propagation, PropagationLimits};
pub use remote_changes::RemoteChanges;
pub use schedule::{ScheduleError, Scheduler};
pub use search::{
    PrintPlan, SearchEnd, SearchPosition, SearchQuery, SearchService, SearchSnapshot, ShelfLimits,
    SnapshotBuilder, SnapshotShelf,
};
pub use tenant::{CachedTenant, TenantCache, TenantError, TenantService};
pub use worker::{WorkedJob, Worker, WorkerOptions};
