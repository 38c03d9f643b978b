//! S1: kill -9 under load. Nothing acknowledged is lost, nothing stands there that was not sent.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use xtask::event_ledger::{EventFault, EventLedger};
use xtask::key_value_ledger::KeyValueLedger;
use xtask::random::Random;
use xtask::servers;

use super::check::{Extent, Faults, check};
use super::load::Writer;
use super::plant::{delete_newest, plant_loss};
use super::settings::{CONNECTIONS, KEYS_A_THREAD, Settings, THREADS};
use crate::Result;
use crate::database;
use crate::engine::Engine;
use crate::generator::{self, Load};
use crate::http::Template;
use crate::private::{PrivateServer, PrivateServers};
use crate::product;
use crate::scratch::Scratch;
use crate::server::Server;

/// Every so many rounds, and in the last one, all events are looked at; in the others the new ones.
const ROUNDS_TO_FULL_CHECK: u64 = 50;
/// Rounds within which a self-test must have had the occasion to plant its fault.
const ROUNDS_TO_PLANT: u64 = 20;

/// Runs the drill, or its self-test.
pub(super) fn run(settings: &Settings) -> Result<()> {
    let mut scratch = Scratch::new("crash")?;
    let done = Drill::start(settings, scratch.path()).and_then(|drill| match settings.is_self_test {
        false => drill.rounds(),
        true => drill.self_test(),
    });
    if done.is_err() {
        scratch.keep();
    }
    done
}

/// A drill under way, over all its crashes.
struct Drill<'a> {
    settings: &'a Settings,
    data_dir: PathBuf,
    configuration: Vec<(&'static str, String)>,
    server: Server,
    /// PostgreSQL, if it is the engine; it goes on when the product is killed.
    postgres: Option<PrivateServer>,
    key: String,
    random: Random,
    events: EventLedger,
    key_values: KeyValueLedger,
    acknowledged_events: u64,
    acknowledged_key_values: u64,
}

impl<'a> Drill<'a> {
    fn start(settings: &'a Settings, scratch: &Path) -> Result<Self> {
        let data_dir = scratch.join("data");
        let (postgres, configuration) = match settings.engine {
            Engine::Sqlite => (None, Vec::new()),
            Engine::Postgres => {
                let postgres = PrivateServers::new(scratch)?.start(servers::Server::Postgres, "postgres")?;
                let configuration = database::prepare(&postgres, &data_dir)?;
                (Some(postgres), configuration)
            }
        };
        let server = product::start(&data_dir, &configuration)?;
        product::wait_until_ready(server.address())?;
        let key = product::make_tenant(server.address(), &data_dir)?;
        Ok(Self {
            settings,
            data_dir,
            configuration,
            server,
            postgres,
            key,
            random: Random::new(settings.seed),
            events: EventLedger::default(),
            key_values: KeyValueLedger::default(),
            acknowledged_events: 0,
            acknowledged_key_values: 0,
        })
    }

    fn rounds(mut self) -> Result<()> {
        let rounds = self.settings.rounds;
        for round in 1..=rounds {
            self.load_and_crash(round)?;
            let is_full = round == rounds || round.is_multiple_of(ROUNDS_TO_FULL_CHECK);
            let faults = self.restart_and_check(if is_full { Extent::All } else { Extent::New })?;
            expect_none(&faults)?;
        }
        let Self { settings, events, acknowledged_events, acknowledged_key_values, .. } = &self;
        println!(
            "{settings}: {rounds} crashes, {acknowledged_events} events and {acknowledged_key_values} \
             key-values acknowledged, {} events stored: 0 lost, 0 phantom, 0 duplicated, 0 gaps",
            events.last_sequence()
        );
        Ok(())
    }

    fn self_test(mut self) -> Result<()> {
        for round in 1..=ROUNDS_TO_PLANT {
            self.load_and_crash(round)?;
            // The first round shows that nothing is reported where nothing was planted.
            let planted = if round == 1 { None } else { self.plant()? };
            let faults = self.restart_and_check(Extent::New)?;
            let Some(planted) = planted else {
                expect_none(&faults)?;
                continue;
            };
            let is_it = |fault: &EventFault| matches!(fault, EventFault::Lost { id, .. } if *id == planted);
            if !faults.events.iter().any(is_it) {
                return Err("the planted loss was not found".into());
            }
            println!("{}: the planted loss was found, {} faults in all", self.settings, faults.count());
            return Ok(());
        }
        Err(format!("in {ROUNDS_TO_PLANT} rounds there was no occasion to plant the fault").into())
    }

    /// Takes an acknowledged event away, if there is one that can be; answers its id.
    fn plant(&self) -> Result<Option<u128>> {
        match &self.postgres {
            Some(postgres) => delete_newest(postgres, &self.events),
            None => plant_loss(&self.data_dir, &self.events),
        }
    }

    /// Writes until a moment that nobody knows beforehand, and kills the server then.
    fn load_and_crash(&mut self, round: u64) -> Result<()> {
        let address = self.server.address();
        let longest = self.settings.longest;
        let moment = longest.mul_f64(0.25 + 0.75 * (self.random.below(1 << 20) as f64 / f64::from(1 << 20)));
        let load = Load {
            address,
            connections: CONNECTIONS,
            warm_up: Duration::ZERO,
            measured: longest + Duration::from_secs(30),
            per_second: None,
            may_break: true,
        };
        let writers = (0..THREADS).map(|thread| self.writer(round, thread)).collect();
        let server = &mut self.server;
        let outcome = thread::scope(|scope| {
            let loading = scope.spawn(|| generator::run(&load, writers));
            thread::sleep(moment);
            let killed = server.kill();
            let outcome = loading.join().unwrap_or_else(|_| Err("the load generator panicked".into()));
            killed.and(outcome)
        })?;

        let mut acknowledged = 0;
        for writer in outcome.callers {
            let (events, key_values) = writer.enter(&mut self.events, &mut self.key_values);
            self.acknowledged_events += events;
            self.acknowledged_key_values += key_values;
            acknowledged += events + key_values;
        }
        let minimum = self.settings.minimum;
        println!("round {round}: killed after {moment:.2?}, {acknowledged} writes acknowledged");
        if acknowledged < minimum {
            return Err(
                format!("{acknowledged} acknowledged writes are too few, {minimum} is the least").into()
            );
        }
        Ok(())
    }

    fn writer(&self, round: u64, thread: u64) -> Writer {
        let address = self.server.address();
        let events = Template::new("POST", "/api/v1/events", address, &self.key);
        let key_values = Template::new("PUT", "/api/v1/kv/", address, &self.key);
        Writer::new(
            events.with_content_type("application/json"),
            key_values.with_content_type("text/plain"),
            Random::part(self.settings.seed, round * THREADS + thread + 1),
            thread * KEYS_A_THREAD..(thread + 1) * KEYS_A_THREAD,
            &self.key_values,
        )
    }

    fn restart_and_check(&mut self, extent: Extent) -> Result<Faults> {
        self.server = product::start(&self.data_dir, &self.configuration)?;
        product::wait_until_ready(self.server.address())?;
        let Self { server, key, events, key_values, .. } = self;
        check(server.address(), key, extent, events, key_values)
    }
}

fn expect_none(faults: &Faults) -> Result<()> {
    match faults.count() {
        0 => Ok(()),
        count => Err(format!("{count} faults, the first of them:\n{}", faults.text()).into()),
    }
}
