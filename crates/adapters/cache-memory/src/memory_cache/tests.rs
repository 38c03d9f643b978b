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

    /// As the cache does by itself when room is short.
    fn evict(&self, key: &'static str) {
        self.values.remove(&key);
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
fn what_is_said_to_have_changed_is_forgotten_and_all_loads_are_void() {
    let cache = cache();
    for key in ["a", "b", "c"] {
        cache.replace(key, value(1, if key == "b" { "changed" } else { "not" }));
    }
    let ticket = cache.ticket(&"d");
    cache.remove_where(&|_, value: &Value| value.text == "changed");
    assert_eq!((cache.text("a"), cache.text("b"), cache.text("c")), (Some("not"), None, Some("not")));
    cache.fill("d", value(1, "read before"), ticket);
    assert_eq!(cache.text("d"), None);
    cache.fill("b", value(2, "read after"), cache.ticket(&"b"));
    assert_eq!(cache.text("b"), Some("read after"));
}

#[test]
fn a_cache_stays_within_its_bytes() {
    let cache = MemoryCache::<u32, ()>::new(100_000, |_, ()| 100, |()| 0);
    for key in 0..10_000 {
        cache.replace(key, ());
    }
    let held = (0..10_000).filter(|key| cache.get(key).is_some()).count();
    assert!((100..=1000).contains(&held), "{held} values of 100 bytes and more");
}

#[test]
fn a_mebibyte_is_held_in_any_cache_that_is_twice_as_large() {
    for megabytes in [2, 3, 5, 9, 33, 66, 1024] {
        let cache = MemoryCache::<u8, ()>::new(megabytes << 20, |_, ()| 1 << 20, |()| 0);
        cache.replace(1, ());
        assert!(cache.get(&1).is_some(), "{megabytes} MiB");
    }
}

#[test]
fn a_change_to_a_value_that_is_too_large_forgets_the_one_before() {
    let cache = MemoryCache::<u8, u32>::new(1 << 20, |_, bytes| *bytes, |_| 0);
    cache.replace(1, 1);
    cache.replace(1, u32::MAX);
    assert_eq!(cache.get(&1), None);
    cache.replace(1, 1);
    cache.fill(1, u32::MAX, cache.ticket(&1));
    assert_eq!(cache.get(&1), Some(1));
}

/// Fills `k` with what is old, and begins `change` on another thread between the fill's comparison of its
/// ticket and its insertion. The change has time to be done in between, if nothing keeps it waiting.
fn change_amid_a_fill(cache: &Arc<Tested>, change: impl FnOnce(&Tested) + Send + 'static) {
    let changing = Arc::clone(cache);
    let changes = Arc::new(Mutex::new(None));
    let started = Arc::clone(&changes);
    let amid = move || {
        let (begins, begun) = std::sync::mpsc::channel();
        let change = thread::spawn(move || {
            begins.send(()).unwrap();
            change(&changing);
        });
        begun.recv().unwrap();
        let done = (0..1000).any(|_| {
            thread::yield_now();
            change.is_finished()
        });
        assert!(!done, "the change did not wait for the turn");
        *started.lock().unwrap() = Some(change);
    };
    cache.fill("k", value_that(1, "old", amid), cache.ticket(&"k"));
    let change = changes.lock().unwrap().take();
    change.expect("the fill came to ask for the version").join().unwrap();
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
    change_amid_a_fill(&cache, |cache| cache.clear());
    assert_eq!(cache.text("k"), None);
}

#[test]
fn a_change_that_is_said_of_the_value_amid_its_fill_wins() {
    let cache = cache();
    change_amid_a_fill(&cache, |cache| cache.remove_where(&|_, _| true));
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

#[test]
fn what_another_node_has_changed_is_forgotten_and_loads_are_void() {
    let cache = cache();
    cache.replace("k", value(4, "old"));
    let ticket = cache.ticket(&"k");
    cache.outdate(&"k", 5);
    assert_eq!(cache.text("k"), None);
    cache.fill("k", value(4, "old"), ticket);
    assert_eq!(cache.text("k"), None);
    let ticket = cache.ticket(&"k");
    cache.fill("k", value(5, "new"), ticket);
    assert_eq!(cache.text("k"), Some("new"));
}

#[test]
fn a_change_that_is_told_after_a_later_one_of_another_node_is_not_held() {
    let cache = cache();
    cache.outdate(&"k", 5);
    cache.replace("k", value(4, "told late"));
    assert_eq!(cache.text("k"), None);
    cache.replace("k", value(6, "new"));
    assert_eq!(cache.text("k"), Some("new"));
}

#[test]
fn what_is_newer_than_another_nodes_change_stays() {
    let cache = cache();
    cache.replace("k", value(6, "new"));
    cache.outdate(&"k", 5);
    assert_eq!(cache.text("k"), Some("new"));
}
