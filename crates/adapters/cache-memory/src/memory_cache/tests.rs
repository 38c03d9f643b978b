use std::sync::{Arc, Mutex};
use std::thread;

use super::*;

type Code = Box<dyn FnOnce() + Send>;

/// A value that runs a piece of code the first time it is asked for its version: inside a turn.
#[derive(Clone)]
struct Value {
    version: u64,
    text: &'static str,
    when_asked: Arc<Mutex<Option<Code>>>,
}

fn value(version: u64, text: &'static str) -> Value {
    Value { version, text, when_asked: Arc::default() }
}

fn value_that(version: u64, text: &'static str, when_asked: impl FnOnce() + Send + 'static) -> Value {
    Value { version, text, when_asked: Arc::new(Mutex::new(Some(Box::new(when_asked)))) }
}

fn version(value: &Value) -> u64 {
    let when_asked = value.when_asked.lock().unwrap().take();
    if let Some(run) = when_asked {
        run();
    }
    value.version
}

type Tested = MemoryCache<&'static str, Value>;

fn cache() -> Arc<Tested> {
    Arc::new(MemoryCache::new(1 << 20, |_, _| 100, version))
}

impl Tested {
    fn text(&self, key: &'static str) -> Option<&'static str> {
        self.get(&key).map(|value| value.text)
    }

    /// As moka does when room is short, or for a newcomer that is not asked for enough.
    fn evict(&self, key: &'static str) {
        self.values.invalidate(&key);
    }

    fn wait_for_another_ticket(&self, ticket: LoadTicket) {
        let changed = (0..10_000_000).any(|_| {
            thread::yield_now();
            self.ticket(&"k") != ticket
        });
        assert!(changed, "the change did not make the ticket void before its turn");
    }
}

#[test]
fn what_was_read_is_held() {
    let cache = cache();
    let ticket = cache.ticket(&"k");
    assert_eq!(cache.text("k"), None);
    cache.fill("k", value(1, "read"), ticket);
    assert_eq!(cache.text("k"), Some("read"));
    assert_eq!(cache.text("other"), None);
}

#[test]
fn a_change_is_held_at_once() {
    let cache = cache();
    cache.replace("k", value(1, "old"));
    cache.replace("k", value(2, "new"));
    assert_eq!(cache.text("k"), Some("new"));
}

#[test]
fn what_was_read_before_a_change_is_not_kept_after_it() {
    let changes: [fn(&Tested); 3] =
        [|cache| cache.replace("k", value(1, "new")), |cache| cache.remove(&"k"), |cache| cache.clear()];
    for change in changes {
        let cache = cache();
        let ticket = cache.ticket(&"k");
        change(&cache);
        cache.evict("k");
        cache.fill("k", value(9, "read"), ticket);
        assert_eq!(cache.text("k"), None);
    }
}

#[test]
fn what_was_read_after_a_change_is_kept() {
    let changes: [fn(&Tested); 3] =
        [|cache| cache.replace("k", value(1, "new")), |cache| cache.remove(&"k"), |cache| cache.clear()];
    for change in changes {
        let cache = cache();
        change(&cache);
        cache.evict("k");
        cache.fill("k", value(1, "read"), cache.ticket(&"k"));
        assert_eq!(cache.text("k"), Some("read"));
    }
}

#[test]
fn what_was_read_does_not_replace_what_is_newer_or_the_same() {
    let cache = cache();
    cache.replace("k", value(5, "told"));
    for version in [4, 5] {
        cache.fill("k", value(version, "read"), cache.ticket(&"k"));
        assert_eq!(cache.text("k"), Some("told"));
    }
    cache.fill("k", value(6, "read"), cache.ticket(&"k"));
    assert_eq!(cache.text("k"), Some("read"));
}

#[test]
fn a_change_that_is_told_late_does_not_replace_a_newer_one() {
    let cache = cache();
    cache.replace("k", value(5, "fifth"));
    cache.replace("k", value(4, "fourth"));
    assert_eq!(cache.text("k"), Some("fifth"));
}

#[test]
fn a_change_that_is_told_late_is_not_held_where_the_newer_one_was_evicted() {
    let cache = cache();
    cache.replace("k", value(5, "fifth"));
    cache.evict("k");
    cache.replace("k", value(4, "fourth"));
    assert_eq!(cache.text("k"), None);
}

#[test]
fn a_change_that_is_told_late_is_not_held_where_the_newer_one_was_cleared() {
    let cache = cache();
    cache.replace("k", value(5, "fifth"));
    cache.clear();
    cache.replace("k", value(4, "fourth"));
    assert_eq!(cache.text("k"), None);
}

#[test]
fn values_without_versions_replace_one_another() {
    let cache = MemoryCache::<u8, &str>::new(1 << 20, |_, _| 1, |_| 0);
    cache.replace(1, "old");
    cache.replace(1, "new");
    assert_eq!(cache.get(&1), Some("new"));
}

#[test]
fn what_is_removed_is_forgotten_and_nothing_else() {
    let cache = cache();
    cache.replace("k", value(1, "k"));
    cache.replace("other", value(1, "other"));
    cache.remove(&"k");
    assert_eq!((cache.text("k"), cache.text("other")), (None, Some("other")));
}

#[test]
fn a_cleared_cache_forgets_everything_and_can_be_used_again() {
    let cache = cache();
    cache.replace("k", value(7, "before"));
    cache.replace("other", value(7, "before"));
    cache.clear();
    assert_eq!((cache.text("k"), cache.text("other")), (None, None));
    cache.fill("k", value(3, "read"), cache.ticket(&"k"));
    assert_eq!(cache.text("k"), Some("read"), "a version from before counts no more");
    cache.replace("other", value(8, "after"));
    assert_eq!(cache.text("other"), Some("after"));
}

#[test]
fn a_cache_stays_within_its_bytes() {
    let cache = MemoryCache::<u32, ()>::new(100_000, |_, ()| 100, |()| 0);
    for key in 0..10_000 {
        cache.replace(key, ());
    }
    cache.values.run_pending_tasks();
    let held = cache.values.entry_count();
    assert!((100..=1000).contains(&held), "{held} values of 100 bytes and more");
}

/// Fills `k` with what is old, and lets `change` run on another thread when the fill has compared its
/// ticket and has not yet put its value, until the change has counted up the epoch.
fn change_amid_a_fill(cache: &Arc<Tested>, change: impl FnOnce(&Tested) + Send + 'static) {
    let (changing, ticket) = (Arc::clone(cache), cache.ticket(&"k"));
    let thread = Arc::new(Mutex::new(None));
    let started = Arc::clone(&thread);
    let amid = move || {
        let watched = Arc::clone(&changing);
        *started.lock().unwrap() = Some(thread::spawn(move || change(&changing)));
        watched.wait_for_another_ticket(ticket);
    };
    cache.fill("k", value_that(1, "old", amid), ticket);
    let thread = thread.lock().unwrap().take();
    thread.expect("the fill came to ask for the version").join().unwrap();
}

#[test]
fn a_change_amid_a_fill_wins() {
    let cache = cache();
    change_amid_a_fill(&cache, |cache| cache.replace("k", value(2, "new")));
    assert_eq!(cache.text("k"), Some("new"));
}

#[test]
fn a_removal_amid_a_fill_wins() {
    let cache = cache();
    change_amid_a_fill(&cache, |cache| cache.remove(&"k"));
    assert_eq!(cache.text("k"), None);
}

#[test]
fn a_clearance_amid_a_fill_wins() {
    let cache = cache();
    let cleared = Arc::clone(&cache);
    cache.fill("k", value_that(1, "old", move || cleared.clear()), cache.ticket(&"k"));
    assert_eq!(cache.text("k"), None);
    cache.fill("k", value(1, "read"), cache.ticket(&"k"));
    assert_eq!(cache.text("k"), Some("read"), "what is not seen is in nobody's way");
}

#[test]
fn a_late_change_that_waits_for_the_turn_of_an_eviction_is_not_held() {
    // Version 4 is told first and takes its turn last: behind version 5, which is gone again by then.
    let cache = cache();
    let late = Arc::new(Mutex::new(None));
    cache.turn("k", |_| {
        let (telling, ticket) = (Arc::clone(&cache), cache.ticket(&"k"));
        let telling = thread::spawn(move || telling.replace("k", value(4, "fourth")));
        cache.wait_for_another_ticket(ticket);
        *late.lock().unwrap() = Some(telling);
        // What `replace` of version 5 does in its turn, and the eviction behind it.
        cache.slots.of(&"k").tell(5);
        Op::Nop
    });
    late.lock().unwrap().take().unwrap().join().unwrap();
    assert_eq!(cache.text("k"), None);
}

#[test]
fn a_panic_amid_a_fill_leaves_the_key_usable() {
    let cache = cache();
    let filling = Arc::clone(&cache);
    let panicked = thread::spawn(move || {
        let ticket = filling.ticket(&"k");
        filling.fill("k", value_that(1, "never", || std::panic::resume_unwind(Box::new(()))), ticket);
    });
    assert!(panicked.join().is_err());
    cache.replace("k", value(2, "new"));
    assert_eq!(cache.text("k"), Some("new"));
}
