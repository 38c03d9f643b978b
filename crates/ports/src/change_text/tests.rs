use std::sync::Mutex;

use proptest::prelude::*;

use super::*;

const HERE: NodeId = NodeId(1);
const THERE: NodeId = NodeId(0xfedc_ba98_7654_3210);

/// Remembers what it was told.
#[derive(Default)]
struct Heard(Mutex<Vec<Change>>);

impl BusListener for Heard {
    fn changed(&self, change: Change) {
        self.0.lock().unwrap().push(change);
    }

    fn joined(&self) {
        unreachable!("a text does not join");
    }

    fn lost(&self) {
        unreachable!("a text is not lost");
    }
}

fn hear(announcements: &[String]) -> Vec<Change> {
    let heard = Heard::default();
    for announcement in announcements {
        ChangeText::deliver(announcement, HERE, &heard);
    }
    heard.0.into_inner().unwrap()
}

fn number(number: i64) -> TenantNumber {
    TenantNumber::new(number).unwrap()
}

fn key_value(tenant: i64, key: &str, revision: u64) -> Change {
    let (key, revision) = (Key::new(key.as_bytes()).unwrap(), Revision::new(revision).unwrap());
    Change::KeyValue { tenant: number(tenant), key, revision }
}

#[test]
fn an_announcement_is_what_the_head_of_this_file_says() {
    let id = KeyId::parse("0123456789ab").unwrap();
    let catalog = Change::Catalog { tenant: number(9), revision: CatalogRevision::new(3).unwrap() };
    let changes = [
        key_value(7, "a\\b\nc d", 5),
        Change::AccessKey(id),
        Change::Tenant(number(8)),
        catalog,
        Change::Anything,
    ];
    let expected = "tenantry1 fedcba9876543210\nk 7 5 a\\\\b\\nc d\na 0123456789ab\nt 8\nc 9 3\n*";
    assert_eq!(ChangeText::encode(THERE, &changes), [expected]);
    assert_eq!(hear(&[expected.to_owned()]), changes);
}

#[test]
fn no_change_is_no_announcement() {
    assert_eq!(ChangeText::encode(THERE, &[]), Vec::<String>::new());
}

#[test]
fn a_node_does_not_hear_itself() {
    assert_eq!(hear(&ChangeText::encode(HERE, &[Change::Anything])), []);
}

#[test]
fn what_is_not_understood_means_anything() {
    for text in [
        "",
        "tenantry2 fedcba9876543210\nt 8",
        "tenantry1 fedc\nt 8",
        "tenantry1 fedcba9876543210\n",
        "tenantry1 fedcba9876543210\nx 8",
        "tenantry1 fedcba9876543210\nt 0",
        "tenantry1 fedcba9876543210\nk 7 5",
        "tenantry1 fedcba9876543210\nk 7 5 ",
        "tenantry1 fedcba9876543210\nk 7 x a",
        "tenantry1 fedcba9876543210\nk 7 5 a\\x",
        "tenantry1 fedcba9876543210\nk 7 5 a\\",
    ] {
        assert_eq!(hear(&[text.to_owned()]), [Change::Anything], "{text:?}");
    }
}

#[test]
fn many_changes_are_several_announcements_of_bounded_size() {
    let longest = "\n".repeat(Key::MAX_BYTES);
    let changes: Vec<_> = (1..=100).map(|revision| key_value(i64::MAX, &longest, revision)).collect();
    let announcements = ChangeText::encode(THERE, &changes);
    assert!(announcements.iter().all(|text| text.len() <= ChangeText::MAX_BYTES));
    assert_eq!(hear(&announcements), changes);
}

fn any_change() -> impl Strategy<Value = Change> {
    let key = "[^\0]{1,100}".prop_map(|text| Key::new(text.as_bytes()).unwrap());
    prop_oneof![
        (1..i64::MAX, key, 0..1_u64 << 63).prop_map(|(tenant, key, revision)| Change::KeyValue {
            tenant: number(tenant),
            key,
            revision: Revision::new(revision).unwrap()
        }),
        "[0-9A-Za-z]{12}".prop_map(|id| Change::AccessKey(KeyId::parse(&id).unwrap())),
        (1..i64::MAX).prop_map(|tenant| Change::Tenant(number(tenant))),
        Just(Change::Anything),
    ]
}

proptest! {
    #[test]
    fn what_was_announced_is_heard(changes in prop::collection::vec(any_change(), 1..100)) {
        prop_assert_eq!(hear(&ChangeText::encode(THERE, &changes)), changes);
    }

    #[test]
    fn any_text_is_heard_without_a_panic(text in any::<String>()) {
        hear(&[text]);
    }
}
