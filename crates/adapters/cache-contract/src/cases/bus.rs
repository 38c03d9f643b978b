//! What one node announces, the others hear.

use futures_util::future::join_all;
use tenantry_domain::{Key, KeyId, Revision};
use tenantry_ports::Change;

use crate::bus_fixture::BusFixture;
use crate::cache_fixture::{key, tenant};
use crate::recorded::BusEvent;

fn key_value(name: &str, revision: u64) -> Change {
    let revision = Revision::new(revision).expect("a revision");
    Change::KeyValue { tenant: tenant(7), key: key(name), revision }
}

/// `joined` is told when a node has begun to receive.
pub async fn a_node_is_told_that_it_has_joined_before_anything_else(f: &BusFixture) {
    f.first.announce(&[Change::Anything]).await;
    f.second.hears(1).await;
    assert_eq!(f.second.heard.all(), [BusEvent::Joined, BusEvent::Changed(Change::Anything)]);
}

/// `changed` is told "for each change that another node announces".
pub async fn the_others_hear_every_kind_of_change(f: &BusFixture) {
    let longest = "\n".repeat(Key::MAX_BYTES);
    let id = KeyId::parse("0123456789ab").expect("an id");
    let changes = [
        key_value("a", 5),
        key_value("\u{1F980} \\n'\"\r\n$", 6),
        key_value(&longest, (1 << 63) - 1),
        Change::AccessKey(id),
        Change::Tenant(tenant(i64::MAX)),
        Change::Anything,
    ];
    f.first.announce(&changes).await;
    assert_eq!(f.second.hears(changes.len()).await, changes);
}

/// `changed` is told of *another* node's changes.
pub async fn a_node_does_not_hear_itself(f: &BusFixture) {
    f.first.announce(&[key_value("own", 1)]).await;
    f.second.hears(1).await;
    f.second.announce(&[key_value("other", 2)]).await;
    assert_eq!(f.first.hears(1).await, [key_value("other", 2)]);
}

/// "In the order of that node's announcements."
pub async fn changes_are_heard_in_the_order_of_their_announcement(f: &BusFixture) {
    let changes: Vec<_> = (1..=200).map(|revision| key_value("k", revision)).collect();
    for change in &changes {
        f.first.announce(std::slice::from_ref(change)).await;
    }
    assert_eq!(f.second.hears(changes.len()).await, changes);
}

/// `announce` takes many.
pub async fn many_changes_are_announced_in_one_call(f: &BusFixture) {
    let changes: Vec<_> = (1..=2_000).map(|revision| key_value(&"k".repeat(100), revision)).collect();
    f.first.announce(&changes).await;
    assert_eq!(f.second.hears(changes.len()).await, changes);
}

/// Several announce at the same time, and each change is heard once.
pub async fn announcements_at_once_are_each_heard_once(f: &BusFixture) {
    let announcements = (1..=100).map(|revision| async move {
        f.first.announce(&[key_value("k", revision)]).await;
    });
    join_all(announcements).await;
    let mut heard = f.second.hears(100).await;
    heard.sort_by_key(|change| match change {
        Change::KeyValue { revision, .. } => revision.get(),
        _ => 0,
    });
    assert_eq!(heard, (1..=100).map(|revision| key_value("k", revision)).collect::<Vec<_>>());
}

/// A namespace is another bus.
pub async fn another_namespace_hears_nothing(f: &BusFixture) {
    f.stranger.announce(&[key_value("theirs", 1)]).await;
    f.first.announce(&[key_value("ours", 2)]).await;
    assert_eq!(f.second.hears(1).await, [key_value("ours", 2)]);
    assert_eq!(f.stranger.heard.changes(), []);
}
