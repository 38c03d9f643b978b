//! The load: clients that wait for each answer, and go on after a failure.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use xtask::random::Random;

use super::record::{End, Kind, Record, Records};
use super::written_keys::WrittenKeys;
use crate::Result;
use crate::drill::event_text::EventText;
use crate::drill::notes::{Notes, Write};
use crate::drill::value_text::{key_name, value, write_of};
use crate::event_walk::StoredEvent;
use crate::http::{Answer, Client};

/// A client that was refused comes back after this, sooner than `Retry-After` asks.
const AFTER_REFUSAL: Duration = Duration::from_millis(20);
/// Between two reads of a reader, which so leaves room for writes.
const BETWEEN_READS: Duration = Duration::from_millis(1);
/// One write in so many is of a key-value.
const KEY_VALUE_SHARE: u64 = 4;

/// A client that connects again when it must.
pub(super) struct Caller<'a> {
    address: SocketAddr,
    key: &'a str,
    client: Option<Client>,
    records: Records,
    stop: &'a AtomicBool,
}

impl<'a> Caller<'a> {
    pub(super) fn new(address: SocketAddr, key: &'a str, begun: Instant, stop: &'a AtomicBool) -> Self {
        Self { address, key, client: None, records: Records::since(begun), stop }
    }

    pub(super) fn is_to_go_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// What became of all that it has asked.
    pub(super) fn finish(self) -> Vec<Record> {
        self.records.finish()
    }

    /// Asks, and judges what comes back.
    pub(super) fn call(
        &mut self,
        kind: Kind,
        ask: impl FnOnce(&mut Client) -> Result<Answer>,
        judge: impl FnOnce(&Answer) -> End,
    ) -> End {
        let sent = Instant::now();
        let client = match self.client.take() {
            Some(client) => Ok(client),
            None => Client::connect(self.address, Some(self.key)),
        };
        let answer = client.and_then(|mut client| ask(&mut client).map(|answer| (client, answer)));
        let end = match answer {
            Ok((client, answer)) => {
                // Who is refused before its body was read is told that the connection ends.
                let is_over = answer.header("connection") == Some("close");
                self.client = (!is_over).then_some(client);
                match answer.status {
                    503 if answer.header("retry-after").is_some() => End::Unavailable,
                    _ => judge(&answer),
                }
            }
            Err(_) => End::Broken,
        };
        self.records.add(kind, sent, end);
        if matches!(end, End::Unavailable | End::Broken) {
            thread::sleep(AFTER_REFUSAL);
        }
        end
    }
}

/// Writes events, and keys that no other writes, until told to stop.
pub(super) fn write(
    mut caller: Caller<'_>,
    mut random: Random,
    first_key: u64,
    keys: u64,
    written: &WrittenKeys,
) -> (Vec<Record>, Notes) {
    let mut notes = Notes::default();
    let mut last = vec![0; keys as usize];
    while caller.is_to_go_on() {
        if random.below(KEY_VALUE_SHARE) == 0 {
            let place = random.below(keys);
            let (key, number) = (first_key + place, last[place as usize] + 1);
            last[place as usize] = number;
            let write = Write::KeyValue { key, number };
            notes.sent(write);
            let path = format!("/api/v1/kv/{}", key_name(key));
            let mut revision = None;
            caller.call(
                Kind::Write,
                |client| client.put(&path, &value(key, number)),
                |answer| {
                    revision = answer.entity_tag().filter(|_| matches!(answer.status, 200 | 201));
                    if revision.is_some() { End::Good } else { End::Wrong }
                },
            );
            if let Some(revision) = revision {
                written.acknowledged(key, number);
                notes.acknowledged(write, revision);
            }
        } else {
            let id = random.uuid();
            let event = EventText::of(id);
            let Ok(json) = serde_json::to_string(&event) else { break };
            let write = Write::Event { id };
            notes.sent(write);
            let mut sequence = None;
            caller.call(
                Kind::Write,
                |client| client.post("/api/v1/events", &json),
                |answer| {
                    let stored = answer.json::<StoredEvent>(201).ok().filter(|stored| event.is(stored));
                    sequence = stored.map(|stored| stored.sequence);
                    if sequence.is_some() { End::Good } else { End::Wrong }
                },
            );
            if let Some(sequence) = sequence {
                notes.acknowledged(write, sequence);
            }
        }
    }
    (caller.finish(), notes)
}

/// Reads keys that nobody writes: those from `first` on.
pub(super) fn read_cached(mut caller: Caller<'_>, mut random: Random, first: u64, keys: u64) -> Vec<Record> {
    while caller.is_to_go_on() {
        let key = first + random.below(keys);
        let path = format!("/api/v1/kv/{}", key_name(key));
        caller.call(
            Kind::CachedRead,
            |client| client.get(&path),
            |answer| {
                let is_it = answer.status == 200 && write_of(key, &answer.body) == Some(1);
                if is_it { End::Good } else { End::Wrong }
            },
        );
        thread::sleep(BETWEEN_READS);
    }
    caller.finish()
}

/// Reads keys that are being written, of a node that may be so much behind.
pub(super) fn read_written(
    mut caller: Caller<'_>,
    kind: Kind,
    mut random: Random,
    written: &WrittenKeys,
    behind: Duration,
) -> Vec<Record> {
    while caller.is_to_go_on() {
        let key = random.below(written.count());
        let least = written.least(key, behind);
        let path = format!("/api/v1/kv/{}", key_name(key));
        caller.call(
            kind,
            |client| client.get(&path),
            |answer| match answer.status {
                404 if least == 0 => End::Good,
                404 => End::Stale,
                200 => match write_of(key, &answer.body) {
                    Some(number) if number >= least => End::Good,
                    Some(_) => End::Stale,
                    None => End::Wrong,
                },
                _ => End::Wrong,
            },
        );
        thread::sleep(BETWEEN_READS);
    }
    caller.finish()
}
