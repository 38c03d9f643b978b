//! A crowd of readers of one key that no cache holds, on both nodes at once.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::Result;
use crate::database::SCHEMA;
use crate::drill::pair::Pair;
use crate::drill::value_text::{key_name, value};
use crate::generator::{self, Caller, Load};
use crate::http::{Client, Response, Template};
use crate::psql;

/// Readers on each node.
const READERS_A_NODE: usize = 500;
/// Keys, one after the other.
const ROUNDS: u64 = 10;
/// The number of the first; the probes' keys are below.
const FIRST_KEY: u64 = 1_000_000;
/// Within this time PostgreSQL counts what a connection has done that rests since (`PGSTAT_IDLE_INTERVAL`, 10 s).
const COUNTED_WITHIN: Duration = Duration::from_secs(12);

/// What it came to.
#[derive(Debug)]
pub(super) struct Found {
    /// Calls of the function that reads key-values, as PostgreSQL counts them.
    reads: u64,
    /// Of each round: requests that were sent before the first answer came.
    waiting: Vec<u64>,
}

/// Has each key read by everybody.
pub(super) fn run(pair: &Pair) -> Result<Found> {
    for address in pair.addresses() {
        // So that the access key is not what is read from the database; and no other read is counted late.
        Client::connect(address, Some(&pair.key))?.get("/api/v1/kv/warm")?;
    }
    thread::sleep(COUNTED_WITHIN);
    let before = reads(pair)?;
    let mut waiting = Vec::new();
    for key in FIRST_KEY..FIRST_KEY + ROUNDS {
        insert(pair, key)?;
        waiting.push(round(pair, key)?);
    }
    thread::sleep(COUNTED_WITHIN);
    Ok(Found { reads: reads(pair)? - before, waiting })
}

/// Stores a key past the product, so that no cache has heard of it.
fn insert(pair: &Pair, key: u64) -> Result<()> {
    let (name, text) = (key_name(key), String::from_utf8(value(key, 1))?);
    let insertion = format!(
        "INSERT INTO {SCHEMA}.key_values (tenant_number, key, content_type, version, revision, created_at, updated_at, \
         value) SELECT max(tenant_number), '{name}', 'text/plain', 1, 1, now(), now(), '{text}' \
         FROM {SCHEMA}.tenant_counters"
    );
    psql::query(&pair.postgres, &insertion)?;
    Ok(())
}

fn reads(pair: &Pair) -> Result<u64> {
    let counted = format!(
        "SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions \
         WHERE schemaname = '{SCHEMA}' AND funcname = 'find_key_values'"
    );
    Ok(psql::query(&pair.postgres, &counted)?.parse()?)
}

/// All read one key; how many had asked before the first was answered.
fn round(pair: &Pair, key: u64) -> Result<u64> {
    let (sent, first) = (AtomicU64::new(0), Mutex::new(None));
    let read = |address: SocketAddr| {
        let load = Load {
            address,
            connections: READERS_A_NODE,
            warm_up: Duration::ZERO,
            measured: Duration::from_secs(30),
            per_second: None,
            may_break: false,
        };
        let template = Template::new("GET", "/api/v1/kv/", address, &pair.key);
        let reader = Reader { template, key, left: READERS_A_NODE, sent: &sent, first: &first };
        generator::run(&load, vec![reader])
    };
    let answered = thread::scope(|scope| {
        let nodes = pair.addresses().map(|address| scope.spawn(move || read(address)));
        let mut answered = 0;
        for node in nodes {
            answered += node.join().unwrap_or_else(|_| Err("a reader panicked".into()))?.answered;
        }
        Ok::<_, crate::Failure>(answered)
    })?;
    if answered != 2 * READERS_A_NODE as u64 {
        return Err(format!("{answered} readers were answered").into());
    }
    let first = first.lock().ok().and_then(|first| *first);
    Ok(first.unwrap_or_default())
}

/// Reads once on each connection.
struct Reader<'a> {
    template: Template,
    key: u64,
    left: usize,
    sent: &'a AtomicU64,
    first: &'a Mutex<Option<u64>>,
}

impl Caller for Reader<'_> {
    type Ticket = ();

    fn request(&mut self, request: &mut Vec<u8>) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        self.template.write(key_name(self.key).as_bytes(), request);
        self.sent.fetch_add(1, Ordering::Relaxed);
        Some(())
    }

    fn answer(&mut self, (): (), response: &Response<'_, '_>) -> Result<()> {
        if let Ok(mut first) = self.first.lock() {
            first.get_or_insert(self.sent.load(Ordering::Relaxed));
        }
        if response.status != 200 || response.body != value(self.key, 1) {
            return Err(format!("a reader was answered with {}", response.status).into());
        }
        Ok(())
    }
}

impl Found {
    /// Fails unless each key was read once.
    pub(super) fn expect_good(&self) -> Result<()> {
        match self.reads {
            ROUNDS => Ok(()),
            reads => Err(format!("{ROUNDS} cold keys were read {reads} times").into()),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut waiting = self.waiting.clone();
        waiting.sort_unstable();
        let median = waiting.get(waiting.len() / 2).copied().unwrap_or_default();
        write!(
            f,
            "{ROUNDS} cold keys, {} readers of each at once (median of those that had asked before the first was \
             answered: {median}): {} reads of the database",
            2 * READERS_A_NODE,
            self.reads
        )
    }
}
