//! What the unit tests are made of.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt as _;
use tenantry_domain::{
    AccessKey, AccessKeyName, ContentType, Entry, EntryMeta, Feed, FeedDraft, FeedId, FeedRun, FeedSettings,
    JsonObject, Key, KeyId, KeyKind, KeyOwner, Revision, RunCounts, RunId, RunState, RunTrigger, Scope,
    SecretKey, Tenant, TenantName, TenantNumber, TenantRef, TenantStatus, Timestamp,
};
use tenantry_ports::{
    AccessGrant, ChangeBus, IsChanged, LoadTicket, MockClock, MockNearCache, RunKey, SharedCache,
    StorageError, Timer,
};
use uuid::Uuid;

use crate::access_key::CachedGrant;
use crate::propagation::{Propagation, PropagationLimits};
use crate::search::{ShelfLimits, SnapshotShelf};

pub(crate) fn number(number: i64) -> TenantNumber {
    TenantNumber::new(number).unwrap()
}

pub(crate) fn tenant_ref(text: &str) -> TenantRef {
    TenantRef::parse(text).unwrap()
}

/// Tenant 7, named `acme`, of version 3.
pub(crate) fn acme(status: TenantStatus) -> Tenant {
    Tenant {
        number: number(7),
        name: TenantName::new("acme").unwrap(),
        status,
        info: JsonObject::parse(r#"{"plan":"gold","seats":5}"#).unwrap(),
        version: 3,
        created_at: time(1),
        updated_at: time(2),
        erasure: None,
    }
}

pub(crate) fn feed_id() -> FeedId {
    FeedId::new(Uuid::from_u128(1))
}

/// Fetched each hour from a provider whose times are in UTC.
pub(crate) fn feed_settings() -> FeedSettings {
    let draft = FeedDraft {
        name: Some("Provider".to_owned()),
        url: Some("https://provider.example/api/events".to_owned()),
        ..FeedDraft::default()
    };
    FeedSettings::parse(draft).unwrap()
}

/// A feed of version 3.
pub(crate) fn feed() -> Feed {
    Feed {
        id: feed_id(),
        settings: feed_settings(),
        version: 3,
        created_at: time(1),
        updated_at: time(2),
        next_run_at: Some(time(50)),
        last_success_at: None,
    }
}

/// A run of tenant 7's feed.
pub(crate) fn run_key(run: u128) -> RunKey {
    RunKey { tenant: number(7), feed: feed_id(), run: RunId::new(Uuid::from_u128(run)) }
}

/// A run of it that is queued.
pub(crate) fn feed_run() -> FeedRun {
    FeedRun {
        id: RunId::new(Uuid::from_u128(2)),
        feed: feed_id(),
        trigger: RunTrigger::Schedule,
        state: RunState::Queued,
        queued_at: time(50),
        started_at: None,
        finished_at: None,
        counts: RunCounts::default(),
        detail: None,
        catalog_revision: None,
    }
}

/// So many seconds after 1970 began.
pub(crate) fn time(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

/// A clock that stands still.
pub(crate) fn clock_at(now: Timestamp) -> Arc<MockClock> {
    let mut clock = MockClock::new();
    clock.expect_now().return_const(now);
    Arc::new(clock)
}

/// A cache that never knows anything.
pub(crate) fn forgetful<K, V>() -> Arc<MockNearCache<K, V>>
where
    K: Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    let mut cache = MockNearCache::new();
    cache.expect_get().returning(|_| None);
    cache.expect_ticket().return_const(LoadTicket(1));
    cache.expect_last_known().returning(|_| None);
    cache.expect_fill().return_const(());
    Arc::new(cache)
}

/// A cache that knows this of every key.
pub(crate) fn knowing<K, V>(value: V) -> Arc<MockNearCache<K, V>>
where
    K: Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    let mut cache = MockNearCache::new();
    cache.expect_get().returning(move |_| Some(value.clone()));
    Arc::new(cache)
}

/// A shelf of snapshots that holds none.
pub(crate) fn shelf() -> Arc<SnapshotShelf> {
    let limits = ShelfLimits { max_bytes: 1 << 20, recheck: None };
    Arc::new(SnapshotShelf::new(limits, Arc::new(Standstill)))
}

pub(crate) fn down() -> StorageError {
    StorageError::Unavailable("down".to_owned())
}

pub(crate) fn secret(kind: KeyKind) -> SecretKey {
    SecretKey::from_entropy(kind, [7; 16], [9; 32])
}

