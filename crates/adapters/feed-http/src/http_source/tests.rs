//! Fetches from a provider of whom every byte is told.

mod addresses;
mod answers;
mod faults;
mod provider;
mod turns;

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tenantry_domain::{FeedDraft, FeedSettings, TenantNumber, TimeZone};
use tenantry_ports::{
    FeedItem, FeedRequest, FeedSink, FeedSource, FetchCost, FetchEnd, FetchError, SinkClosed, Validators,
};

use super::HttpFeedSource;
use super::resolver::{AddressRule, Lookup};
use crate::options::FeedHttpOptions;
use provider::Provider;

/// Long enough for a slow machine; nothing takes so long that goes well.
const PATIENCE: Duration = Duration::from_secs(20);

/// A feed of so many plans.
fn feed_of(plans: usize) -> String {
    let plan = |number: usize| {
        format!(
            r#"<plan plan_id="{number}" plan_start_date="2021-06-30T21:00:00" plan_end_date="2021-06-30T22:00:00"><zone zone_id="1" price="1"/></plan>"#
        )
    };
    let plans: String = (0..plans).map(plan).collect();
    format!(
        r#"<planList><output><base_plan base_plan_id="1" title="T" sell_mode="online">{plans}</base_plan></output></planList>"#
    )
}

/// Patient with nobody.
fn options() -> FeedHttpOptions {
    FeedHttpOptions {
        allow_private_addresses: true,
        connect_timeout: Duration::from_secs(5),
        answer_timeout: Duration::from_secs(5),
        idle_timeout: Duration::from_secs(5),
        attempt_timeout: Duration::from_secs(20),
        fetch_timeout: Duration::from_secs(30),
        max_attempts: 3,
        first_backoff: Duration::from_millis(1),
        max_backoff: Duration::from_secs(2),
        breaker_failures: 1000,
        ..FeedHttpOptions::default()
    }
}

fn source(change: impl FnOnce(&mut FeedHttpOptions)) -> HttpFeedSource {
    let mut options = options();
    change(&mut options);
    HttpFeedSource::new(options)
}

fn tenant(number: i64) -> TenantNumber {
    TenantNumber::new(number).unwrap()
}

fn request(url: &str) -> FeedRequest {
    let draft =
        FeedDraft { name: Some("Provider".to_owned()), url: Some(url.to_owned()), ..FeedDraft::default() };
    let url = FeedSettings::parse(draft).unwrap().url;
    FeedRequest { tenant: tenant(1), url, time_zone: TimeZone::UTC, validators: Validators::default() }
}

/// Keeps what it is handed.
#[derive(Default)]
struct Collector {
    plans: AtomicUsize,
    restarts: AtomicUsize,
    /// From so many plans on it wants no more.
    closes_at: Option<usize>,
}

#[async_trait]
impl FeedSink for Collector {
    async fn take(&self, items: Vec<FeedItem>) -> Result<(), SinkClosed> {
        let plans = self.plans.fetch_add(items.len(), Ordering::Relaxed) + items.len();
        if self.closes_at.is_some_and(|most| plans >= most) { Err(SinkClosed) } else { Ok(()) }
    }

    async fn restart(&self) -> Result<(), SinkClosed> {
        self.plans.store(0, Ordering::Relaxed);
        self.restarts.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// What became of a fetch.
struct Outcome {
    cost: FetchCost,
    end: Result<FetchEnd, FetchError>,
    plans: usize,
    restarts: usize,
}

async fn fetch_to(source: &HttpFeedSource, request: FeedRequest, sink: Collector) -> Outcome {
    let sink = Arc::new(sink);
    let (cost, end) = source.fetch(request, Arc::clone(&sink) as Arc<dyn FeedSink>).await;
    let (plans, restarts) = (sink.plans.load(Ordering::Relaxed), sink.restarts.load(Ordering::Relaxed));
    Outcome { cost, end, plans, restarts }
}

async fn fetch(source: &HttpFeedSource, url: &str) -> Outcome {
    fetch_to(source, request(url), Collector::default()).await
}

fn whole() -> Result<FetchEnd, FetchError> {
    Ok(FetchEnd::Whole(Validators::default()))
}

/// The text of an error of that kind.
fn unavailable(outcome: &Outcome) -> &str {
    let Err(FetchError::Unavailable(text)) = &outcome.end else { panic!("{:?}", outcome.end) };
    text
}

fn unreadable(outcome: &Outcome) -> &str {
    let Err(FetchError::Unreadable(text)) = &outcome.end else { panic!("{:?}", outcome.end) };
    text
}

fn forbidden(outcome: &Outcome) -> &str {
    let Err(FetchError::Forbidden(text)) = &outcome.end else { panic!("{:?}", outcome.end) };
    text
}

/// Says of every name what the next of these lists says; the last one holds.
struct Rebinding(Mutex<Vec<Vec<IpAddr>>>);

#[async_trait]
impl Lookup for Rebinding {
    async fn addresses(&self, _name: &str) -> std::io::Result<Vec<IpAddr>> {
        let mut answers = self.0.lock().unwrap();
        Ok(if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() })
    }
}
