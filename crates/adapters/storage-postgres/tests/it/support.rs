//! A schema for each test, and what tests do with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tenantry_domain::{
    AccessKey, AccessKeyName, CatalogRevision, ContentType, Entry, EventDraft, FeedDraft, FeedId,
    FeedSettings, Key, KeyHash, KeyId, KeyOwner, NewEvent, NewTenant, PlanContent, PlanKey, PlanRecord,
    PlanTime, PlanTitle, Precondition, ProviderId, RecordPlace, RejectCode, RejectReason, RejectedRecord,
    Revision, RunCounts, RunId, RunTrigger, Scope, SellMode, TenantDraft, TenantNumber, Timestamp, ZoneList,
};
use tenantry_ports::{
    AccessKeyRepository, ClaimOutcome, Clock, CommitListener, EventRepository, FeedRepository,
    FeedRunRepository, JobQueue, KeyValueRepository, NewValue, RunEnd, RunKey, StagedBatch, SystemClock,
    TenantRepository, Validators,
};
use tenantry_storage_postgres::{OpenError, PostgresOptions, PostgresStorage, PostgresUrl};
use uuid::Uuid;

/// The PostgreSQL of the tests, as a role that may make roles and schemas.
pub(crate) fn server() -> String {
    std::env::var("TENANTRY_TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!("run `cargo xtask test`, which starts a PostgreSQL, or set TENANTRY_TEST_POSTGRES_URL")
    })
}

/// A plain connection to it.
pub(crate) fn connection() -> PgConnection {
    PgConnection::establish(&server()).unwrap()
}

/// A schema of a test's own, dropped with it. Its name holds the run: no two runs share one.
pub(crate) struct Schema {
    pub(crate) name: String,
    server: String,
}

impl Schema {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        static RUN: std::sync::OnceLock<String> = std::sync::OnceLock::new();
        let run = RUN.get_or_init(|| Uuid::now_v7().simple().to_string());
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self { name: format!("test_{run}_{number}"), server: server() }
    }

    /// How it is opened, as the tests' own role. Waits are long: machines that test are busy.
    pub(crate) fn options(&self) -> PostgresOptions {
        let mut options = PostgresOptions::new(PostgresUrl::parse(&server()).unwrap());
        options.schema = self.name.clone();
        options.allow_bypassing_role = true;
        options.readers = 2;
        options.read_wait = Duration::from_secs(30);
        options.answer_wait = Duration::from_secs(30);
        options
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let drop =
            format!("SET client_min_messages = warning; DROP SCHEMA IF EXISTS \"{}\" CASCADE", self.name);
        let dropped =
            PgConnection::establish(&self.server).map(|mut connection| connection.batch_execute(&drop));
        if !matches!(dropped, Ok(Ok(()))) {
            eprintln!("the schema {} is left behind", self.name);
        }
    }
}

/// Hears nothing.
struct Nobody;

impl CommitListener for Nobody {
    fn key_value_changed(&self, _: TenantNumber, _: &Key, _: Revision, _: Option<Arc<Entry>>) {}
    fn key_value_in_doubt(&self, _: TenantNumber, _: &Key) {}
    fn access_key_changed(&self, _: KeyId) {}
    fn tenant_changed(&self, _: TenantNumber) {}
    fn catalog_changed(&self, _: TenantNumber, _: CatalogRevision) {}
}

/// Opens it with the system's clock, and nobody listening.
pub(crate) fn opened(options: PostgresOptions) -> Result<PostgresStorage, OpenError> {
    opened_by(options, Arc::new(SystemClock))
}

/// Opens it with that clock, and nobody listening.
pub(crate) fn opened_by(
    options: PostgresOptions,
    clock: Arc<dyn Clock>,
) -> Result<PostgresStorage, OpenError> {
    PostgresStorage::open(options, clock, Arc::new(Nobody))
}

/// Opens the schema as the tests' own role.
pub(crate) fn open(schema: &Schema) -> Result<PostgresStorage, OpenError> {
    opened(schema.options())
}

/// The tests' server, for another user.
pub(crate) fn url_for(login: &str) -> String {
    let server = server();
    let (scheme, rest) = server.split_once("://").unwrap();
    let behind = rest.split_once('@').map_or(rest, |(_, behind)| behind);
    format!("{scheme}://{login}:for%20tests@{behind}")
}

/// A new tenant's number.
pub(crate) async fn tenant(storage: &PostgresStorage) -> TenantNumber {
    let draft = TenantDraft { name: Some("tenant".to_owned()), tenant_info: None };
    TenantRepository::create(storage, NewTenant::parse(draft).unwrap()).await.unwrap().number
}

