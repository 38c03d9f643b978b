//! The load of a drill: events, each with an id of its own, and now and then a key-value; and the notes of
//! what was sent and what was acknowledged.

use uuid::Uuid;
use xtask::event_ledger::EventLedger;
use xtask::key_value_ledger::KeyValueLedger;
use xtask::random::Random;

use super::event_text::EventText;
use super::notes::{Notes, Write};
use super::value_text::{key_name, value};
use crate::Result;
use crate::event_walk::StoredEvent;
use crate::generator::Caller;
use crate::http::{Response, Template};

/// One write in so many is of a key-value, if a key is free.
const KEY_VALUE_SHARE: u64 = 8;

/// Makes the writes of one thread. A key is written by one thread, one write at a time.
pub(super) struct Writer {
    events: Template,
    key_values: Template,
    random: Random,
    /// Keys without a write under way, and the number of their last write.
    free_keys: Vec<(u64, u64)>,
    notes: Notes,
    body: Vec<u8>,
}

impl Writer {
    /// A writer of these keys.
    pub(super) fn new(
        events: Template,
        key_values: Template,
        random: Random,
        keys: impl Iterator<Item = u64>,
        ledger: &KeyValueLedger,
    ) -> Self {
        let free_keys = keys.map(|key| (key, ledger.last_sent(key))).collect();
        Self { events, key_values, random, free_keys, notes: Notes::default(), body: Vec::new() }
    }

    /// Enters the notes; answers how many events and key-values were acknowledged.
    pub(super) fn enter(self, events: &mut EventLedger, key_values: &mut KeyValueLedger) -> (u64, u64) {
        self.notes.enter(events, key_values)
    }
}

impl Caller for Writer {
    type Ticket = Write;

    fn request(&mut self, request: &mut Vec<u8>) -> Option<Write> {
        let is_key_value = self.random.below(KEY_VALUE_SHARE) == 0;
        let free_key = if is_key_value { self.free_keys.pop() } else { None };
        let write = if let Some((key, last)) = free_key {
            let number = last + 1;
            self.key_values.write_with_body(key_name(key).as_bytes(), &value(key, number), request);
            Write::KeyValue { key, number }
        } else {
            let id = self.random.uuid();
            self.body.clear();
            serde_json::to_writer(&mut self.body, &EventText::of(id)).ok()?;
            self.events.write_with_body(b"", &self.body, request);
            Write::Event { id }
        };
        self.notes.sent(write);
        Some(write)
    }

    fn answer(&mut self, write: Write, response: &Response<'_, '_>) -> Result<()> {
        let text = || format!("{write:?} was answered with {}", response.status);
        let number = match write {
            Write::Event { id } if response.status == 201 => {
                let stored: StoredEvent = serde_json::from_slice(response.body)?;
                if stored.id != Uuid::from_u128(id) || !EventText::of(id).is(&stored) {
                    return Err(format!("{}, and another event", text()).into());
                }
                stored.sequence
            }
            Write::KeyValue { key, number } if matches!(response.status, 200 | 201) => {
                self.free_keys.push((key, number));
                response.entity_tag().ok_or_else(|| format!("{}, and no revision", text()))?
            }
            _ => return Err(format!("{}: {}", text(), String::from_utf8_lossy(response.body)).into()),
        };
        self.notes.acknowledged(write, number);
        Ok(())
    }
}
