mod orders;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use proptest::prelude::*;
use tenantry_domain::{PlanId, PlanTime, PlanTitle, SearchablePlan, Timestamp};
use tenantry_ports::{MockPlanRepository, SearchablePlans};
use uuid::Uuid;

use super::*;
use crate::samples::{down, number};

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

fn plan(id: u128, from: i64, to: i64) -> SearchablePlan {
    SearchablePlan {
        id: PlanId::new(Uuid::from_u128(id)),
        title: PlanTitle::new(&format!("plan {id}")).unwrap(),
        time: PlanTime::new(at(from), at(to)).unwrap(),
        prices: None,
    }
}

fn catalog(revision: u64, mut plans: Vec<SearchablePlan>) -> SearchablePlans {
    plans.sort_by_key(|plan| (plan.time.starts_at(), plan.id));
    SearchablePlans { revision: CatalogRevision::new(revision).unwrap(), plans }
}

fn print(plan: &SearchablePlan, to: &mut Vec<u8>) {
    to.extend_from_slice(plan.id.get().as_u128().to_string().as_bytes());
}

fn revision(number: u64) -> CatalogRevision {
    CatalogRevision::new(number).unwrap()
}

/// The ids that are found, page by page, as one text with a bar between pages.
fn found(snapshot: &SearchSnapshot, from: i64, to: i64, limit: usize) -> String {
    let mut query = SearchQuery { starts_at: at(from), ends_at: at(to), after: None, limit };
    let mut answer = Vec::new();
    loop {
        let end = snapshot.search(&query, &mut answer);
        let Some(position) = end.more_behind else { return String::from_utf8(answer).unwrap() };
        assert_eq!(end.found, limit);
        answer.push(b'|');
        query.after = Some(position);
    }
}

#[test]
fn only_what_starts_and_ends_within_is_found_both_moments_included() {
    let plans = vec![plan(1, 10, 20), plan(2, 9, 20), plan(3, 10, 21), plan(4, 15, 15), plan(5, 20, 20)];
    let snapshot = SearchSnapshot::build(catalog(1, plans), print);
    assert_eq!(found(&snapshot, 10, 20, 50), "1,4,5");
    assert_eq!(found(&snapshot, 11, 14, 50), "");
    assert_eq!(found(&snapshot, 20, 10, 50), "", "a span that ends before it begins holds nothing");
    assert_eq!(found(&snapshot, 0, 100, 2), "2,1|3,4|5");
}

#[test]
fn an_empty_catalog_finds_nothing() {
    let snapshot = SearchSnapshot::build(SearchablePlans::default(), print);
    assert_eq!(found(&snapshot, 0, 100, 1), "");
    assert!(snapshot.bytes() > 0);
}

proptest! {
    #[test]
    fn a_search_finds_what_looking_at_every_plan_finds(
        spans in proptest::collection::vec((0..200_i64, 0..40_i64), 0..400),
        from in 0..220_i64,
        lasts in 0..220_i64,
        limit in 1..50_usize,
    ) {
        let plans: Vec<_> =
            spans.iter().enumerate().map(|(id, (start, length))| plan(id as u128, *start, start + length)).collect();
        let catalog = catalog(1, plans);
        let within: Vec<String> = catalog.plans.iter()
            .filter(|plan| plan.time.starts_at() >= at(from) && plan.time.ends_at() <= at(from + lasts))
            .map(|plan| plan.id.get().as_u128().to_string())
            .collect();
        let expected = within.chunks(limit).map(|page| page.join(",")).collect::<Vec<_>>().join("|");
        let snapshot = SearchSnapshot::build(catalog, print);
        prop_assert_eq!(found(&snapshot, from, from + lasts, limit), expected);
    }
}

/// Time that moves when it is told to, or when somebody waits.
#[derive(Default)]
struct HandTimer(AtomicU64);

#[async_trait]
impl Timer for HandTimer {
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    async fn pause(&self, duration: Duration) {
        if duration == CATCH_UP_WITHIN {
            std::future::pending::<()>().await;
        }
        self.0.fetch_add(u64::try_from(duration.as_millis()).unwrap(), Ordering::Relaxed);
    }
}

/// A shelf with its builder, over what storage answers in turn.
struct World {
    shelf: Arc<SnapshotShelf>,
    service: SearchService,
    builder: SnapshotBuilder,
    timer: Arc<HandTimer>,
}

impl World {
    fn new(storage: MockPlanRepository, limits: ShelfLimits) -> Self {
        let timer = Arc::new(HandTimer::default());
        let shelf = Arc::new(SnapshotShelf::new(limits, timer.clone()));
        Self {
            service: SearchService::new(Arc::clone(&shelf), timer.clone()),
            builder: SnapshotBuilder::new(Arc::clone(&shelf), Arc::new(storage), print),
            shelf,
            timer,
        }
    }

    /// Lets the builder do all it can do without waiting.
    fn build(&self) {
        assert!(self.builder.run().now_or_never().is_none(), "it goes on waiting for orders");
    }