/// An event with an id of its own.
pub(crate) fn event(message: &str, data: &str) -> NewEvent {
    let text = |text: &str| Some(text.to_owned());
    let data: Box<serde_json::value::RawValue> = serde_json::from_str(data).unwrap();
    let draft = EventDraft {
        component: text("component"),
        environment: text("test"),
        message: text(message),
        data: Some(&data),
        ..EventDraft::default()
    };
    NewEvent::parse(draft, Uuid::now_v7).unwrap()
}

pub(crate) fn key(text: &str) -> Key {
    Key::new(text.as_bytes()).unwrap()
}

pub(crate) fn value(text: &str) -> NewValue {
    NewValue { bytes: text.to_owned().into(), content_type: ContentType::plain_text(), ttl: None }
}

/// Something in each table.
pub(crate) async fn fill(storage: &PostgresStorage, tenant: TenantNumber, whose: &str) {
    let event = event("an event", &format!("{{\"whose\": \"{whose}\"}}"));
    storage.append(tenant, vec![event]).await.unwrap();
    storage.put(tenant, key("key"), value(whose), Precondition::default()).await.unwrap();
    let id = format!("{:0>12}", format!("{}{tenant}", whose.len()));
    let access_key = AccessKey {
        id: KeyId::parse(&id).unwrap(),
        owner: KeyOwner::Tenant(tenant),
        name: AccessKeyName::from_stored(whose.to_owned()),
        scopes: [Scope::EventsRead].into_iter().collect(),
        hash: KeyHash::from_stored([7; 32]),
        created_at: Timestamp::from_micros(0),
        expires_at: None,
        last_used_at: None,
    };
    storage.insert(tenant, access_key).await.unwrap();
    let queue = storage.job_queue(Duration::from_secs(60));
    queue.publish(tenantry_queue_contract::job(tenant)).await.unwrap();
    fill_catalog(storage, tenant, whose).await;
}

/// A new feed.
pub(crate) async fn feed(storage: &PostgresStorage, tenant: TenantNumber, name: &str) -> FeedId {
    let feed = FeedId::new(Uuid::from_u128(7));
    let draft = FeedDraft {
        name: Some(name.to_owned()),
        url: Some("https://provider.example/".to_owned()),
        ..FeedDraft::default()
    };
    let settings = FeedSettings::parse(draft).unwrap();
    FeedRepository::create(storage, tenant, feed, settings, 9).await.unwrap().id
}

/// A feed with a plan and a reject, and a run that is held.
async fn fill_catalog(storage: &PostgresStorage, tenant: TenantNumber, whose: &str) {
    let feed = feed(storage, tenant, whose).await;
    let text = |text: &str| ProviderId::new(text).unwrap();
    let record = |plan: &str| PlanRecord {
        key: PlanKey { base_plan_id: text("1"), plan_id: text(plan) },
        content: PlanContent {
            title: PlanTitle::new(whose).unwrap(),
            sell_mode: SellMode::Online,
            organizer_company_id: None,
            time: PlanTime::new(Timestamp::from_micros(0), Timestamp::from_micros(1)).unwrap(),
            sell_from: None,
            sell_to: None,
            sold_out: false,
            prices: None,
            zones: ZoneList::of(&[]),
        },
    };
    let reject = RejectedRecord {
        place: RecordPlace::default(),
        reason: RejectReason::new(RejectCode::Price, "no price"),
        raw: format!("<plan of=\"{whose}\"/>"),
    };
    for (run, plan, max_leaving_permille) in [(1, "1", 1000), (2, "2", 0)] {
        let run = RunId::new(Uuid::from_u128(run));
        storage.request(tenant, feed, run, RunTrigger::Request, Precondition::default()).await.unwrap();
        let (now, key) = (Timestamp::from_micros(0), RunKey { tenant, feed, run });
        let claimed = storage.claim(key, Duration::from_secs(60)).await.unwrap();
        let ClaimOutcome::Claimed(claimed) = claimed else { panic!("the run is queued: {claimed:?}") };
        let batch = StagedBatch {
            records: vec![record(plan)],
            rejects: vec![reject.clone()],
            ..StagedBatch::default()
        };
        storage.stage(&claimed.claim, batch).await.unwrap();
        let end = RunEnd::Whole { validators: Validators::default(), max_leaving_permille };
        storage.finish(&claimed.claim, now, end, RunCounts::default(), 9).await.unwrap();
    }
}
