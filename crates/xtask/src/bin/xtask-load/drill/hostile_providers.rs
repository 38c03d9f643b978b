//! S14: providers that mean ill. Whatever they answer, their runs end and say why, memory stays bounded, nothing that
//! was known is lost, and the feeds of others are fetched on time.

mod catalog;
mod settings;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::product;
use crate::provider::{Dialect, Feed, Hostility, Provider, Settings as ProviderSettings};
use crate::scratch::Scratch;
use crate::server::Server;
use catalog::{Catalog, Run};
pub(super) use settings::Settings;

/// Plans of the feed that means well.
const PLANS: u64 = 500;
/// How often it is fetched.
const INTERVAL: Duration = Duration::from_secs(10);
/// How late it may be: the timer's tenth, and what a run takes on a busy machine.
const LATENESS: Duration = Duration::from_secs(6);
/// Within so long every run ends: `feeds.fetch_timeout_seconds` below, and what else a run takes.
const LONGEST_RUN: Duration = Duration::from_secs(40);
/// How much more memory all hostile feeds together may take, at a time.
const MAX_MEMORY_MIB: u64 = 256;

/// Runs the drill, or its self-test.
pub(super) fn run(settings: &Settings) -> Result<()> {
    let mut scratch = Scratch::new("hostile-providers")?;
    let done = drill(settings, scratch.path());
    let done = match (settings.is_self_test, done) {
        (false, done) => done,
        (true, Err(failure)) if failure.to_string().contains(PLANTED.name()) => {
            println!("found, as planted: {failure}");
            Ok(())
        }
        (true, Err(failure)) => Err(failure),
        (true, Ok(())) => Err("the planted fault was not found".into()),
    };
    if done.is_err() {
        scratch.keep();
    }
    done
}

/// In a self-test this one's feed is a good one: its run does not fail, which must be found.
const PLANTED: Hostility = Hostility::WrongType;

fn drill(settings: &Settings, scratch: &Path) -> Result<()> {
    let data_dir = scratch.join("data");
    let good = Provider::start(ProviderSettings {
        has_validators: false,
        ..ProviderSettings::faultless(feed(settings.seed))
    })?;
    let good_url = format!("http://{}/feed", good.address());
    thread::spawn(|| good.serve());

    let server = start(&data_dir, true)?;
    let key = product::make_tenant(server.address(), &data_dir)?;
    let mut catalog = Catalog::connect(server.address(), &key)?;
    let good_feed = catalog.add_feed("good", &good_url, INTERVAL.as_secs(), true)?;
    let run = catalog.request_run(&good_feed)?;
    let run = catalog.wait_for(&good_feed, &run, LONGEST_RUN)?;
    if run.state != "succeeded" || run.plans_seen != PLANS {
        return Err(format!("the good feed's first run: {run:?}").into());
    }
    let known = catalog.plans()?;
    if known.is_empty() {
        return Err("no plan of the good feed is found".into());
    }
    let memory_before = peak_memory_mib(&server)?;

    let mut hostile = Vec::new();
    for hostility in Hostility::ALL {
        // Where private addresses are allowed, that one only leads to the good feed.
        if hostility == Hostility::RedirectLoopback {
            continue;
        }
        let provider = Provider::start(ProviderSettings::faultless(feed(settings.seed)))?;
        let mut url = format!("http://{}/hostile/{}", provider.address(), hostility.name());
        if settings.is_self_test && hostility == PLANTED {
            url.clone_from(&good_url);
        }
        thread::spawn(|| provider.serve());
        let feed = catalog.add_feed(hostility.name(), &url, 86_400, false)?;
        let run = catalog.request_run(&feed)?;
        hostile.push((hostility, feed, run));
    }

    let watch = watch(settings, &mut catalog, &good_feed)?;
    for (hostility, feed, run) in &hostile {
        let run = catalog.wait_for(feed, run, LONGEST_RUN)?;
        println!(
            "{}: {} after {} attempts and {} bytes: {}",
            hostility.name(),
            run.state,
            run.attempts,
            run.bytes,
            run.told()
        );
        if run.state != "failed" || run.told().is_empty() {
            return Err(format!("the run of {}: {run:?}", hostility.name()).into());
        }
    }
    let memory = peak_memory_mib(&server)?.saturating_sub(memory_before);
    println!(
        "the good feed was fetched {} times, at most {:.1} s apart; memory grew by {memory} MiB",
        watch.runs,
        watch.longest_gap.as_secs_f64()
    );
    if watch.longest_gap > INTERVAL + LATENESS {
        return Err(format!("the good feed was {:.1} s apart", watch.longest_gap.as_secs_f64()).into());
    }
    if memory > MAX_MEMORY_MIB {
        return Err(format!("memory grew by {memory} MiB").into());
    }
    same_plans(&known, &catalog.plans()?)?;
    server.stop()?;
    private_addresses(settings, &data_dir, &key, &good_feed, &known)
}

