//! The notes of one writer: what it has sent, and what was acknowledged.

use xtask::event_ledger::EventLedger;
use xtask::key_value_ledger::KeyValueLedger;

/// A write that is under way.
#[derive(Debug, Clone, Copy)]
pub(super) enum Write {
    Event { id: u128 },
    KeyValue { key: u64, number: u64 },
}

/// What happened, in the order in which it did.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<Note>);

#[derive(Debug, Clone, Copy)]
enum Note {
    Sent(Write),
    Acknowledged(Write, u64),
}

impl Notes {
    /// This is about to be sent.
    pub(super) fn sent(&mut self, write: Write) {
        self.0.push(Note::Sent(write));
    }

    /// This was acknowledged, with its sequence or its revision.
    pub(super) fn acknowledged(&mut self, write: Write, number: u64) {
        self.0.push(Note::Acknowledged(write, number));
    }

    /// Enters the notes; answers how many events and key-values were acknowledged.
    pub(super) fn enter(self, events: &mut EventLedger, key_values: &mut KeyValueLedger) -> (u64, u64) {
        let mut acknowledged = (0, 0);
        for note in self.0 {
            match note {
                Note::Sent(Write::Event { id }) => events.sent(id),
                Note::Sent(Write::KeyValue { key, number }) => key_values.sent(key, number),
                Note::Acknowledged(Write::Event { id }, sequence) => {
                    events.acknowledged(id, sequence);
                    acknowledged.0 += 1;
                }
                Note::Acknowledged(Write::KeyValue { key, number }, revision) => {
                    key_values.acknowledged(key, number, revision);
                    acknowledged.1 += 1;
                }
            }
        }
        acknowledged
    }
}
