//! Embedding the domain crate in a Rust service of your own: Tenantry's types and rules, without its
//! storage, its HTTP API or an async runtime.
//!
//! The service here is a small log of events in memory, with keys for its callers. Whatever it refuses,
//! Tenantry refuses too, with the same words; whatever it stores, Tenantry can take over.
//!
//! Run it: `cargo run -p tenantry-domain --example embed_the_domain`.

use std::error::Error;

use serde_json::value::RawValue;
use tenantry_domain::{
    Event, EventDraft, EventFilter, Key, KeyKind, NewEvent, Precondition, PresentedKey, SecretKey, Sequence,
    Stored, TenantRef, Timestamp, Violations, merge_patch,
};
use uuid::Uuid;

fn main() -> Result<(), Box<dyn Error>> {
    let mut log = EventLog::default();

    // A draft is unchecked; parsing it answers with an event that cannot be wrong, or with every fault.
    let data: &RawValue = serde_json::from_str(r#"{"order": 4711, "total": 12.50}"#)?;
    let draft = EventDraft {
        component: Some("billing".to_owned()),
        environment: Some("production".to_owned()),
        message: Some("Order FAILED".to_owned()),
        email: Some("ada@example.com".to_owned()),
        data: Some(data),
        ..EventDraft::default()
    };
    let first = log.append(draft.clone(), noon())?;
    assert_eq!(first.event().sequence.get(), 1);
    // JSON stays as it was written: 12.50 does not become 12.5.
    assert_eq!(first.event().data.as_str(), r#"{"order": 4711, "total": 12.50}"#);

    // The id is the deduplication key.
    let again = EventDraft { id: Some(first.event().id.get()), ..draft };
    assert!(log.append(again, noon())?.is_duplicate());

    let bad = EventDraft { email: Some("not an address".to_owned()), ..EventDraft::default() };
    for violation in log.append(bad, noon()).err().into_iter().flat_map(Violations::into_vec) {
        println!("refused: {} {} ({})", violation.pointer, violation.detail, violation.code);
    }

    // The filter says which events a list shows; every storage adapter is held to its answer.
    let filter = EventFilter {
        message_contains: Some("failed".to_owned()),
        from: Timestamp::parse_range_start("2030-01-01"),
        data_contains: Some(serde_json::json!({"order": 4711})),
        ..EventFilter::default()
    };
    for event in log.events.iter().filter(|event| filter.matches(event)) {
        println!("found: #{} {} {}", event.sequence, event.created_at, event.message);
    }

    // Names from outside are parsed once, into types that cannot hold a wrong value.
    let tenant = TenantRef::parse("12_acme").ok_or("no such tenant can be")?;
    println!("tenant {} named {:?}", tenant.number, tenant.name.map(|name| name.to_string()));
    assert!(TenantRef::parse("0_acme").is_none());
    println!("a key may be any text: {}", Key::new("a//b/🦀".as_bytes())?);

    // Access keys: the text is shown once, only its hash is kept, and a mistyped one is noticed by itself.
    // Draw these bytes from the operating system (crate `getrandom`); fixed ones are no secret.
    let secret = SecretKey::from_entropy(KeyKind::Tenant, [1; 16], [2; 32]);
    let kept = secret.presented()?;
    assert_eq!(PresentedKey::parse(secret.expose())?.hash, kept.hash);
    assert!(PresentedKey::parse(&secret.expose().to_lowercase()).is_err());
    println!("key {} is known by its hash alone: {secret:?}", kept.id);

    // Conditional writes (`If-Match`) and merge patches, as the HTTP API has them.
    assert!(Precondition::revision(7).holds(Some(7)) && !Precondition::revision(7).holds(Some(8)));
    let patched = merge_patch(r#"{"plan":"gold","seats":5}"#, r#"{"seats":6}"#)?;
    assert_eq!(patched, r#"{"plan":"gold","seats":6}"#);
    Ok(())
}

/// Events in the order in which they were stored.
#[derive(Default)]
struct EventLog {
    events: Vec<Event>,
}

impl EventLog {
    /// The domain has no clock and no random source: the time and the ids come from you.
    fn append(&mut self, draft: EventDraft<'_>, now: Timestamp) -> Result<Stored, Violations> {
        let event = NewEvent::parse(draft, Uuid::now_v7)?;
        if let Some(stored) = self.events.iter().find(|stored| stored.id == event.id) {
            return Ok(Stored::Duplicate(stored.clone()));
        }
        let sequence = Sequence::new(self.events.len() as u64 + 1).unwrap_or_default();
        let event = event.into_event(sequence, now);
        self.events.push(event.clone());
        Ok(Stored::New(event))
    }
}

fn noon() -> Timestamp {
    Timestamp::parse_rfc3339("2030-01-02T12:00:00Z").unwrap_or(Timestamp::MAX)
}