    fn snapshot(&self, tenant: i64) -> Arc<SearchSnapshot> {
        let mut wait = Box::pin(self.service.snapshot(number(tenant)));
        if let Some(held) = wait.as_mut().now_or_never() {
            return held.unwrap();
        }
        self.build();
        wait.now_or_never().expect("it was made").unwrap()
    }
}

const ALONE: ShelfLimits = ShelfLimits { max_bytes: 1 << 20, recheck: None };

/// Storage that answers these catalogs, one after another, to whoever reads one.
fn answering(catalogs: Vec<SearchablePlans>) -> MockPlanRepository {
    let mut storage = MockPlanRepository::new();
    storage.expect_revision().returning(|_| Ok(revision(1)));
    let catalogs = Mutex::new(catalogs.into_iter());
    storage
        .expect_searchable()
        .returning(move |_| Ok(catalogs.lock().unwrap().next().expect("read too often")));
    storage
}

#[test]
fn storage_is_read_once_for_all_who_wait_and_all_who_come_later() {
    let world = World::new(answering(vec![catalog(1, vec![plan(1, 0, 1)])]), ALONE);
    let mut waiting: Vec<_> = (0..10).map(|_| Box::pin(world.service.snapshot(number(7)))).collect();
    assert!(waiting.iter_mut().all(|wait| wait.as_mut().now_or_never().is_none()));
    world.build();
    for wait in waiting {
        assert_eq!(wait.now_or_never().unwrap().unwrap().plans(), 1);
    }
    assert_eq!(world.snapshot(7).revision(), revision(1));
}

#[test]
fn the_old_snapshot_is_given_out_until_the_new_one_is_whole() {
    let world = World::new(answering(vec![catalog(1, vec![]), catalog(2, vec![plan(1, 0, 1)])]), ALONE);
    world.snapshot(7);
    world.shelf.outdate(number(7), revision(2));
    assert_eq!(world.service.held(number(7)).unwrap().revision(), revision(1));
    world.build();
    assert_eq!(world.service.held(number(7)).unwrap().revision(), revision(2));
}

#[test]
fn what_is_known_already_orders_nothing() {
    let world = World::new(answering(vec![catalog(3, vec![])]), ALONE);
    world.snapshot(7);
    for older in [1, 2, 3] {
        world.shelf.outdate(number(7), revision(older));
    }
    world.shelf.outdate(number(8), revision(1));
    world.build();
}

#[test]
fn whoever_waits_for_a_revision_finds_it() {
    let world = World::new(answering(vec![catalog(1, vec![]), catalog(2, vec![])]), ALONE);
    world.snapshot(7);
    let mut wait = Box::pin(world.service.catch_up(number(7), revision(2)));
    assert!(wait.as_mut().now_or_never().is_none());
    world.build();
    assert!(wait.now_or_never().is_some());
    assert_eq!(world.service.held(number(7)).unwrap().revision(), revision(2));
    assert!(world.service.catch_up(number(7), revision(2)).now_or_never().is_some());
    assert!(world.service.catch_up(number(8), revision(9)).now_or_never().is_some(), "nobody searches there");
}

#[test]
fn storage_that_fails_is_told_to_who_has_nothing_and_tried_again_for_who_has() {
    let mut storage = MockPlanRepository::new();
    let answers = Mutex::new(vec![Ok(catalog(1, vec![])), Err(down()), Ok(catalog(2, vec![]))].into_iter());
    storage.expect_searchable().returning(move |_| answers.lock().unwrap().next().unwrap());
    let world = World::new(storage, ALONE);
    world.snapshot(7);
    world.shelf.outdate(number(7), revision(2));
    world.build();
    assert_eq!(world.service.held(number(7)).unwrap().revision(), revision(2));

    let mut storage = MockPlanRepository::new();
    storage.expect_searchable().returning(|_| Err(down()));
    let world = World::new(storage, ALONE);
    let mut wait = Box::pin(world.service.snapshot(number(7)));
    assert!(wait.as_mut().now_or_never().is_none());
    world.build();
    assert_eq!(wait.now_or_never().unwrap().unwrap_err(), down());
}

#[test]
fn the_least_recently_searched_leave_when_there_is_no_room() {
    let storage = answering((0..4).map(|_| catalog(1, vec![])).collect());
    let world = World::new(storage, ShelfLimits { max_bytes: 1500, recheck: None });
    for tenant in [1, 2] {
        world.timer.0.fetch_add(1, Ordering::Relaxed);
        world.snapshot(tenant);
    }
    world.timer.0.fetch_add(1, Ordering::Relaxed);
    world.snapshot(1);
    world.timer.0.fetch_add(1, Ordering::Relaxed);
    world.snapshot(3);
    assert!(world.service.held(number(2)).is_none());
    assert!(world.service.held(number(1)).is_some() && world.service.held(number(3)).is_some());
}

