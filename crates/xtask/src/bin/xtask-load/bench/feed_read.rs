//! P8: reading a feed, against a bare pass of quick-xml over the same bytes, and the memory that it takes.
//!
//! Both sides are in a program of the product's own, `parse_feed`, an example of its crate: this one may not know that
//! crate. The import as a whole is measured after it, in `feed_import.rs`.

use std::env;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use xtask::workspace::cargo;

use super::feed_import;
use super::settings::Settings;
use super::table::{Row, Target};
use super::turns::Side;
use crate::Result;
use crate::disturbance::Meter;
use crate::provider::{Dialect, Feed};

const PLANS: u64 = 5_000;
const ZONES: u64 = 300;
/// Of a hundred plans so many are other ones in the next version.
const CHANGES: u64 = 10;

/// What `parse_feed time` prints.
#[derive(Deserialize)]
struct Times {
    bytes: u64,
    plans: u64,
    bare_seconds: Vec<f64>,
    product_seconds: Vec<f64>,
}

/// What `parse_feed memory` prints.
#[derive(Deserialize)]
struct Memory {
    bytes: u64,
    plans: u64,
    idle_kib: u64,
    peak_kib: u64,
}

/// Measures it.
pub(super) fn measure(settings: &Settings, scratch: &Path) -> Result<Vec<Row>> {
    let package = ["build", "--release", "--package", "tenantry-feed-http", "--example", "parse_feed"];
    if !cargo()?.args(package).status()?.success() {
        return Err("the program that reads feeds could not be built".into());
    }
    let feed = Feed { changes: CHANGES, ..feed(PLANS, settings.seed) };
    let file = |version: u64| -> Result<PathBuf> {
        let file = scratch.join(format!("feed-{version}.xml"));
        let mut to = BufWriter::new(File::create(&file)?);
        feed.write(version, u64::MAX, &mut to)?;
        to.flush()?;
        Ok(file)
    };
    let (first, changed) = (file(0)?, file(1)?);

    let meter = Meter::start()?;
    let rounds = settings.rounds.to_string();
    let times: Times = output(program()?.arg("time").arg(&first).arg(&rounds))?;
    let others = vec![meter.share_of_others()?];
    if times.plans != PLANS {
        return Err(format!("{} plans were read of {PLANS}", times.plans).into());
    }
    let a_second = |seconds: Vec<f64>| Side {
        per_second: seconds.iter().map(|seconds| times.bytes as f64 / seconds).collect(),
        latency: None,
        others: others.clone(),
    };
    let work = format!(
        "bytes of a feed read, {PLANS} plans of {ZONES} zones ({} MB), one core",
        times.bytes / 1_000_000
    );
    let (ours, bare) = (a_second(times.product_seconds), a_second(times.bare_seconds));
    let versions = feed_import::Versions { first, changed, plans: PLANS, bytes: times.bytes };
    let imported = feed_import::measure(settings, scratch, &versions, &ours)?;
    let mut rows = vec![Row::against("quick-xml", "P8", work, ours, bare, Target::Ratio(0.5))];
    for plans in [PLANS, 10 * PLANS] {
        let memory = read_piped(plans, settings.seed)?;
        let work = format!("memory above idle while a feed of {} MB is read", memory.bytes / 1_000_000);
        let above_idle = memory.peak_kib.saturating_sub(memory.idle_kib) as f64 / 1024.0;
        rows.push(Row::alone("P8", &work, "MiB", vec![above_idle], Target::AtMost(64.0)));
    }
    rows.extend(imported);
    Ok(rows)
}

fn feed(plans: u64, seed: u64) -> Feed {
    let none = 0;
    Feed {
        plans,
        zones: ZONES,
        dialect: Dialect::Plan,
        seed,
        bad_dates: none,
        duplicates: none,
        changes: none,
        leaving: none,
    }
}

/// Lets it read a feed that is made meanwhile.
fn read_piped(plans: u64, seed: u64) -> Result<Memory> {
    let mut reader = program()?;
    reader.args(["memory", "/dev/stdin"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut reader = reader.spawn()?;
    if let Some(input) = reader.stdin.take() {
        let mut to = BufWriter::with_capacity(64 * 1024, input);
        feed(plans, seed).write(0, u64::MAX, &mut to)?;
        to.flush()?;
    }
    let output = reader.wait_with_output()?;
    let memory: Memory = serde_json::from_slice(&output.stdout)?;
    if memory.plans != plans {
        return Err(format!("{} plans were read of {plans}", memory.plans).into());
    }
    Ok(memory)
}

/// `parse_feed`: it stands with the examples beside this program.
fn program() -> Result<Command> {
    Ok(Command::new(env::current_exe()?.with_file_name("examples").join("parse_feed")))
}

fn output<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("parse_feed: {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
