//! Feeds over HTTP.

mod attempt;
mod backoff;
mod body;
mod breaker;
mod client;
mod fault;
mod request;
mod resolver;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use reqwest::{Client, Url};
use tenantry_domain::{PlanRecord, RejectReason, TimeZone};
use tenantry_ports::{FeedRequest, FeedSink, FeedSource, FetchCost, FetchEnd, FetchError};
use tokio::time::{sleep, timeout};

use crate::options::FeedHttpOptions;
use crate::reading::{Gauge, read_again};
use crate::turns::Turns;
use attempt::Attempt;
use breaker::{Breakers, Host};
use fault::Fault;
use resolver::{AddressRule, Lookup, SystemLookup};

/// Fetches feeds over HTTP. One for the whole process: it remembers which hosts are to be left alone, and by whom.
///
/// To be used in a tokio runtime, with its timers and its network.
pub struct HttpFeedSource {
    options: FeedHttpOptions,
    rule: AddressRule,
    lookup: Arc<dyn Lookup>,
    /// Made at the first fetch, since it reads the system's certificates.
    client: OnceLock<Result<Client, String>>,
    breakers: Breakers,
    turns: Turns,
}

impl HttpFeedSource {
    /// A source that fetches so.
    #[must_use]
    pub fn new(options: FeedHttpOptions) -> Self {
        let rule = if options.allow_private_addresses { AddressRule::Any } else { AddressRule::Public };
        Self::with(options, rule, Arc::new(SystemLookup))
    }

    fn with(options: FeedHttpOptions, rule: AddressRule, lookup: Arc<dyn Lookup>) -> Self {
        let breakers = Breakers::new(options.breaker_failures, options.breaker_pause);
        let turns = Turns::new(options.readers);
        Self { options, rule, lookup, client: OnceLock::new(), breakers, turns }
    }

    fn client(&self) -> Result<&Client, FetchError> {
        let made =
            self.client.get_or_init(|| client::make(&self.options, Arc::clone(&self.lookup), self.rule));
        made.as_ref()
            .map_err(|text| FetchError::Unavailable(format!("the HTTP client cannot be made: {text}")))
    }

    async fn try_all(
        &self,
        request: &FeedRequest,
        sink: &dyn FeedSink,
        cost: &mut FetchCost,
    ) -> Result<FetchEnd, FetchError> {
        let client = self.client()?;
        let url = request::parse_url(request.url.as_str()).map_err(|fault| fault.into_error(0))?;
        let host = Host { tenant: request.tenant, name: host_name(&url) };
        let left_alone = |left: Duration| FetchError::LeftAlone(left.as_secs().max(1));
        let passage = self.breakers.enter(&host, Instant::now()).map_err(left_alone)?;

        let deadline = Instant::now() + self.options.fetch_timeout;
        let has_delivered = AtomicBool::new(false);
        loop {
            cost.attempts += 1;
            if has_delivered.swap(false, Ordering::Relaxed) {
                sink.restart().await.map_err(|_| FetchError::Stopped)?;
            }
            let gauge = Arc::new(Gauge::default());
            let attempt = Attempt {
                client,
                options: &self.options,
                rule: self.rule,
                url: &url,
                request,
                sink,
                gauge: Arc::clone(&gauge),
                turns: &self.turns,
                has_delivered: &has_delivered,
            };
            let time = self.options.attempt_timeout.min(deadline.saturating_duration_since(Instant::now()));
            let end = timeout(time, attempt.run()).await;
            let end = end
                .unwrap_or_else(|_| Err(Fault::passing(format!("it did not deliver all within {time:.0?}"))));
            cost.bytes += gauge.decompressed();
            let fault = match end {
                Ok(end) => {
                    passage.succeeded();
                    return Ok(end);
                }
                Err(fault) => fault,
            };
            tracing::debug!(tenant.number = %host.tenant, feed.host = host.name, feed.attempt = cost.attempts, fault = ?fault, "an attempt to fetch a feed failed");
            match self.wait_after(&fault, cost.attempts, deadline) {
                Some(wait) => sleep(wait).await,
                None => {
                    match &fault {
                        Fault::Passing { retry_after, .. } => passage.failed(*retry_after, Instant::now()),
                        // It works, whatever it thinks of the request.
                        Fault::Lasting(FetchError::Unavailable(_) | FetchError::Unreadable(_)) => {
                            passage.succeeded();
                        }
                        Fault::Lasting(_) => {}
                    }
                    return Err(fault.into_error(cost.attempts));
                }
            }
        }
    }

    /// How long to wait until the next attempt; nothing where there is none.
    fn wait_after(&self, fault: &Fault, attempts: u32, deadline: Instant) -> Option<Duration> {
        let Fault::Passing { retry_after, .. } = fault else { return None };
        let FeedHttpOptions { max_attempts, first_backoff, max_backoff, .. } = self.options;
        let wait = backoff::part_of(backoff::longest(attempts, first_backoff, max_backoff));
        let wait = wait.max(retry_after.unwrap_or_default());
        let is_worth_it = attempts < max_attempts && wait <= max_backoff && Instant::now() + wait < deadline;
        is_worth_it.then_some(wait)
    }
}

#[async_trait]
impl FeedSource for HttpFeedSource {
    async fn fetch(
        &self,
        request: FeedRequest,
        sink: Arc<dyn FeedSink>,
    ) -> (FetchCost, Result<FetchEnd, FetchError>) {
        let mut cost = FetchCost::default();
        let end = self.try_all(&request, sink.as_ref(), &mut cost).await;
        (cost, end)
    }

    fn read_again(&self, raw: &str, time_zone: TimeZone) -> Result<PlanRecord, RejectReason> {
        read_again(raw, &self.options.limits, time_zone)
    }
}

/// The host and its port.
fn host_name(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}
