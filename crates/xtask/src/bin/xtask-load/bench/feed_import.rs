//! P8: the whole import of a feed on SQLite, against reading it alone; what memory it takes, and how long it holds up
//! those who write meanwhile.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Deserialize;

use super::settings::Settings;
use super::sides::Sides;
use super::table::{Row, Target};
use super::turns::Side;
use crate::disturbance::Meter;
use crate::engine::Engine;
use crate::http::Client;
use crate::{Result, moment, process_memory};

/// No import takes as long.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks at a run.
const LOOK: Duration = Duration::from_millis(20);
/// How long memory may settle before it counts as idle.
const SETTLES: Duration = Duration::from_secs(2);

/// Those who write meanwhile, and between two writes of each.
const WRITERS: usize = 4;
const BETWEEN_WRITES: Duration = Duration::from_millis(2);
/// No write waits longer for an import.
const LONGEST_WAIT_MS: f64 = 100.0;

/// Imports, and reading, may differ by so much: the import takes at most five times as long.
const LEAST_RATIO: f64 = 0.2;

/// A feed in two versions, each in a file.
pub(super) struct Versions {
    pub(super) first: PathBuf,
    /// With a tenth of the plans changed.
    pub(super) changed: PathBuf,
    pub(super) plans: u64,
    pub(super) bytes: u64,
}

/// Measures it; `reading` is how fast the same bytes are read.
pub(super) fn measure(
    settings: &Settings,
    scratch: &Path,
    versions: &Versions,
    reading: &Side,
) -> Result<Vec<Row>> {
    let near = [("feeds.allow_private_addresses", "true".to_owned())];
    let sides = Sides::start(scratch, "P8", Engine::Sqlite, &near)?;
    let provider = Provider::start(&versions.first)?;
    let importer =
        Importer { product: sides.product.address(), key: &sides.key, provider: &provider, versions };
    let process = sides.product.process_id();
    thread::sleep(SETTLES);
    let idle = process_memory::resident_mib(process)?;

    let mut seconds = [Vec::new(), Vec::new(), Vec::new()];
    let (mut above_idle, mut others) = (Vec::new(), Vec::new());
    for round in 1..=settings.rounds {
        process_memory::forget_peak(process)?;
        let meter = Meter::start()?;
        let took = importer.import_three_times(round)?;
        others.push(meter.share_of_others()?);
        above_idle.push(process_memory::peak_mib(process)? - idle);
        println!("P8, import, round {round}: {took:.2?} s, {:.1} MiB above idle", above_idle[round - 1]);
        for (all, took) in seconds.iter_mut().zip(took) {
            all.push(took);
        }
    }
    let waits = importer.with_writers()?;
    let at = |quantile| waits.value_at_quantile(quantile) as f64 / 1e3;
    println!(
        "P8, writes meanwhile: {}; p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        waits.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );

    let kinds = ["for the first time", "with nothing changed", "with a tenth of its plans changed"];
    let mut rows: Vec<Row> = kinds
        .iter()
        .zip(seconds)
        .map(|(kind, seconds)| {
            let per_second = seconds.iter().map(|seconds| versions.bytes as f64 / seconds).collect();
            let ours = Side { per_second, latency: None, others: others.clone() };
            let work = format!("bytes of that feed imported {kind}, SQLite");
            let theirs = Side { per_second: reading.per_second.clone(), latency: None, others: Vec::new() };
            Row::against("reading", "P8", work, ours, theirs, Target::Ratio(LEAST_RATIO))
        })
        .collect();
    rows.push(Row::alone(
        "P8",
        "memory above idle during these imports",
        "MiB",
        above_idle,
        Target::AtMost(64.0),
    ));
    let work = format!("the longest wait of a `PUT kv` during these imports (p99 {:.1} ms)", at(0.99));
    rows.push(Row::alone("P8", &work, "ms", vec![at(1.0)], Target::AtMost(LONGEST_WAIT_MS)));
    Ok(rows)
}

/// Imports feeds into the product.
struct Importer<'a> {
    product: SocketAddr,
    key: &'a str,
    provider: &'a Provider,
    versions: &'a Versions,
}

#[derive(Deserialize)]
struct Feed {
    id: String,
}

#[derive(Deserialize)]
struct Run {
    id: String,
    outcome: Option<String>,
    detail: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
    plans_new: u64,
    plans_changed: u64,
    plans_unchanged: u64,
}