/// The key that is stored of a secret: it may read key-values, was never used and never expires.
pub(crate) fn access_key(secret: &SecretKey, owner: KeyOwner) -> AccessKey {
    let presented = secret.presented().unwrap();
    AccessKey {
        id: presented.id,
        owner,
        name: AccessKeyName::from_stored("ci".to_owned()),
        scopes: [Scope::KvRead].into_iter().collect(),
        hash: presented.hash,
        created_at: time(1),
        expires_at: None,
        last_used_at: None,
    }
}

/// Whether it is said of grants of tenant 7, and of no others.
pub(crate) fn is_of_tenant_7_alone(is_changed: &IsChanged<'_, KeyId, CachedGrant>) -> bool {
    let is_said_of = |owner: Option<KeyOwner>| {
        let key = owner.map(|owner| access_key(&secret(KeyKind::Tenant), owner));
        let grant = key.map(|key| AccessGrant { key, tenant_status: Some(TenantStatus::Active) });
        is_changed(&KeyId::parse("0123456789ab").unwrap(), &CachedGrant::from(grant))
    };
    let others = [None, Some(KeyOwner::Admin), Some(KeyOwner::Tenant(number(8)))];
    is_said_of(Some(KeyOwner::Tenant(number(7)))) && !others.into_iter().any(is_said_of)
}

pub(crate) fn key(text: &str) -> Key {
    Key::new(text.as_bytes()).unwrap()
}

pub(crate) fn revision(number: u64) -> Revision {
    Revision::new(number).unwrap()
}

/// The entry `k`, with the bytes `value`.
pub(crate) fn entry(at: u64, expires_at: Option<Timestamp>) -> Arc<Entry> {
    let meta = EntryMeta {
        key: key("k"),
        content_type: ContentType::plain_text(),
        size: 5,
        version: 1,
        revision: revision(at),
        created_at: time(1),
        updated_at: time(2),
        expires_at,
    };
    Arc::new(Entry { meta, value: Bytes::from_static(b"value") })
}

/// Time that stands still, in which pauses never end.
pub(crate) struct Standstill;

#[async_trait]
impl Timer for Standstill {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    async fn pause(&self, _: Duration) {
        std::future::pending::<()>().await;
    }
}

/// Time in which every pause is over at once. It remembers how long each was to be.
#[derive(Default)]
pub(crate) struct Haste(pub(crate) Mutex<Vec<Duration>>);

#[async_trait]
impl Timer for Haste {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    async fn pause(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration);
    }
}

/// Changes of at most 3 keys and 20 bytes may wait.
pub(crate) const SMALL: PropagationLimits = PropagationLimits {
    max_changes: 3,
    max_bytes: 20,
    settle_within: Duration::from_millis(250),
    lifetime: Duration::from_secs(60),
};

/// A propagation that nobody runs yet, with [`SMALL`] limits.
pub(crate) fn propagation(
    shared: Option<Arc<dyn SharedCache>>,
    bus: Option<Arc<dyn ChangeBus>>,
    timer: impl Timer + 'static,
) -> Arc<Propagation> {
    Arc::new(Propagation::new(shared, bus, clock_at(time(100)), Arc::new(timer), &SMALL))
}

/// A read that stops half way until it is told to go on.
pub(crate) fn pause() -> (Pause, Paused) {
    let (enters, entered) = channel();
    let (release, released) = channel();
    (Pause { entered, release }, Paused { enters, released })
}

/// For the test: knows when the read has stopped, and lets it go on.
pub(crate) struct Pause {
    entered: Receiver<()>,
    release: Sender<()>,
}

/// For the mock: the place where the read stops.
pub(crate) struct Paused {
    enters: Sender<()>,
    released: Receiver<()>,
}

impl Paused {
    pub(crate) fn wait(&mut self) {
        self.enters.send(()).unwrap();
        // A test that has failed lets go of its end.
        let _ = self.released.recv();
    }
}

impl Pause {
    /// Asks a first time on another thread, where the read stops; asks a second time meanwhile; both must
    /// get the answer, of the one read.
    pub(crate) fn share<T, F>(self, ask: impl Fn() -> F + Sync, answer: &T)
    where
        T: Debug + PartialEq + Send,
        F: Future<Output = T>,
    {
        std::thread::scope(|threads| {
            let Self { entered, release } = self;
            let first = threads.spawn(|| ask().now_or_never());
            entered.recv().unwrap();
            let mut second = Box::pin(ask());
            assert_eq!((&mut second).now_or_never(), None, "the second waits for the first one's read");
            release.send(()).unwrap();
            assert_eq!(first.join().unwrap().as_ref(), Some(answer));
            assert_eq!(second.now_or_never().as_ref(), Some(answer));
        });
    }
}
