//! What a case is given, and how it is run.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tenantry_domain::{
    Entry, Event, JsonObject, NewEvent, NewTenant, Order, PageLimit, Precondition, Revision, Stored, Tenant,
    TenantName, TenantNumber, TenantStatus, Timestamp,
};
use tenantry_ports::{
    AccessKeyRepository, Clock, CommitListener, EntryQuery, EventQuery, EventRepository, ExportRepository,
    FeedRepository, FeedRunRepository, HealthProbe, ImportRepository, KeyValueRepository, ListedEntry,
    NewValue, PlanRepository, PutOutcome, SettingRepository, TenantRepository, TenantUpdate,
};

use crate::recorded_commits::RecordedCommits;
use crate::samples;
use crate::test_clock::TestClock;

/// How long a case may take, on a slow machine with many others beside it.
const CASE_DEADLINE: Duration = Duration::from_secs(180);

/// What the suite needs of an adapter under test: the ports, over one fresh, empty storage.
pub struct Storage {
    /// The tenants.
    pub tenants: Arc<dyn TenantRepository>,
    /// The access keys.
    pub access_keys: Arc<dyn AccessKeyRepository>,
    /// The events.
    pub events: Arc<dyn EventRepository>,
    /// The key-values.
    pub key_values: Arc<dyn KeyValueRepository>,
    /// The feeds.
    pub feeds: Arc<dyn FeedRepository>,
    /// Their runs.
    pub feed_runs: Arc<dyn FeedRunRepository>,
    /// The plans that they have brought.
    pub plans: Arc<dyn PlanRepository>,
    /// The settings.
    pub settings: Arc<dyn SettingRepository>,
    /// All of it, to be read.
    pub exports: Arc<dyn ExportRepository>,
    /// All of it, to be written.
    pub imports: Arc<dyn ImportRepository>,
    /// Whether the storage works.
    pub health: Arc<dyn HealthProbe>,
    /// Whatever must live as long as the storage, such as its temporary folder; dropped after the ports.
    pub keep_alive: Box<dyn Any + Send>,
}

/// What a case is given: the ports of a fresh storage, its clock, and what its listener heard.
#[derive(Clone)]
pub struct Fixture {
    /// The tenants.
    pub tenants: Arc<dyn TenantRepository>,
    /// The access keys.
    pub access_keys: Arc<dyn AccessKeyRepository>,
    /// The events.
    pub events: Arc<dyn EventRepository>,
    /// The key-values.
    pub key_values: Arc<dyn KeyValueRepository>,
    /// The feeds.
    pub feeds: Arc<dyn FeedRepository>,
    /// Their runs.
    pub feed_runs: Arc<dyn FeedRunRepository>,
    /// The plans that they have brought.
    pub plans: Arc<dyn PlanRepository>,
    /// The settings.
    pub settings: Arc<dyn SettingRepository>,
    /// All of it, to be read.
    pub exports: Arc<dyn ExportRepository>,
    /// All of it, to be written.
    pub imports: Arc<dyn ImportRepository>,
    /// Whether the storage works.
    pub health: Arc<dyn HealthProbe>,
    /// The storage's clock.
    pub clock: Arc<TestClock>,
    /// The storage's listener.
    pub commits: Arc<RecordedCommits>,
}

/// Runs one case on a storage of its own, in a runtime of two threads.
///
/// # Panics
/// When the storage breaks the promise that the case is about, or takes longer than three minutes.
pub fn run(
    fresh: impl AsyncFnOnce(Arc<dyn Clock>, Arc<dyn CommitListener>) -> Storage,
    case: impl AsyncFnOnce(&Fixture),
) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let case = async {
        let clock = Arc::new(TestClock::default());
        let commits = Arc::new(RecordedCommits::default());
        let storage = fresh(clock.clone(), commits.clone()).await;
        let fixture = Fixture {
            tenants: storage.tenants,
            access_keys: storage.access_keys,
            events: storage.events,
            key_values: storage.key_values,
            feeds: storage.feeds,
            feed_runs: storage.feed_runs,
            plans: storage.plans,
            settings: storage.settings,
            exports: storage.exports,
            imports: storage.imports,
            health: storage.health,
            clock,
            commits,
        };
        case(&fixture).await;
        drop(fixture);
        drop(storage.keep_alive);
    };
    runtime.expect("a runtime starts").block_on(async {
        tokio::time::timeout(CASE_DEADLINE, case).await.expect("the case ends in time");
    });
}

