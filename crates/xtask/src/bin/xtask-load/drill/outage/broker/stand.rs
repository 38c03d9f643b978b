//! What the drill stands on: two nodes that serve and do no jobs, two workers, and a RabbitMQ between them; tenants with
//! feeds.

use std::path::Path;

use serde::Deserialize;
use xtask::servers::Server;

use super::feeds::Feeds;
use crate::Result;
use crate::drill::pair::{Bond, Pair};
use crate::http::Client;
use crate::private::{PrivateServer, PrivateServers};
use crate::product;
use crate::worker_process::WorkerProcess;

const TENANTS: usize = 10;
const FEEDS_A_TENANT: usize = 10;
const WORKERS: usize = 2;

/// Of a tenant's feeds every other one is fetched by the timer, so often: as often as may be.
const INTERVAL_SECONDS: u64 = 10;

/// All of it, running.
pub(super) struct Stand {
    // Dropped in this order: whoever works before what it stands on.
    pub(super) workers: Vec<WorkerProcess>,
    pub(super) pair: Pair,
    pub(super) broker: PrivateServer,
    pub(super) feeds: Feeds,
    pub(super) tenants: Vec<Tenant>,
}

/// A tenant, and the feeds that it has.
pub(super) struct Tenant {
    pub(super) key: String,
    pub(super) feeds: Vec<Feed>,
}

/// A feed.
pub(super) struct Feed {
    /// Which of the provider's.
    pub(super) number: usize,
    pub(super) id: String,
    /// Whether the timer has it fetched; else whoever asks.
    pub(super) is_timed: bool,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

impl Stand {
    /// Starts it. The timer has feeds from here on, whose runs begin.
    pub(super) fn start(scratch: &Path, seed: u64) -> Result<Self> {
        let broker = PrivateServers::new(scratch)?.start(Server::RabbitMq, "broker")?;
        let jobs = [
            ("jobs.rabbitmq_url", broker.url("")),
            ("jobs.run_in_serve", "false".to_owned()),
            ("feeds.allow_private_addresses", "true".to_owned()),
        ];
        let pair = Pair::start(scratch, Server::Redis, Bond::Whole, &jobs)?;
        let worker =
            |number| product::start_worker(&scratch.join(format!("worker-{number}")), &pair.settings);
        let workers = (0..WORKERS).map(worker).collect::<Result<_>>()?;
        let feeds = Feeds::serve(TENANTS * FEEDS_A_TENANT, seed)?;
        let tenant = |number| Tenant::make(&pair, scratch, &feeds, number);
        let tenants = (0..TENANTS).map(tenant).collect::<Result<_>>()?;
        Ok(Self { workers, pair, broker, feeds, tenants })
    }

    /// From now on the timer makes no runs.
    pub(super) fn stop_timer(&self) -> Result<()> {
        for tenant in &self.tenants {
            let mut client = Client::connect(self.pair.addresses()[0], Some(&tenant.key))?;
            for feed in &tenant.feeds {
                let answer = client.patch(&feed.path(""), r#"{"enabled":false}"#)?;
                if answer.status != 200 {
                    return Err(format!("the timer of a feed was not stopped: {}", answer.status).into());
                }
            }
        }
        Ok(())
    }
}

impl Tenant {
    fn make(pair: &Pair, scratch: &Path, feeds: &Feeds, tenant: usize) -> Result<Self> {
        let node = pair.addresses()[0];
        let key = product::make_tenant(node, &scratch.join("a"))?;
        let mut client = Client::connect(node, Some(&key))?;
        let feed = |place: usize| {
            let number = tenant * FEEDS_A_TENANT + place;
            let is_timed = place % 2 == 1;
            let draft = serde_json::json!({
                "name": number.to_string(), "url": feeds.url(number), "interval_seconds": INTERVAL_SECONDS,
                "enabled": is_timed,
            });
            let made: Made = client.post("/api/v1/catalog/feeds", &draft.to_string())?.json(201)?;
            Ok(Feed { number, id: made.id, is_timed })
        };
        let feeds = (0..FEEDS_A_TENANT).map(feed).collect::<Result<_>>()?;
        Ok(Self { key, feeds })
    }
}

impl Feed {
    /// Where the feed is, and what stands behind it there.
    pub(super) fn path(&self, behind: &str) -> String {
        format!("/api/v1/catalog/feeds/{}{behind}", self.id)
    }
}
