//! A tenant's feeds, runs and plans, over HTTP.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::Result;
use crate::http::Client;

/// A tenant's catalog.
pub(super) struct Catalog {
    client: Client,
}

/// A run of a feed.
#[derive(Debug, Deserialize)]
pub(super) struct Run {
    id: String,
    pub(super) state: String,
    outcome: Option<String>,
    pub(super) attempts: u32,
    pub(super) bytes: u64,
    pub(super) plans_seen: u64,
    detail: Option<String>,
}

impl Run {
    /// Why it failed.
    pub(super) fn told(&self) -> &str {
        self.detail.as_deref().unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

#[derive(Deserialize)]
struct Runs {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Search {
    data: Found,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Found {
    events: Vec<Made>,
}

impl Catalog {
    pub(super) fn connect(address: SocketAddr, key: &str) -> Result<Self> {
        Ok(Self { client: Client::connect(address, Some(key))? })
    }

    /// Makes a feed; answers its id.
    pub(super) fn add_feed(
        &mut self,
        name: &str,
        url: &str,
        interval_seconds: u64,
        enabled: bool,
    ) -> Result<String> {
        let body = serde_json::json!({
            "name": name, "url": url, "interval_seconds": interval_seconds, "enabled": enabled,
        });
        Ok(self.client.post("/api/v1/catalog/feeds", &body.to_string())?.json::<Made>(201)?.id)
    }

    /// Asks for a run; answers its id. There may be one under way.
    pub(super) fn request_run(&mut self, feed: &str) -> Result<String> {
        let answer = self.client.post(&format!("/api/v1/catalog/feeds/{feed}/runs"), "")?;
        let status = if answer.status == 200 { 200 } else { 202 };
        Ok(answer.json::<Made>(status)?.id)
    }

    /// The run, once it has ended.
    pub(super) fn wait_for(&mut self, feed: &str, run: &str, longest: Duration) -> Result<Run> {
        let deadline = Instant::now() + longest;
        loop {
            let now: Run = self.client.get(&format!("/api/v1/catalog/feeds/{feed}/runs/{run}"))?.json(200)?;
            if now.outcome.is_some() {
                return Ok(now);
            }
            if Instant::now() > deadline {
                return Err(format!("run {} has not ended after {longest:?}: {now:?}", now.id).into());
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// The runs of a feed that have ended; at most the newest thousand.
    pub(super) fn ended_runs(&mut self, feed: &str) -> Result<Vec<Run>> {
        let answer = self.client.get(&format!("/api/v1/catalog/feeds/{feed}/runs?limit=1000"))?;
        Ok(answer.json::<Runs>(200)?.runs.into_iter().filter(|run| run.outcome.is_some()).collect())
    }

    /// The ids of all plans that are found, of all times.
    pub(super) fn plans(&mut self) -> Result<Vec<String>> {
        const ALL: &str =
            "/api/v1/search?starts_at=2000-01-01T00:00:00Z&ends_at=2100-01-01T00:00:00Z&limit=1000";
        let mut ids = Vec::new();
        let mut path = ALL.to_owned();
        loop {
            let page: Search = self.client.get(&path)?.json(200)?;
            ids.extend(page.data.events.into_iter().map(|plan| plan.id));
            let Some(cursor) = page.next_cursor else { return Ok(ids) };
            path = format!("{ALL}&cursor={cursor}");
        }
    }
}