/// Short forms of what most cases do on the way to what they are about; each must succeed.
impl Fixture {
    /// The time of the storage's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The number of a new tenant.
    pub(crate) async fn tenant(&self) -> TenantNumber {
        self.tenant_named("tenant").await.number
    }

    /// The numbers of two new tenants.
    pub(crate) async fn two_tenants(&self) -> (TenantNumber, TenantNumber) {
        (self.tenant().await, self.tenant().await)
    }

    /// A new tenant of that name.
    pub(crate) async fn tenant_named(&self, name: &str) -> Tenant {
        let name = TenantName::new(name).expect("a tenant's name");
        self.tenants.create(NewTenant { name, info: JsonObject::empty() }).await.expect("created")
    }

    /// The tenant as it stands.
    pub(crate) async fn tenant_now(&self, tenant: TenantNumber) -> Tenant {
        self.tenants.find(tenant).await.expect("found").expect("the tenant is there")
    }

    /// Gives the tenant another status and leaves the rest as it is.
    pub(crate) async fn set_status(&self, tenant: TenantNumber, status: TenantStatus) -> Tenant {
        let Tenant { name, info, version, .. } = self.tenant_now(tenant).await;
        let update = TenantUpdate { name, info, status };
        self.tenants.update(tenant, version, update).await.expect("updated")
    }

    /// Deletes the tenant and erases all that it has.
    pub(crate) async fn delete_and_erase(&self, tenant: TenantNumber) {
        self.set_status(tenant, TenantStatus::Deleting).await;
        for _ in 0..1000 {
            if self.tenants.erase_some(tenant, 1000).await.expect("erased") {
                return;
            }
        }
        panic!("the erasure has no end");
    }

    /// Stores one event that the tenant does not have.
    pub(crate) async fn append(&self, tenant: TenantNumber, event: NewEvent) -> Event {
        let mut stored = self.events.append(tenant, vec![event]).await.expect("appended");
        match (stored.pop(), stored.pop()) {
            (Some(Stored::New(event)), None) => event,
            other => panic!("one new event was appended, and {other:?} was answered"),
        }
    }

    /// The tenant's first 1000 events, oldest first.
    pub(crate) async fn all_events(&self, tenant: TenantNumber) -> Vec<Event> {
        let query = EventQuery { order: Order::Ascending, limit: PageLimit::MAX, ..EventQuery::default() };
        self.events.list(tenant, query).await.expect("listed").items
    }

    /// Puts a value whatever is there, as octets and for good.
    pub(crate) async fn put(
        &self,
        tenant: TenantNumber,
        key: &str,
        value: impl Into<Bytes> + Send,
    ) -> PutOutcome {
        self.put_new(tenant, key, samples::value(value)).await
    }

    /// Puts a value that lives so many seconds.
    pub(crate) async fn put_for(&self, tenant: TenantNumber, key: &str, seconds: u64) -> PutOutcome {
        self.put_new(tenant, key, samples::value_for("short-lived", seconds)).await
    }

    /// Puts a value whatever is there.
    pub(crate) async fn put_new(&self, tenant: TenantNumber, key: &str, value: NewValue) -> PutOutcome {
        let put = self.key_values.put(tenant, samples::key(key), value, Precondition::default());
        put.await.expect("put")
    }

    /// What stands under the key.
    pub(crate) async fn entry(&self, tenant: TenantNumber, key: &str) -> Option<Arc<Entry>> {
        self.key_values.find(tenant, samples::key(key)).await.expect("found")
    }

    /// The tenant's first 1000 entries by key.
    pub(crate) async fn all_entries(&self, tenant: TenantNumber) -> Vec<ListedEntry> {
        let query = EntryQuery {
            prefix: String::new(),
            after: None,
            limit: PageLimit::MAX,
            keys_only: false,
            max_value_bytes: u64::MAX,
        };
        self.key_values.list(tenant, query).await.expect("listed").items
    }

    /// The revision that the tenant's next write takes; it takes one to see it.
    pub(crate) async fn next_revision(&self, tenant: TenantNumber) -> Revision {
        self.put(tenant, "what revision comes next?", "").await.entry.meta.revision
    }
}
