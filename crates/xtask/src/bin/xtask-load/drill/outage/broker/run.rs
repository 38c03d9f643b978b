//! The course of the drill.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant, SystemTime};

use xtask::event_ledger::EventLedger;
use xtask::key_value_ledger::KeyValueLedger;
use xtask::random::Random;

use super::plant;
use super::requests::{Asked, ask};
use super::stand::Stand;
use super::verdict::{DRAINED_WITHIN, Evidence, Fault, judge};
use super::{effects, stories};
use crate::Result;
use crate::drill::check::{Extent, Faults, check};
use crate::drill::notes::Notes;
use crate::drill::outage::clients::{Caller, write};
use crate::drill::outage::record::Record;
use crate::drill::outage::settings::Settings;
use crate::drill::outage::timeline::Timeline;
use crate::drill::outage::written_keys::WrittenKeys;
use crate::drill::plant::delete_newest;
use crate::rabbitmqctl;

/// Before anything is measured.
const WARM_UP: Duration = Duration::from_secs(5);
/// How long the usual state is measured.
const MEASURED: Duration = Duration::from_secs(10);

/// Writers of events and key-values, half of them on each node.
const WRITERS: u64 = 8;
const KEYS_A_WRITER: u64 = 16;

/// How long what is still in the queue of jobs may take to be passed over: of runs that have ended.
const EMPTY_WITHIN: Duration = Duration::from_secs(20);

/// A run of the drill.
pub(super) struct Run<'a> {
    pub(super) settings: &'a Settings,
    /// Whether faults are planted: an event, a run and the doubling of an effect, and workers that stand still.
    pub(super) is_spoilt: bool,
}

/// What came of the load.
struct Loaded {
    records: Vec<Record>,
    notes: Vec<Notes>,
    asked: Vec<Asked>,
    timeline: Timeline,
    begun_at: SystemTime,
}

impl Run<'_> {
    /// Runs it; everything that did not hold.
    pub(super) fn go(&self, scratch: &Path) -> Result<Vec<Fault>> {
        let mut stand = Stand::start(scratch, self.settings.seed)?;
        let Loaded { records, notes, asked, timeline, begun_at } = self.load(&mut stand)?;
        stand.stop_timer()?;

        let (mut events, mut key_values) = (EventLedger::default(), KeyValueLedger::default());
        for notes in notes {
            notes.enter(&mut events, &mut key_values);
        }
        if self.is_spoilt {
            delete_newest(&stand.pair.postgres, &events)?;
            plant::lose_run(&stand.pair.postgres, &asked)?;
        }
        let stories = if self.is_spoilt {
            // Once no run is open any more, so that none comes behind it.
            stories::read(&stand, &asked)?;
            plant::double_effect(&stand.pair.postgres)?;
            stories::read(&stand, &asked)?
        } else {
            stories::read(&stand, &asked)?
        };
        let mut stored = Faults::default();
        for address in stand.pair.addresses() {
            let found = check(address, &stand.pair.key, Extent::All, &mut events, &mut key_values)?;
            stored.events.extend(found.events);
            stored.key_values.extend(found.key_values);
        }
        let evidence = Evidence {
            records: &records,
            timeline: &timeline,
            begun_at,
            stories: &stories,
            wrong: effects::wrong(&stories),
            stored: &stored,
            left: left_in_queues(&stand)?,
        };
        judge(self.settings, evidence)
    }

    /// Loads both nodes while the broker goes away and comes back.
    fn load(&self, stand: &mut Stand) -> Result<Loaded> {
        let (begun, begun_at, stop) = (Instant::now(), SystemTime::now(), AtomicBool::new(false));
        let written = WrittenKeys::new(WRITERS * KEYS_A_WRITER);
        let seed = self.settings.seed;
        let (nodes, key) = (stand.pair.addresses(), stand.pair.key.clone());
        let tenants = std::mem::take(&mut stand.tenants);
        let (stop, written, key) = (&stop, &written, key.as_str());
        let loaded = thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|number| {
                    let caller = Caller::new(nodes[(number % 2) as usize], key, begun, stop);
                    let random = Random::part(seed, number);
                    scope.spawn(move || write(caller, random, number * KEYS_A_WRITER, KEYS_A_WRITER, written))
                })
                .collect();
            let askers: Vec<_> = tenants
                .iter()
                .enumerate()
                .map(|(number, tenant)| {
                    let caller = Caller::new(nodes[number % 2], &tenant.key, begun, stop);
                    let random = Random::part(seed, WRITERS + number as u64);
                    scope.spawn(move || ask(caller, random, &tenant.feeds))
                })
                .collect();
            let timeline = self.outage(stand, begun);
            // Whatever happened, they must end, or this would wait for ever.
            stop.store(true, Ordering::Relaxed);
            let (mut records, mut notes, mut asked) = (Vec::new(), Vec::new(), Vec::new());
            for writer in writers {
                let (of_writer, notes_of_writer) = join(writer)?;
                records.extend(of_writer);
                notes.push(notes_of_writer);
            }
            for asker in askers {
                let (of_asker, asked_of_it) = join(asker)?;
                records.extend(of_asker);
                asked.extend(asked_of_it);
            }
            Ok(Loaded { records, notes, asked, timeline: timeline?, begun_at })
        });
        stand.tenants = tenants;
        loaded
    }

    /// The broker goes away, and comes back.
    fn outage(&self, stand: &mut Stand, begun: Instant) -> Result<Timeline> {
        let Settings { is_frozen, outage, .. } = self.settings;
        thread::sleep(WARM_UP + MEASURED);
        let hit = begun.elapsed();
        if *is_frozen {
            stand.broker.freeze()?;
        } else {
            stand.broker.kill()?;
        }
        thread::sleep(*outage);
        if *is_frozen {
            stand.broker.thaw()?;
        } else {
            stand.broker.start()?;
        }
        let back = begun.elapsed();
        if self.is_spoilt {
            stand.workers.iter().try_for_each(|worker| worker.freeze())?;
        }
        thread::sleep(DRAINED_WITHIN);
        if self.is_spoilt {
            stand.workers.iter().try_for_each(|worker| worker.thaw())?;
        }
        Ok(Timeline { before: WARM_UP..hit, outage: hit..back, after: back..back + DRAINED_WITHIN })
    }
}

/// The queues that must be empty, and are not: that of jobs soon, and that of what could not be done.
fn left_in_queues(stand: &Stand) -> Result<Vec<(String, u64)>> {
    let end = Instant::now() + EMPTY_WITHIN;
    loop {
        let queues = rabbitmqctl::messages(&stand.broker)?;
        let of = |name: &str| queues.get(name).map(|messages| (name.to_owned(), *messages));
        let (jobs, aside) = (of("tenantry.jobs"), of("tenantry.jobs.aside"));
        let (Some(jobs), Some(aside)) = (jobs, aside) else {
            return Err(format!("the queues are not there: {queues:?}").into());
        };
        if jobs.1 == 0 || Instant::now() > end {
            return Ok([jobs, aside].into_iter().filter(|(_, messages)| *messages > 0).collect());
        }
    }
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> Result<T> {
    thread.join().map_err(|_| "a client of the load panicked".into())
}
