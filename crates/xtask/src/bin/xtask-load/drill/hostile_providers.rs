//! S14: providers that mean ill, more of them than the product has workers. Whatever they answer, their runs end and say
//! why, memory stays bounded, nothing that was known is lost, and the feed of another tenant is fetched on time.

mod catalog;
mod settings;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::process_memory::peak_mib;
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
/// Beside one feed of each hostility, so many that send a byte a second: each holds its worker for as long as a fetch may
/// take, and there are more of them than workers.
const CROWD: usize = 24;
/// Within so long every run ends: several times `feeds.fetch_timeout_seconds` below, since most of them wait for others.
const LONGEST_RUN: Duration = Duration::from_secs(180);
/// How much more memory all hostile feeds together may take, at a time.
const MAX_MEMORY_MIB: f64 = 256.0;

/// Runs the drill, or its self-test.
pub(super) fn run(settings: &Settings) -> Result<()> {
    let mut scratch = Scratch::new("hostile-providers")?;
    let done = if settings.is_self_test {
        self_test(settings, &scratch)
    } else {
        drill(settings, scratch.path(), None)
    };
    if done.is_err() {
        scratch.keep();
    }
    done
}

/// What is wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plant {
    /// What should be [`SPOILT`] is a good feed: its run does not fail.
    NotHostile,
    /// There is one worker, whom hostile feeds hold: the good one is late.
    OneWorker,
}

/// Whose feed is a good one where that is planted.
const SPOILT: Hostility = Hostility::WrongType;

/// Shows that each of the planted faults is found.
fn self_test(settings: &Settings, scratch: &Scratch) -> Result<()> {
    for (plant, telling) in [(Plant::NotHostile, SPOILT.name()), (Plant::OneWorker, "s late")] {
        let folder = scratch.path().join(format!("{plant:?}"));
        fs::create_dir(&folder)?;
        match drill(settings, &folder, Some(plant)) {
            Err(failure) if failure.to_string().contains(telling) => println!("found, as planted: {failure}"),
            Err(failure) => return Err(failure),
            Ok(()) => return Err(format!("{plant:?} was not found").into()),
        }
    }
    Ok(())
}

fn drill(settings: &Settings, scratch: &Path, plant: Option<Plant>) -> Result<()> {
    let data_dir = scratch.join("data");
    let good = Provider::start(ProviderSettings {
        has_validators: false,
        ..ProviderSettings::faultless(feed(settings.seed))
    })?;
    let good_url = format!("http://{}/feed", good.address());
    thread::spawn(|| good.serve());

    let server = start(&data_dir, true, plant)?;
    let key = product::make_tenant(server.address(), &data_dir)?;
    let mut catalog = Catalog::connect(server.address(), &key)?;
    let other_key = product::make_tenant(server.address(), &data_dir)?;
    let mut hostile_catalog = Catalog::connect(server.address(), &other_key)?;
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
    let memory_before = peak_mib(server.process_id())?;

    let mut hostile = Vec::new();
    for hostility in Hostility::ALL.into_iter().chain([Hostility::Drip; CROWD]) {
        // Where private addresses are allowed, that one only leads to the good feed.
        if hostility == Hostility::RedirectLoopback {
            continue;
        }
        let provider = Provider::start(ProviderSettings::faultless(feed(settings.seed)))?;
        let mut url = format!("http://{}/hostile/{}", provider.address(), hostility.name());
        if plant == Some(Plant::NotHostile) && hostility == SPOILT {
            url.clone_from(&good_url);
        }
        thread::spawn(|| provider.serve());
        let name = format!("{} {}", hostility.name(), hostile.len());
        let feed = hostile_catalog.add_feed(&name, &url, 86_400, false)?;
        let run = hostile_catalog.request_run(&feed)?;
        hostile.push((hostility, feed, run));
    }

    let watch = watch(settings, &mut catalog, &good_feed)?;
    for (hostility, feed, run) in &hostile {
        let run = hostile_catalog.wait_for(feed, run, LONGEST_RUN)?;
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
    let memory = peak_mib(server.process_id())? - memory_before;
    let late = watch.longest_gap.saturating_sub(INTERVAL);
    println!(
        "the good feed was fetched {} times, at most {:.1} s late; {} hostile ones; memory grew by {memory:.0} MiB",
        watch.runs,
        late.as_secs_f64(),
        hostile.len()
    );
    if late > LATENESS {
        return Err(format!("the good feed was {:.1} s late", late.as_secs_f64()).into());
    }
    if memory > MAX_MEMORY_MIB {
        return Err(format!("memory grew by {memory:.0} MiB").into());
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
    let server = start(data_dir, false, None)?;
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

/// Starts the product, impatient, and else with its defaults.
fn start(data_dir: &Path, allows_private: bool, plant: Option<Plant>) -> Result<Server> {
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
    ]
    .map(|(key, value): (_, u64)| (key, value.to_string()));
    let workers = [("jobs.workers", "1".to_owned())];
    let workers = if plant == Some(Plant::OneWorker) { &workers[..] } else { &[] };
    let server = product::start(data_dir, &[&allowed[..], &numbers[..], workers].concat())?;
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
