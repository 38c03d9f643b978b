//! P3: `POST /api/v1/events`, one event a request, durable.

use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;
use xtask::event_ledger::EventLedger;

use super::pgbench::Pgbench;
use super::settings::{Settings, WRITE_CONNECTIONS};
use super::sides::Sides;
use super::table::{Row, Target};
use super::turns;
use super::value::write_digits;
use crate::Result;
use crate::engine::Engine;
use crate::event_walk::walk;
use crate::generator::{self, Caller};
use crate::http::{Response, Template};

const COMPONENT: &str = "checkout";
const ENVIRONMENT: &str = "production";
const EMAIL: &str = "ada@example.com";

/// Measures it on either engine: against the bare server on SQLite, on PostgreSQL against `pgbench`.
pub(super) fn measure(settings: &Settings, scratch: &Path) -> Result<Vec<Row>> {
    [Engine::Sqlite, Engine::Postgres]
        .map(|engine| measure_on(engine, settings, scratch))
        .into_iter()
        .collect()
}

/// Measures it, and checks that every acknowledged event is there, and no other.
fn measure_on(engine: Engine, settings: &Settings, scratch: &Path) -> Result<Row> {
    let sides = Sides::start(scratch, "P3", engine, &[])?;
    let (product, bare) = (sides.product.address(), sides.bare.address());

    let round = |address, is_bare: bool, number: u64| {
        let template = Template::new("POST", "/api/v1/events", address, &sides.key);
        let mut thread = 0;
        let writer = || {
            thread += 1;
            let template = template.clone().with_content_type("application/json");
            let next = number * 100_000_000 + thread * 10_000_000;
            Write { template, is_bare, next, body: EventText::new(), acknowledged: Vec::new() }
        };
        generator::run(&settings.load(address, WRITE_CONNECTIONS), settings.per_thread(writer))
    };
    let mut ledger = EventLedger::default();
    let mut pgbench =
        sides.postgres.as_ref().map(|postgres| Pgbench::prepare(postgres, &sides.folder)).transpose()?;
    let (ours, theirs) = turns::take(
        settings,
        &format!("P3, {engine}"),
        |number| {
            let outcome = round(product, false, number)?;
            for (id, sequence) in outcome.callers.iter().flat_map(|caller| &caller.acknowledged) {
                ledger.acknowledged(*id, *sequence);
            }
            Ok(outcome.into())
        },
        |number| match &mut pgbench {
            Some(pgbench) => pgbench.round(settings.seconds),
            None => Ok(round(bare, true, number)?.into()),
        },
    )?;

    let acknowledged = ledger.promised();
    let mut check = ledger.walk_all();
    walk(product, &sides.key, 0, |event| {
        let is_as_sent = event.component == COMPONENT
            && event.environment == ENVIRONMENT
            && event.email.as_deref() == Some(EMAIL);
        check.found(event.id.as_u128(), event.sequence, is_as_sent);
    })?;
    let faults = check.finish();
    if let Some(first) = faults.first() {
        return Err(format!("{} faults among the stored events; one: {first}", faults.len()).into());
    }
    println!(
        "P3, {engine}: each of {acknowledged} acknowledged events is stored, in sequences 1 to {acknowledged}"
    );

    let work =
        format!("`POST events`, one event a request, durable, {WRITE_CONNECTIONS} connections, {engine}");
    let Some(pgbench) = pgbench else {
        return Ok(Row::against_bare("P3", work, ours, theirs, Target::Ratio(0.8)));
    };
    pgbench.check()?;
    println!("P3, {engine}: pgbench had {} clients", pgbench.clients);
    Ok(Row::against("pgbench", "P3", work, ours, theirs, Target::Ratio(2.5)))
}

/// An event's JSON: always the same but for one number.
struct EventText {
    json: Vec<u8>,
    message: std::ops::Range<usize>,
    data: std::ops::Range<usize>,
    digits: [usize; 2],
}

const DIGITS: usize = 10;

impl EventText {
    fn new() -> Self {
        let zeros = "0".repeat(DIGITS);
        let message = format!("order {zeros} is paid and was handed to the warehouse");
        let data = format!(r#"{{"order":"{zeros}","amount":"19.90","currency":"EUR","items":3}}"#);
        let before_message =
            format!(r#"{{"component":"{COMPONENT}","environment":"{ENVIRONMENT}","message":""#);
        let before_data = format!(r#"{before_message}{message}","email":"{EMAIL}","data":"#);
        let message = before_message.len()..before_message.len() + message.len();
        let data_range = before_data.len()..before_data.len() + data.len();
        let digits = [message.start + "order ".len(), data_range.start + r#"{"order":""#.len()];
        let json = format!("{before_data}{data}}}").into_bytes();
        Self { json, message, data: data_range, digits }
    }

    /// The event of that number.
    fn of(&mut self, number: u64) -> &[u8] {
        for start in self.digits {
            write_digits(number, &mut self.json[start..start + DIGITS]);
        }
        &self.json
    }

    fn message(&self) -> &[u8] {
        &self.json[self.message.clone()]
    }

    fn data(&self) -> &[u8] {
        &self.json[self.data.clone()]
    }
}

/// POSTs events.
struct Write {
    template: Template,
    is_bare: bool,
    next: u64,
    body: EventText,
    acknowledged: Vec<(u128, u64)>,
}

/// What both servers answer; the bare one knows no id and no sequence.
#[derive(Deserialize)]
struct Stored<'a> {
    id: Option<Uuid>,
    sequence: Option<u64>,
    component: &'a str,
    environment: &'a str,
    message: &'a str,
    email: &'a str,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl Caller for Write {
    type Ticket = u64;

    fn request(&mut self, request: &mut Vec<u8>) -> Option<u64> {
        self.next += 1;
        self.template.write_with_body(b"", self.body.of(self.next), request);
        Some(self.next)
    }

    fn answer(&mut self, number: u64, response: &Response<'_, '_>) -> Result<()> {
        let body = || String::from_utf8_lossy(response.body);
        if response.status != 201 {
            return Err(format!("POST was answered with {}: {}", response.status, body()).into());
        }
        let stored: Stored<'_> = serde_json::from_slice(response.body)?;
        self.body.of(number);
        let is_as_sent = stored.component == COMPONENT
            && stored.environment == ENVIRONMENT
            && stored.email == EMAIL
            && stored.message.as_bytes() == self.body.message()
            && stored.data.get().as_bytes() == self.body.data();
        if !is_as_sent {
            return Err(format!("event {number} was answered with {}", body()).into());
        }
        if self.is_bare {
            return Ok(());
        }
        match (stored.id, stored.sequence) {
            (Some(id), Some(sequence)) => self.acknowledged.push((id.as_u128(), sequence)),
            _ => return Err(format!("an event has no id or no sequence: {}", body()).into()),
        }
        Ok(())
    }
}

#[test]
fn an_events_text_says_its_number_twice() {
    let mut text = EventText::new();
    let json = String::from_utf8_lossy(text.of(4711)).into_owned();
    assert_eq!(json.matches("0000004711").count(), 2);
    let event: Stored<'_> = serde_json::from_str(&json).unwrap();
    assert_eq!(event.message.as_bytes(), text.message());
    assert_eq!(event.data.get().as_bytes(), text.data());
}
