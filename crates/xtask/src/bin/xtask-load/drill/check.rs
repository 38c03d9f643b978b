//! What is stored, compared with what was sent and acknowledged.

use std::net::SocketAddr;

use xtask::event_ledger::{EventFault, EventLedger};
use xtask::key_value_ledger::{KeyValueFault, KeyValueLedger};

use super::event_text::EventText;
use super::value_text::{key_name, write_of};
use crate::Result;
use crate::event_walk::walk;
use crate::http::Client;

/// Everything that was found to be wrong.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) events: Vec<EventFault>,
    pub(super) key_values: Vec<KeyValueFault>,
}

impl Faults {
    pub(super) fn count(&self) -> usize {
        self.events.len() + self.key_values.len()
    }

    /// The first few, one a line.
    pub(super) fn text(&self) -> String {
        let events = self.events.iter().map(ToString::to_string);
        let texts = events.chain(self.key_values.iter().map(ToString::to_string));
        texts.take(10).collect::<Vec<_>>().join("\n")
    }
}

/// Which events to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Those stored since the last check.
    New,
    /// All.
    All,
}

/// Reads the events and every key, over HTTP.
pub(super) fn check(
    address: SocketAddr,
    access_key: &str,
    extent: Extent,
    events: &mut EventLedger,
    key_values: &mut KeyValueLedger,
) -> Result<Faults> {
    let mut steps = match extent {
        Extent::New => events.walk_new(),
        Extent::All => events.walk_all(),
    };
    walk(address, access_key, steps.begins_after(), |event| {
        let id = event.id.as_u128();
        steps.found(id, event.sequence, EventText::of(id).is(&event));
    })?;
    let events = steps.finish();

    let mut client = Client::connect(address, Some(access_key))?;
    for key in key_values.keys() {
        let answer = client.get(&format!("/api/v1/kv/{}", key_name(key)))?;
        let stored = match answer.status {
            200 => {
                let revision = answer.entity_tag().ok_or("a key-value has no revision")?;
                // A value that is from no write at all is beyond any that was sent.
                Some((write_of(key, &answer.body).unwrap_or(u64::MAX), revision))
            }
            404 => None,
            status => return Err(format!("GET of key {key} was answered with {status}").into()),
        };
        key_values.found(key, stored);
    }
    Ok(Faults { events, key_values: key_values.take_faults() })
}