#[test]
fn a_snapshot_that_is_larger_than_all_room_is_kept_alone() {
    let storage = answering(vec![catalog(1, vec![]), catalog(1, vec![plan(1, 0, 1)])]);
    let world = World::new(storage, ShelfLimits { max_bytes: 1, recheck: None });
    world.snapshot(1);
    world.snapshot(2);
    assert!(world.service.held(number(1)).is_none() && world.service.held(number(2)).is_some());
}

#[test]
fn among_nodes_a_snapshot_that_is_used_is_compared_with_storage_now_and_then() {
    let mut storage = MockPlanRepository::new();
    let catalogs = Mutex::new(vec![catalog(1, vec![]), catalog(2, vec![])].into_iter());
    storage.expect_searchable().times(2).returning(move |_| Ok(catalogs.lock().unwrap().next().unwrap()));
    let stands = Arc::new(AtomicU64::new(1));
    let stands_now = Arc::clone(&stands);
    storage.expect_revision().times(2).returning(move |_| Ok(revision(stands_now.load(Ordering::Relaxed))));
    let world =
        World::new(storage, ShelfLimits { max_bytes: 1 << 20, recheck: Some(Duration::from_secs(1)) });
    world.snapshot(7);
    assert!(world.service.held(number(7)).is_some());
    world.build();
    for stood in [1, 2] {
        stands.store(stood, Ordering::Relaxed);
        world.timer.0.fetch_add(1000, Ordering::Relaxed);
        for _ in 0..3 {
            assert!(world.service.held(number(7)).is_some());
        }
        world.build();
        assert_eq!(world.service.held(number(7)).unwrap().revision(), revision(stood));
    }
}

#[test]
fn where_anything_may_have_changed_snapshots_are_compared_and_where_a_tenant_has_it_is_forgotten() {
    let world = World::new(answering(vec![catalog(1, vec![]), catalog(1, vec![])]), ALONE);
    world.snapshot(7);
    world.shelf.doubt_all();
    world.build();
    world.shelf.forget(number(7));
    assert!(world.service.held(number(7)).is_none());
    world.snapshot(7);
}

/// Storage that has this catalog when it is first read, and while it is read has something done to the shelf; then the
/// other.
fn disturbed(
    first: SearchablePlans,
    then: SearchablePlans,
    disturb: fn(&SnapshotShelf, TenantNumber),
) -> World {
    let shelf = Arc::new(OnceLock::<Arc<SnapshotShelf>>::new());
    let (mut storage, disturbed) = (MockPlanRepository::new(), Arc::clone(&shelf));
    let first = Mutex::new(Some(first));
    storage.expect_searchable().times(1..=2).returning(move |tenant| {
        let first = first.lock().unwrap().take();
        if first.is_some() {
            disturb(disturbed.get().unwrap(), tenant);
        }
        Ok(first.unwrap_or_else(|| then.clone()))
    });
    storage.expect_revision().returning(|_| Ok(revision(4)));
    let world = World::new(storage, ALONE);
    assert!(shelf.set(Arc::clone(&world.shelf)).is_ok());
    world
}

#[test]
fn a_change_while_the_first_snapshot_is_in_the_making_is_found_afterwards() {
    let (first, then) = (catalog(3, vec![plan(1, 0, 1)]), catalog(4, vec![plan(1, 0, 1), plan(2, 0, 1)]));
    let world = disturbed(first, then, |shelf, tenant| shelf.outdate(tenant, revision(4)));
    world.snapshot(7);
    world.build();
    assert_eq!(world.service.held(number(7)).unwrap().revision(), revision(4));
}

#[test]
fn what_was_read_of_a_tenant_that_was_forgotten_meanwhile_is_answered_and_not_kept() {
    let (first, then) = (catalog(3, vec![plan(1, 0, 1)]), catalog(4, vec![]));
    let world = disturbed(first, then, SnapshotShelf::forget);
    assert_eq!(world.snapshot(7).plans(), 1);
    assert!(world.service.held(number(7)).is_none());
    assert_eq!(world.snapshot(7).plans(), 0, "what is read afterwards is kept");
    assert!(world.service.held(number(7)).is_some());
}

#[test]
fn an_order_for_a_tenant_that_was_forgotten_and_that_nobody_waits_for_reads_nothing() {
    let world = World::new(answering(vec![catalog(1, vec![])]), ALONE);
    world.snapshot(7);
    world.shelf.doubt_all();
    world.shelf.forget(number(7));
    world.build();
    assert!(world.service.held(number(7)).is_none());
}

#[test]
fn at_the_end_nobody_is_left_waiting() {
    let world = World::new(MockPlanRepository::new(), ALONE);
    let mut wait = Box::pin(world.service.snapshot(number(7)));
    assert!(wait.as_mut().now_or_never().is_none());
    world.shelf.finish();
    assert!(matches!(wait.now_or_never(), Some(Err(StorageError::Unavailable(_)))));
    assert!(world.builder.run().now_or_never().is_some());
    assert!(matches!(world.service.snapshot(number(7)).now_or_never(), Some(Err(_))));
}
