//! With other nodes: the second level, and waiting until they know.

use futures_util::FutureExt as _;
use tenantry_ports::{MockSharedCache, NewValue, PutOutcome, SharedLookup, SharedValue};

use super::*;
use crate::propagation::{Propagation, Subject};
use crate::samples::{Standstill, propagation};
use crate::shared_entry;

/// A propagation with a change that nobody carries yet.
fn busy() -> Arc<Propagation> {
    let mut shared = MockSharedCache::new();
    shared.expect_replace_all().returning(|_| Ok(()));
    let propagation = propagation(Some(Arc::new(shared)), None, Standstill);
    propagation.push(Subject::KeyValue(number(7), key("k")), Some(Some(entry(5, None)).into()));
    propagation
}

#[tokio::test]
async fn a_write_is_answered_when_the_other_nodes_know_of_it() {
    let mut entries = MockKeyValueRepository::new();
    let outcome = || PutOutcome { entry: entry(5, None), created: true };
    entries.expect_put().returning(move |_, _, _, _| Ok(outcome()));
    entries.expect_delete().returning(|_, _, _| Ok(revision(6)));
    entries.expect_increment().returning(move |_, _, _, _, _| Ok((outcome(), 40)));
    let entries = Arc::new(entries);
    for write in 0..3 {
        let propagation = busy();
        let service = KeyValueService::new(entries.clone(), forgetful(), clock_at(time(NOW)), 8)
            .among_nodes(Arc::clone(&propagation));
        let value = NewValue {
            bytes: "v".into(),
            content_type: tenantry_domain::ContentType::plain_text(),
            ttl: None,
        };
        let mut writing = Box::pin(async {
            match write {
                0 => drop(service.put(number(7), key("k"), value, ALWAYS).await.unwrap()),
                1 => drop(service.delete(number(7), key("k"), ALWAYS).await.unwrap()),
                _ => drop(service.increment(number(7), key("k"), 1, None, ALWAYS).await.unwrap()),
            }
        });
        assert_eq!((&mut writing).now_or_never(), None, "write {write} does not wait");
        assert_eq!(propagation.run().now_or_never(), None);
        assert_eq!(writing.now_or_never(), Some(()), "write {write}");
    }
}

#[tokio::test]
async fn what_the_shared_cache_holds_beyond_its_end_is_absent() {
    for (end, is_there) in [(NOW, false), (NOW + 1, true)] {
        let held = entry(5, Some(time(end)));
        let mut shared = MockSharedCache::new();
        let value = Some(shared_entry::encode(&held));
        shared.expect_look_up().return_const(SharedLookup::Held(SharedValue { version: revision(5), value }));
        let service = KeyValueService::new(
            Arc::new(MockKeyValueRepository::new()),
            forgetful(),
            clock_at(time(NOW)),
            8,
        )
        .among_nodes(propagation(Some(Arc::new(shared)), None, Standstill));
        let expected = is_there.then_some(held).ok_or(KeyValueError::KeyNotFound);
        assert_eq!(service.get(number(7), key("k")).await, expected, "{end}");
    }
}
