use std::sync::Mutex;

use mockall::predicate::eq;
use tenantry_ports::{MockNearCache, MockTimer};

use super::*;

const TICKET: LoadTicket = LoadTicket(4);

/// Ages of 10 s, at this many milliseconds, which the test may change.
fn ages() -> (Arc<Ages>, Arc<Mutex<u64>>) {
    let now = Arc::new(Mutex::new(1_000));
    let mut timer = MockTimer::new();
    let shared = Arc::clone(&now);
    timer.expect_elapsed().returning(move || Duration::from_millis(*shared.lock().unwrap()));
    (Arc::new(Ages::new(Arc::new(timer), Duration::from_secs(10))), now)
}

fn aged(since_ms: u64) -> Aged<&'static str> {
    Aged { value: "v", since_ms }
}

#[test]
fn what_is_kept_is_stamped_and_all_else_is_passed_on() {
    let (ages, _) = ages();
    let mut cache = MockNearCache::new();
    cache.expect_ticket().once().with(eq(7)).return_const(TICKET);
    cache.expect_last_known().once().with(eq(7)).return_const(None);
    cache.expect_forget().once().with(eq(7)).return_const(());
    cache.expect_fill().once().with(eq(7), eq(aged(1_000)), eq(TICKET)).return_const(());
    cache.expect_replace().once().with(eq(7), eq(aged(1_000))).return_const(());
    cache.expect_outdate().once().with(eq(7), eq(5)).return_const(());
    cache.expect_remove().once().with(eq(7)).return_const(());
    cache
        .expect_remove_where()
        .once()
        .withf(|is_changed| is_changed(&7, &aged(1)) && !is_changed(&8, &aged(1)))
        .return_const(());
    cache.expect_clear().once().return_const(());
    let cache = AgedCache::new(Arc::new(cache), ages);
    assert_eq!(cache.ticket(&7), TICKET);
    cache.fill(7, "v", TICKET);
    cache.replace(7, "v");
    cache.outdate(&7, 5);
    cache.forget(&7);
    cache.remove(&7);
    cache.remove_where(&|key, value| (*key, *value) == (7, "v"));
    cache.clear();
}

#[test]
fn what_is_read_anew_takes_the_place_of_what_is_too_old_and_of_that_alone() {
    let (ages, now) = ages();
    ages.bus_is_joined();
    let mut cache = MockNearCache::new();
    cache.expect_last_known().returning(|_| Some(aged(1_000)));
    cache.expect_forget().once().with(eq(7)).return_const(());
    cache.expect_fill().times(2).return_const(());
    let cache = AgedCache::new(Arc::new(cache), ages);
    cache.fill(7, "v", TICKET);
    *now.lock().unwrap() = 11_001;
    cache.fill(7, "v", TICKET);
}

#[test]
fn what_is_too_old_is_still_known_as_long_as_changes_are_heard_of() {
    let (ages, now) = ages();
    let mut cache = MockNearCache::new();
    cache.expect_last_known().returning(|_| Some(aged(1_000)));
    let cache = AgedCache::new(Arc::new(cache), Arc::clone(&ages));
    *now.lock().unwrap() = 100_000;
    assert_eq!(cache.last_known(&7), None, "not joined yet");
    ages.bus_is_joined();
    assert_eq!(cache.last_known(&7), Some("v"));
    ages.bus_is_lost();
    assert_eq!(cache.last_known(&7), None, "lost");
}

#[test]
fn a_value_is_believed_up_to_its_age_and_no_longer() {
    let (ages, now) = ages();
    ages.bus_is_joined();
    let mut cache = MockNearCache::new();
    cache.expect_get().returning(|_| Some(aged(1_000)));
    let cache = AgedCache::new(Arc::new(cache), ages);
    assert_eq!(cache.get(&7), Some("v"));
    *now.lock().unwrap() = 11_000;
    assert_eq!(cache.get(&7), Some("v"));
    *now.lock().unwrap() = 11_001;
    assert_eq!(cache.get(&7), None);
}

#[test]
fn while_the_bus_is_not_joined_a_value_is_believed_for_half_a_second() {
    let (ages, now) = ages();
    let mut cache = MockNearCache::new();
    cache.expect_get().returning(|_| Some(aged(1_000)));
    let cache = AgedCache::new(Arc::new(cache), Arc::clone(&ages));
    *now.lock().unwrap() = 1_500;
    assert_eq!(cache.get(&7), Some("v"));
    *now.lock().unwrap() = 1_501;
    assert_eq!(cache.get(&7), None, "not joined yet");
    ages.bus_is_joined();
    assert_eq!(cache.get(&7), Some("v"));
    ages.bus_is_lost();
    assert_eq!(cache.get(&7), None, "lost");
}

#[test]
fn a_usual_age_of_less_than_that_stays_less() {
    let mut timer = MockTimer::new();
    timer.expect_elapsed().return_const(Duration::from_millis(1_101));
    let ages = Arc::new(Ages::new(Arc::new(timer), Duration::from_millis(100)));
    let mut cache = MockNearCache::new();
    cache.expect_get().returning(|_| Some(aged(1_000)));
    assert_eq!(AgedCache::new(Arc::new(cache), ages).get(&7), None);
}

#[test]
fn a_node_that_is_alone_believes_what_it_holds_whatever_its_age() {
    let mut timer = MockTimer::new();
    timer.expect_elapsed().return_const(Duration::from_secs(1_000_000));
    let mut cache = MockNearCache::new();
    cache.expect_get().returning(|_| Some(aged(1_000)));
    cache.expect_last_known().returning(|_| Some(aged(1_000)));
    let cache = AgedCache::new(Arc::new(cache), Arc::new(Ages::unlimited(Arc::new(timer))));
    assert_eq!((cache.get(&7), cache.last_known(&7)), (Some("v"), Some("v")));
}
