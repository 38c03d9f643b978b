//! Imports of the feed, one after another.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde::Deserialize;

use super::provider::Provider;
use crate::http::Client;
use crate::{Result, moment};

/// No import takes as long.
const PATIENCE: Duration = Duration::from_secs(180);

/// Between two looks at a run.
const LOOK: Duration = Duration::from_millis(50);

/// A feed of the product.
pub(super) struct Imports {
    product: SocketAddr,
    key: String,
    runs: String,
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
    finished_at: Option<String>,
}

impl Imports {
    /// Makes the feed; the timer leaves it alone.
    pub(super) fn of(product: SocketAddr, key: &str, provider: &Provider) -> Result<Self> {
        let draft = format!(r#"{{"name":"bench","url":"{}","enabled":false}}"#, provider.url());
        let mut client = Client::connect(product, Some(key))?;
        let feed: Feed = client.post("/api/v1/catalog/feeds", &draft)?.json(201)?;
        let runs = format!("/api/v1/catalog/feeds/{}/runs", feed.id);
        Ok(Self { product, key: key.to_owned(), runs })
    }

    /// Imports once, and insists that it succeeds; answers when it ended.
    pub(super) fn run_one(&self) -> Result<SystemTime> {
        let Run { outcome, detail, finished_at, .. } = self.run()?;
        match (outcome.as_deref(), finished_at) {
            (Some("succeeded"), Some(ended)) => moment::read(&ended),
            (other, _) => Err(format!("the import ended as {other:?}: {detail:?}").into()),
        }
    }

    /// Does something, imports again and again meanwhile, and counts those that succeeded.
    pub(super) fn meanwhile<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<(T, u64)> {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let importing = scope.spawn(|| {
                let mut succeeded = 0;
                while !is_over.load(Ordering::Acquire) {
                    // With such a provider a whole run may fail as well.
                    succeeded += u64::from(self.run()?.outcome.as_deref() == Some("succeeded"));
                }
                Ok(succeeded)
            });
            let done = work();
            is_over.store(true, Ordering::Release);
            let imported: Result<u64> =
                importing.join().unwrap_or_else(|_| Err("the thread that imports panicked".into()));
            Ok((done, imported?))
        })
    }

    fn run(&self) -> Result<Run> {
        let mut client = Client::connect(self.product, Some(&self.key))?;
        let run: Run = client.post(&self.runs, "")?.json(202)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let run: Run = client.get(&format!("{}/{}", self.runs, run.id))?.json(200)?;
            if run.outcome.is_some() {
                return Ok(run);
            }
            if Instant::now() > deadline {
                return Err("an import did not come to an end".into());
            }
            thread::sleep(LOOK);
        }
    }
}
