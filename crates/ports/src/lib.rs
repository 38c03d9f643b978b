//! What Tenantry's services need from outside: traits, their errors, and (feature `mocks`) mockall mocks
//! of each.
//!
//! What belongs here: one trait a noun, and for each method what an adapter must keep. What never will:
//! an implementation that does I/O.
//!
//! Storage is true; [`NearCache`] and [`SharedCache`] are fast, and are kept true by [`CommitListener`] and
//! [`ChangeBus`].
//!
//! Rules that hold for every storage port:
//! - The tenant is the first argument of every method that is about a tenant's data, and no method ever
//!   shows or changes another tenant's.
//! - Absence is `Ok(None)` or `Ok(false)`, never an error.
//! - One method is one transaction: it happens whole or not at all, and when it has answered `Ok` to a
//!   write, that write is on disk and survives a crash of the process and of the machine.
//! - **A write, once called, is carried out even when the caller stops waiting for it.** Dropping the
//!   future gives up the answer, not the write.
//! - Lists are by keyset: `after` is the position of the last item seen, and the cost of a page does not
//!   grow with its depth.
//! - Any method may fail with a [`StorageError`]; other errors stand at the method.

mod access_key;
mod change_bus;
mod change_text;
mod clock;
mod commit;
mod error;
mod event;
mod export;
mod feed;
mod feed_run;
mod feed_source;
mod health;
mod import;
mod job_queue;
mod key_value;
mod near_cache;
mod plan;
mod setting;
mod shared_cache;
mod tenant;
mod timer;

pub use access_key::{AccessGrant, AccessKeyRepository, AccessKeyWriteError, KeyPosition};
pub use change_bus::{BusError, BusListener, Change, ChangeBus};
pub use change_text::{ChangeText, NodeId};
pub use clock::{Clock, SystemClock};
pub use commit::CommitListener;
pub use error::StorageError;
pub use event::{EventQuery, EventRepository, EventWriteError};
pub use export::{CatalogPosition, CatalogRow, ExportBound, ExportRepository, StoredTenant, TenantCounters};
pub use feed::{FeedRepository, FeedWriteError};
pub use feed_run::{
    ClaimError, ClaimOutcome, ClaimedRun, ConfirmError, FeedRunRepository, RequestError, RequestedRun,
    RunClaim, RunEnd, RunKey, ScheduleSlot, StagedBatch,
};
pub use feed_source::{
    FeedItem, FeedRequest, FeedSink, FeedSource, FetchCost, FetchEnd, FetchError, SinkClosed, Validators,
};
pub use health::HealthProbe;
pub use import::{ImportRepository, ImportRows, ImportStart, MOVE_MARKER};
pub use job_queue::{Delivery, DeliveryTag, Job, JobQueue, QueueError};
pub use key_value::{EntryQuery, KeyValueRepository, KeyValueWriteError, ListedEntry, NewValue, PutOutcome};
pub use near_cache::{IsChanged, LoadTicket, NearCache};
pub use plan::{PlanRepository, SearchablePlans};
pub use setting::SettingRepository;
pub use shared_cache::{
    CacheError, FillLease, Replacement, SharedCache, SharedCacheListener, SharedLookup, SharedValue,
};
pub use tenant::{PastTenantOutcome, RETIRED_NUMBER, TenantRepository, TenantUpdate, TenantWriteError};
pub use timer::Timer;

#[cfg(feature = "mocks")]
pub use {
    access_key::MockAccessKeyRepository,
    change_bus::{MockBusListener, MockChangeBus},
    clock::MockClock,
    commit::MockCommitListener,
    event::MockEventRepository,
    export::MockExportRepository,
    feed::MockFeedRepository,
    feed_run::MockFeedRunRepository,
    feed_source::{MockFeedSink, MockFeedSource},
    health::MockHealthProbe,
    import::MockImportRepository,
    job_queue::MockJobQueue,
    key_value::MockKeyValueRepository,
    near_cache::MockNearCache,
    plan::MockPlanRepository,
    setting::MockSettingRepository,
    shared_cache::{MockSharedCache, MockSharedCacheListener},
    tenant::MockTenantRepository,
    timer::MockTimer,
};
