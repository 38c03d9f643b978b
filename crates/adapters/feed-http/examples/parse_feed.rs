//! What reading a feed costs, for `cargo xtask bench P8`.
//!
//! `parse_feed time FILE ROUNDS` reads the file with this crate and with a bare pass of quick-xml over the same bytes in
//! memory, by turns, on one core; `parse_feed memory FILE` reads it once (`/dev/stdin` will do). Both print one JSON
//! object.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use tenantry_domain::{FeedDraft, FeedSettings, TenantNumber, TimeZone};
use tenantry_feed_http::{FeedLimits, FileFeedSource};
use tenantry_ports::{FeedItem, FeedRequest, FeedSink, FeedSource, FetchCost, SinkClosed, Validators};

type Failure = Box<dyn std::error::Error>;

/// Counts the records, and forgets them.
#[derive(Default)]
struct Counts {
    plans: AtomicU64,
    rejects: AtomicU64,
    zone_bytes: AtomicU64,
}

#[async_trait]
impl FeedSink for Counts {
    async fn take(&self, items: Vec<FeedItem>) -> Result<(), SinkClosed> {
        for item in items {
            match item {
                FeedItem::Plan(plan) => {
                    self.plans.fetch_add(1, Ordering::Relaxed);
                    self.zone_bytes.fetch_add(plan.content.zones.as_json().len() as u64, Ordering::Relaxed);
                }
                FeedItem::PastPlan(_) | FeedItem::Reject(_) => {
                    self.rejects.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }

    async fn restart(&self) -> Result<(), SinkClosed> {
        Ok(())
    }
}

/// Reads a feed as the product does.
fn read(path: &str) -> Result<(Arc<Counts>, FetchCost), Failure> {
    let draft = FeedDraft {
        name: Some("bench".to_owned()),
        url: Some("http://localhost/".to_owned()),
        ..FeedDraft::default()
    };
    let url = FeedSettings::parse(draft).map_err(|_| "the URL is none")?.url;
    let tenant = TenantNumber::new(1).ok_or("no tenant has this number")?;
    let request = FeedRequest { tenant, url, time_zone: TimeZone::UTC, validators: Validators::default() };
    let source = FileFeedSource::new(path, FeedLimits::default(), |_| {});
    let counts = Arc::new(Counts::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (cost, end) = runtime.block_on(source.fetch(request, Arc::clone(&counts) as Arc<dyn FeedSink>));
    end?;
    Ok((counts, cost))
}

/// Every event and every attribute, and nothing done with them.
fn bare_pass(bytes: &[u8]) -> Result<u64, Failure> {
    let mut xml = Reader::from_reader(bytes);
    let mut attributes = 0;
    let mut count = |tag: &BytesStart<'_>| -> Result<(), Failure> {
        for attribute in tag.attributes() {
            attribute?;
            attributes += 1;
        }
        Ok(())
    };
    let mut buffer = Vec::new();
    loop {
        match xml.read_event_into(&mut buffer)? {
            Event::Start(tag) | Event::Empty(tag) => count(&tag)?,
            Event::Eof => return Ok(attributes),
            _ => {}
        }
        buffer.clear();
    }
}

/// Holds this process on one core, so that no second one helps.
#[cfg(target_os = "linux")]
fn stay_on_one_core() -> Result<(), Failure> {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(0);
    Ok(rustix::thread::sched_setaffinity(None, &cores)?)
}

#[cfg(not(target_os = "linux"))]
fn stay_on_one_core() -> Result<(), Failure> {
    Ok(())
}

fn time(path: &str, rounds: usize) -> Result<serde_json::Value, Failure> {
    stay_on_one_core()?;
    let bytes = std::fs::read(path)?;
    let (mut bare, mut product) = (Vec::new(), Vec::new());
    let (mut attributes, mut plans) = (0, 0);
    for _ in 0..rounds {
        let started = Instant::now();
        attributes = bare_pass(&bytes)?;
        bare.push(started.elapsed().as_secs_f64());
        let started = Instant::now();
        plans = read(path)?.0.plans.load(Ordering::Relaxed);
        product.push(started.elapsed().as_secs_f64());
    }
    Ok(serde_json::json!({
        "bytes": bytes.len(), "plans": plans, "attributes": attributes,
        "bare_seconds": bare, "product_seconds": product,
    }))
}

/// A field of `/proc/self/status` in KiB; 0 where there is none.
fn memory_kib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default()
}

fn memory(path: &str) -> Result<serde_json::Value, Failure> {
    let idle = memory_kib("VmRSS");
    let (counts, cost) = read(path)?;
    Ok(serde_json::json!({
        "bytes": cost.bytes, "plans": counts.plans.load(Ordering::Relaxed),
        "rejects": counts.rejects.load(Ordering::Relaxed),
        "idle_kib": idle, "peak_kib": memory_kib("VmHWM"),
    }))
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        ["time", path, rounds] => rounds.parse().map_err(Failure::from).and_then(|rounds| time(path, rounds)),
        ["memory", path] => memory(path),
        _ => Err("usage: parse_feed time FILE ROUNDS | parse_feed memory FILE".into()),
    };
    match outcome {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