impl Importer<'_> {
    /// Imports a new feed, then the same once more, then the changed one; the seconds of each.
    fn import_three_times(&self, round: usize) -> Result<[f64; 3]> {
        let mut client = Client::connect(self.product, Some(self.key))?;
        let draft = format!(r#"{{"name":"{round}","url":"{}","enabled":false}}"#, self.provider.url());
        let feed: Feed = client.post("/api/v1/catalog/feeds", &draft)?.json(201)?;
        let plans = self.versions.plans;
        self.provider.serve(&self.versions.first);
        let (first, run) = self.import(&mut client, &feed)?;
        expect(run.plans_new == plans, &run)?;
        let (again, run) = self.import(&mut client, &feed)?;
        expect(run.plans_unchanged == plans, &run)?;
        self.provider.serve(&self.versions.changed);
        let (changed, run) = self.import(&mut client, &feed)?;
        expect((plans / 20..plans / 5).contains(&run.plans_changed), &run)?;
        Ok([first, again, changed])
    }

    /// From when a worker takes it until it has ended, by the run's report.
    fn import(&self, client: &mut Client, feed: &Feed) -> Result<(f64, Run)> {
        let runs = format!("/api/v1/catalog/feeds/{}/runs", feed.id);
        let run: Run = client.post(&runs, "")?.json(202)?;
        let path = format!("{runs}/{}", run.id);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let run: Run = client.get(&path)?.json(200)?;
            if let (Some(started), Some(finished)) = (&run.started_at, &run.finished_at) {
                expect(run.outcome.as_deref() == Some("succeeded"), &run)?;
                let took = moment::read(finished)?.duration_since(moment::read(started)?)?;
                return Ok((took.as_secs_f64(), run));
            }
            if Instant::now() > deadline {
                return Err("an import did not come to an end".into());
            }
            thread::sleep(LOOK);
        }
    }

    /// Imports once more while others write; how long each write took, in microseconds.
    fn with_writers(&self) -> Result<Histogram<u64>> {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let is_over = &is_over;
            let writers: Vec<_> =
                (0..WRITERS).map(|writer| scope.spawn(move || self.write(writer, is_over))).collect();
            let imported = self.import_three_times(0);
            is_over.store(true, Ordering::Relaxed);
            let mut waits = Histogram::new(3)?;
            for writer in writers {
                let of_one: Result<Histogram<u64>> =
                    writer.join().unwrap_or_else(|_| Err("a thread that writes panicked".into()));
                waits.add(of_one?)?;
            }
            imported?;
            Ok(waits)
        })
    }

    fn write(&self, writer: usize, is_over: &AtomicBool) -> Result<Histogram<u64>> {
        let mut client = Client::connect(self.product, Some(self.key))?;
        let mut waits = Histogram::new(3)?;
        let path = format!("/api/v1/kv/writer-{writer}");
        while !is_over.load(Ordering::Relaxed) {
            let sent = Instant::now();
            let answer = client.put(&path, b"value")?;
            if !matches!(answer.status, 200 | 201) {
                return Err(format!("a write was answered with {}", answer.status).into());
            }
            waits.record(sent.elapsed().as_micros() as u64)?;
            thread::sleep(BETWEEN_WRITES);
        }
        Ok(waits)
    }
}

fn expect(holds: bool, run: &Run) -> Result<()> {
    if holds {
        return Ok(());
    }
    let Run { outcome, detail, plans_new, plans_changed, plans_unchanged, .. } = run;
    Err(format!(
        "an import ended as {outcome:?}, {detail:?}, with {plans_new} new, {plans_changed} changed and \
         {plans_unchanged} unchanged plans"
    )
    .into())
}

/// A provider that serves a file, as fast as it is taken, for as long as this process lives.
struct Provider {
    address: SocketAddr,
    served: Arc<Mutex<PathBuf>>,
}

impl Provider {
    fn start(file: &Path) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let served = Arc::new(Mutex::new(file.to_path_buf()));
        let serving = Arc::clone(&served);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Whoever asked finds out what is missing.
                let _ = send(&stream, &serving);
            }
        });
        Ok(Self { address, served })
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Serves that file from now on.
    fn serve(&self, file: &Path) {
        file.clone_into(&mut self.served.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn send(mut stream: &TcpStream, served: &Mutex<PathBuf>) -> io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let mut file = File::open(&*served.lock().unwrap_or_else(PoisonError::into_inner))?;
    let length = file.metadata()?.len();
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    io::copy(&mut file, &mut stream).map(drop)
}
