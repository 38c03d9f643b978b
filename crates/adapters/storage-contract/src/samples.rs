//! Things to store.

use bytes::Bytes;
use tenantry_domain::{
    AccessKey, AccessKeyName, Component, ContentType, Email, Environment, EventId, JsonObject, Key, KeyHash,
    KeyId, KeyOwner, Message, NewEvent, Precondition, Revision, RevisionSet, Scope, Sequence, TenantNumber,
    TimeToLive, Timestamp,
};
use tenantry_ports::NewValue;
use uuid::Uuid;

/// Texts on which SQL, its patterns or its encodings might choke.
pub(crate) const AWKWARD_TEXTS: [&str; 14] = [
    "it's; DROP TABLE events; --",
    "\"double\" and `back` quotes",
    "back\\slash \\' \\\\ \\n",
    "100% of _ and [a-z] * ?",
    "$1 ?1 :name @name {} $$",
    "line\nbreak\r\n\ttab",
    "\u{1}\u{8}\u{1b}\u{7f}\u{85}",
    " spaces around ",
    "🦀👩‍👩‍👧‍👦 emoji",
    "שלום עולم \u{202e}right to left",
    "e\u{301} is not \u{e9}",
    "\u{feff}byte order mark",
    "\u{fffd}\u{ffff}\u{10ffff}",
    "null",
];

/// A number that no tenant has.
pub(crate) fn unknown_tenant() -> TenantNumber {
    TenantNumber::new(i64::MAX).expect("a positive number")
}

/// An event with the id `number`.
pub(crate) fn event(number: u128) -> NewEvent {
    NewEvent {
        id: event_id(number),
        has_new_id: false,
        component: Component::from_stored("api".to_owned()),
        environment: Environment::from_stored("production".to_owned()),
        message: Message::from_stored(format!("event {number}")),
        email: None,
        data: JsonObject::empty(),
    }
}

/// Events with the ids of the range, in its order.
pub(crate) fn events(numbers: std::ops::Range<u128>) -> Vec<NewEvent> {
    numbers.map(event).collect()
}

/// The event id that is this number.
pub(crate) fn event_id(number: u128) -> EventId {
    EventId::new(Uuid::from_u128(number))
}

/// An e-mail address.
pub(crate) fn email(text: &str) -> Email {
    Email::from_stored(text.to_owned())
}

/// A JSON object.
pub(crate) fn object(json: &str) -> JsonObject {
    JsonObject::parse(json).expect("a JSON object")
}

/// A sequence.
pub(crate) fn sequence(number: u64) -> Sequence {
    Sequence::new(number).expect("a sequence")
}

/// A revision.
pub(crate) fn revision(number: u64) -> Revision {
    Revision::new(number).expect("a revision")
}

/// A key of a key-value.
pub(crate) fn key(text: &str) -> Key {
    Key::new(text.as_bytes()).expect("a key")
}

/// A value for good.
pub(crate) fn value(bytes: impl Into<Bytes>) -> NewValue {
    NewValue { bytes: bytes.into(), content_type: ContentType::octet_stream(), ttl: None }
}

/// A value that lives so many seconds.
pub(crate) fn value_for(bytes: impl Into<Bytes>, seconds: u64) -> NewValue {
    NewValue { ttl: Some(TimeToLive::from_seconds(seconds).expect("a time to live")), ..value(bytes) }
}

/// Every kind of precondition for a key whose revision, where it is there, is `current`.
pub(crate) fn preconditions(current: u64) -> Vec<Precondition> {
    let sets = [
        None,
        Some(RevisionSet::Any),
        Some(RevisionSet::Of(vec![])),
        Some(RevisionSet::Of(vec![current])),
        Some(RevisionSet::Of(vec![current + 1])),
        Some(RevisionSet::Of(vec![0, current, i64::MAX.unsigned_abs()])),
    ];
    let pairs =
        sets.iter().flat_map(|if_match| sets.iter().map(move |if_none_match| (if_match, if_none_match)));
    pairs
        .map(|(if_match, if_none_match)| Precondition {
            if_match: if_match.clone(),
            if_none_match: if_none_match.clone(),
        })
        .collect()
}

/// The public name of a key: 12 letters and digits.
pub(crate) fn key_id(id: &str) -> KeyId {
    KeyId::parse(id).expect("12 letters and digits")
}

/// A tenant's access key, made at that time.
pub(crate) fn tenant_key(tenant: TenantNumber, id: &str, created_at: Timestamp) -> AccessKey {
    AccessKey { owner: KeyOwner::Tenant(tenant), ..admin_key(id, created_at) }
}

/// An administrator's access key, made at that time.
pub(crate) fn admin_key(id: &str, created_at: Timestamp) -> AccessKey {
    let mut hash = [0xff; 32];
    hash[..12].copy_from_slice(id.as_bytes());
    hash[12] = 0;
    AccessKey {
        id: key_id(id),
        owner: KeyOwner::Admin,
        name: AccessKeyName::from_stored(format!("the key {id}")),
        scopes: [Scope::EventsRead, Scope::KvWrite].into_iter().collect(),
        hash: KeyHash::from_stored(hash),
        created_at,
        expires_at: None,
        last_used_at: None,
    }
}