/// With private addresses refused nothing of this machine is asked, and nothing is lost for it.
fn private_addresses(
    settings: &Settings,
    data_dir: &Path,
    key: &str,
    good_feed: &str,
    known: &[String],
) -> Result<()> {
    let provider = Provider::start(ProviderSettings::faultless(feed(settings.seed)))?;
    let state = provider.state();
    let url = format!("http://{}/hostile/{}", provider.address(), Hostility::RedirectLoopback.name());
    thread::spawn(|| provider.serve());
    let server = start(data_dir, false)?;
    let mut catalog = Catalog::connect(server.address(), key)?;
    let inside = catalog.add_feed("inside", &url, 86_400, false)?;
    for feed in [inside.as_str(), good_feed] {
        let run = catalog.request_run(feed)?;
        let run = catalog.wait_for(feed, &run, LONGEST_RUN)?;
        println!("with private addresses refused: {}: {}", run.state, run.told());
        if run.state != "failed" || !run.told().contains("loopback") {
            return Err(format!("with private addresses refused: {run:?}").into());
        }
    }
    if state.requests() > 0 {
        return Err("an address that is not allowed was asked".into());
    }
    same_plans(known, &catalog.plans()?)?;
    server.stop()
}

fn feed(seed: u64) -> Feed {
    let none = 0;
    Feed {
        plans: PLANS,
        zones: 20,
        dialect: Dialect::Plan,
        seed,
        bad_dates: none,
        duplicates: none,
        changes: none,
        leaving: none,
    }
}

/// Starts the product, impatient, with enough workers for all of them at once.
fn start(data_dir: &Path, allows_private: bool) -> Result<Server> {
    fs::create_dir_all(data_dir)?;
    let allowed = [("feeds.allow_private_addresses", allows_private.to_string())];
    let numbers = [
        ("feeds.connect_timeout_seconds", 3),
        ("feeds.answer_timeout_seconds", 3),
        ("feeds.idle_timeout_seconds", 3),
        ("feeds.attempt_timeout_seconds", 8),
        ("feeds.fetch_timeout_seconds", 20),
        ("feeds.max_attempts", 2),
        ("feeds.max_backoff_seconds", 1),
        ("feeds.max_feed_bytes", 256 << 20),
        ("jobs.workers", 16),
    ]
    .map(|(key, value): (_, u64)| (key, value.to_string()));
    let server = product::start(data_dir, &[&allowed[..], &numbers[..]].concat())?;
    product::wait_until_ready(server.address())?;
    Ok(server)
}

/// How the good feed fared.
struct Watch {
    runs: usize,
    longest_gap: Duration,
}

/// Watches the good feed's runs for as long as the settings say.
fn watch(settings: &Settings, catalog: &mut Catalog, feed: &str) -> Result<Watch> {
    let started = Instant::now();
    let (mut last, mut longest_gap) = (started, Duration::ZERO);
    let mut ended: Vec<Run> = catalog.ended_runs(feed)?;
    let before = ended.len();
    while started.elapsed() < settings.watched {
        thread::sleep(Duration::from_millis(100));
        let now = catalog.ended_runs(feed)?;
        if let Some(bad) = now.iter().find(|run| run.state != "succeeded") {
            return Err(format!("a run of the good feed: {bad:?}").into());
        }
        if now.len() > ended.len() {
            longest_gap = longest_gap.max(last.elapsed());
            last = Instant::now();
        }
        ended = now;
    }
    Ok(Watch { runs: ended.len() - before, longest_gap: longest_gap.max(last.elapsed()) })
}

fn same_plans(before: &[String], after: &[String]) -> Result<()> {
    let lost = before.iter().filter(|plan| !after.contains(plan)).count();
    if lost > 0 || after.len() != before.len() {
        return Err(format!(
            "of {} plans {lost} are not there any more, and there are {}",
            before.len(),
            after.len()
        )
        .into());
    }
    Ok(())
}

/// `VmHWM` of Linux's `/proc/PID/status`.
fn peak_memory_mib(server: &Server) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", server.process_id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("there is no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? / 1024)
}
