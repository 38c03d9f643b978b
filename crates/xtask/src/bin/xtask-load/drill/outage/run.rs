//! The course of the drill.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use xtask::event_ledger::EventLedger;
use xtask::key_value_ledger::KeyValueLedger;
use xtask::random::Random;
use xtask::servers::Server;

use super::clients::{Caller, read_cached, read_written, write};
use super::record::{Kind, Record};
use super::settings::Settings;
use super::timeline::{RECOVERY, Timeline};
use super::verdict::{Fault, judge};
use super::written_keys::WrittenKeys;
use crate::Result;
use crate::disturbance::Meter;
use crate::drill::check::{Extent, Faults, check};
use crate::drill::nodes::BOUND;
use crate::drill::notes::Notes;
use crate::drill::pair::{Bond, Pair};
use crate::drill::plant::delete_newest;
use crate::drill::value_text::{key_name, value};
use crate::http::Client;

/// Before anything is measured.
const WARM_UP: Duration = Duration::from_secs(3);
/// How long full speed is measured, before and after.
const MEASURED: Duration = Duration::from_secs(10);

const WRITERS: u64 = 32;
/// Readers of each kind on each node.
const READERS: u64 = 6;
const KEYS_A_WRITER: u64 = 16;
/// Keys that nobody writes, above those that are written.
const CACHED_KEYS: u64 = 1000;
const FIRST_CACHED_KEY: u64 = 100_000;

/// A run of the drill.
pub(super) struct Run<'a> {
    pub(super) settings: &'a Settings,
    pub(super) plant: Plant,
}

/// What is wrong on purpose; by default nothing.
pub(super) struct Plant {
    /// Whether an acknowledged event is deleted behind the product's back.
    pub(super) loses_an_event: bool,
    pub(super) bond: Bond,
    /// The product's settings beside its servers.
    pub(super) settings: Vec<(&'static str, String)>,
}

impl Default for Plant {
    fn default() -> Self {
        Self { loses_an_event: false, bond: Bond::Whole, settings: Vec::new() }
    }
}

impl Run<'_> {
    /// Runs it; everything that did not hold.
    pub(super) fn go(&self, scratch: &Path) -> Result<Vec<Fault>> {
        let Self { settings, plant } = self;
        let cache = if settings.server == Server::Memcached { Server::Memcached } else { Server::Redis };
        let mut pair = Pair::start(scratch, cache, plant.bond, &plant.settings)?;
        fill(&pair)?;

        let (records, notes, timeline) = self.load(&mut pair)?;
        let (mut events, mut key_values) = (EventLedger::default(), KeyValueLedger::default());
        let mut acknowledged = (0, 0);
        for notes in notes {
            let (of_events, of_key_values) = notes.enter(&mut events, &mut key_values);
            acknowledged = (acknowledged.0 + of_events, acknowledged.1 + of_key_values);
        }
        if plant.loses_an_event {
            delete_newest(&pair.postgres, &events)?;
        }
        let mut stored = Faults::default();
        for address in pair.addresses() {
            let found = check(address, &pair.key, Extent::All, &mut events, &mut key_values)?;
            stored.events.extend(found.events);
            stored.key_values.extend(found.key_values);
        }
        println!(
            "{} events and {} key-values acknowledged, {} events stored; not as they should be: {}",
            acknowledged.0,
            acknowledged.1,
            events.last_sequence(),
            stored.count()
        );
        Ok(judge(settings, &records, &timeline, &stored))
    }

    /// Loads both nodes while the server goes away and comes back.
    fn load(&self, pair: &mut Pair) -> Result<(Vec<Record>, Vec<Notes>, Timeline)> {
        let (begun, stop) = (Instant::now(), AtomicBool::new(false));
        let written = WrittenKeys::new(WRITERS * KEYS_A_WRITER);
        let ([first, second], key) = (pair.addresses(), pair.key.clone());
        let seed = self.settings.seed;
        let (stop, written, key) = (&stop, &written, key.as_str());
        thread::scope(|scope| {
            let caller = |address| Caller::new(address, key, begun, stop);
            let writers: Vec<_> = (0..WRITERS)
                .map(|number| {
                    let (caller, random) = (caller(first), Random::part(seed, number));
                    let first_key = number * KEYS_A_WRITER;
                    scope.spawn(move || write(caller, random, first_key, KEYS_A_WRITER, written))
                })
                .collect();
            let mut readers = Vec::new();
            for number in 0..READERS {
                for (node, address) in [first, second].into_iter().enumerate() {
                    let random = Random::part(seed, WRITERS + number * 2 + node as u64);
                    let (kind, behind) = match node {
                        0 => (Kind::ReadAtWriter, Duration::ZERO),
                        _ => (Kind::ReadAtOther, BOUND),
                    };
                    let (cached, own) = (caller(address), random.clone());
                    readers
                        .push(scope.spawn(move || read_cached(cached, own, FIRST_CACHED_KEY, CACHED_KEYS)));
                    let caller = caller(address);
                    readers.push(scope.spawn(move || read_written(caller, kind, random, written, behind)));
                }
            }
            let timeline = self.outage(pair, begun);
            // Whatever happened, they must end, or this would wait for ever.
            stop.store(true, Ordering::Relaxed);
            let (mut records, mut notes) = (Vec::new(), Vec::new());
            for writer in writers {
                let (of_writer, notes_of_writer) = join(writer)?;
                records.extend(of_writer);
                notes.push(notes_of_writer);
            }
            for reader in readers {
                records.extend(join(reader)?);
            }
            Ok((records, notes, timeline?))
        })
    }

    /// The server goes away, and comes back.
    fn outage(&self, pair: &mut Pair, begun: Instant) -> Result<Timeline> {
        let Settings { server, is_frozen, outage, .. } = self.settings;
        thread::sleep(WARM_UP);
        let others_before = others_during(MEASURED)?;
        let server = if *server == Server::Postgres { &mut pair.postgres } else { &mut pair.cache };
        let hit = begun.elapsed();
        if *is_frozen {
            server.freeze()?;
        } else {
            server.kill()?;
        }
        thread::sleep(*outage);
        if *is_frozen {
            server.thaw()?;
        } else {
            server.start()?;
        }
        let back = begun.elapsed();
        thread::sleep(RECOVERY);
        let others_after = others_during(MEASURED)?;
        println!(
            "others used {:.0} % of the machine while speed was measured before, {:.0} % after",
            others_before * 100.0,
            others_after * 100.0
        );
        let full = back + RECOVERY;
        Ok(Timeline { before: WARM_UP..hit, outage: hit..back, after: full..full + MEASURED })
    }
}

/// Waits so long; the share of the machine, 0 to 1, that others used meanwhile. With much of that, a speed says little.
fn others_during(time: Duration) -> Result<f64> {
    let meter = Meter::start()?;
    thread::sleep(time);
    meter.share_of_others()
}

/// Stores the keys that nobody will write, and has both nodes read them.
fn fill(pair: &Pair) -> Result<()> {
    for (node, address) in pair.addresses().into_iter().enumerate() {
        let mut client = Client::connect(address, Some(&pair.key))?;
        for key in FIRST_CACHED_KEY..FIRST_CACHED_KEY + CACHED_KEYS {
            let path = format!("/api/v1/kv/{}", key_name(key));
            if node == 0 && client.put(&path, &value(key, 1))?.status != 201 {
                return Err(format!("key {key} was not stored").into());
            }
            if client.get(&path)?.status != 200 {
                return Err(format!("key {key} was not read").into());
            }
        }
    }
    Ok(())
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> Result<T> {
    thread.join().map_err(|_| "a client of the load panicked".into())
}
