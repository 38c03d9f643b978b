//! Which order is next, and what it comes to when storage is slow or away.

use super::*;

#[test]
fn a_comparison_is_no_search_however_long_it_takes() {
    let timer = Arc::new(OnceLock::<Arc<HandTimer>>::new());
    let slow = Arc::clone(&timer);
    let mut storage = MockPlanRepository::new();
    storage.expect_searchable().times(3).returning(|_| Ok(catalog(1, vec![])));
    storage.expect_revision().times(2).returning(move |_| {
        slow.get().unwrap().0.fetch_add(1500, Ordering::Relaxed);
        Ok(revision(1))
    });
    let world = World::new(storage, ShelfLimits { max_bytes: 1500, recheck: Some(Duration::from_secs(1)) });
    assert!(timer.set(world.timer.clone()).is_ok());
    world.snapshot(1);
    world.snapshot(2);
    world.timer.0.fetch_add(1000, Ordering::Relaxed);
    for tenant in [2, 1, 2] {
        world.timer.0.fetch_add(1, Ordering::Relaxed);
        assert!(world.service.held(number(tenant)).is_some());
    }
    world.build();
    world.build();
    world.snapshot(3);
    assert!(world.shelf.confirm(number(1), revision(1)).is_none(), "it was searched least lately");
    assert!(world.shelf.confirm(number(2), revision(1)).is_some());
}

#[test]
fn whoever_waits_goes_ahead_but_at_every_other_time_only() {
    let world = World::new(answering((1..=6).map(|_| catalog(1, vec![])).collect()), ALONE);
    for tenant in 1..=6 {
        world.snapshot(tenant);
    }
    for tenant in 1..=6 {
        world.shelf.outdate(number(tenant), revision(2));
    }
    let _waiting = [4, 6].map(|tenant| world.shelf.order_and_wait(number(tenant)));
    let order: Vec<_> = std::iter::from_fn(|| world.shelf.next_order()).map(|order| order.tenant).collect();
    assert_eq!(order, [4, 1, 6, 2, 3, 5].map(number));
}

#[test]
fn while_storage_is_away_all_who_wait_learn_of_it_from_the_first_that_was_refused() {
    let mut storage = MockPlanRepository::new();
    storage.expect_searchable().once().returning(|_| Err(down()));
    let world = World::new(storage, ALONE);
    let mut waiting: Vec<_> =
        (1..=3).map(|tenant| Box::pin(world.service.snapshot(number(tenant)))).collect();
    assert!(waiting.iter_mut().all(|wait| wait.as_mut().now_or_never().is_none()));
    world.build();
    for wait in waiting {
        assert_eq!(wait.now_or_never().unwrap().unwrap_err(), down());
    }
}

#[test]
fn a_catalog_that_cannot_be_read_keeps_nobody_elses_from_being_made() {
    let mut storage = MockPlanRepository::new();
    storage.expect_searchable().times(2).returning(|tenant| match tenant.get() {
        1 => Err(StorageError::Failed("damaged".to_owned())),
        _ => Ok(catalog(1, vec![])),
    });
    let world = World::new(storage, ALONE);
    let mut waiting = [1, 2].map(|tenant| Box::pin(world.service.snapshot(number(tenant))));
    assert!(waiting.iter_mut().all(|wait| wait.as_mut().now_or_never().is_none()));
    world.build();
    let [first, second] = waiting.map(|wait| wait.now_or_never().unwrap());
    assert!(matches!(first, Err(StorageError::Failed(_))) && second.is_ok());
}
