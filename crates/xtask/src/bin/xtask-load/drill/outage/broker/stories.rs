//! What became of each feed: its runs, and what they have left in the catalog.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::feeds::read_title;
use super::requests::Asked;
use super::stand::{Feed, Stand, Tenant};
use crate::http::Client;
use crate::{Result, moment};

/// How long the last runs may take to come to their end.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks at them.
const LOOK: Duration = Duration::from_millis(200);

/// A run, as its report says.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Run {
    pub(super) id: String,
    /// How it ended; nothing where it has not.
    pub(super) outcome: Option<String>,
    pub(super) queued_at: String,
    pub(super) finished_at: Option<String>,
    pub(super) detail: Option<String>,
    pub(super) plans_new: u64,
    pub(super) plans_changed: u64,
    pub(super) plans_unchanged: u64,
    pub(super) plans_left_sale: u64,
}

impl Run {
    pub(super) fn queued(&self) -> Result<SystemTime> {
        moment::read(&self.queued_at)
    }

    /// When it ended.
    pub(super) fn finished(&self) -> Result<Option<SystemTime>> {
        self.finished_at.as_deref().map(moment::read).transpose()
    }
}

/// What became of one feed.
#[derive(Debug, Clone, Default)]
pub(super) struct Story {
    pub(super) feed: usize,
    /// The runs that somebody was answered.
    pub(super) asked: Vec<String>,
    /// Its runs, the oldest first.
    pub(super) runs: Vec<Run>,
    /// The fetches of which the plan that changes has a version, the oldest first.
    pub(super) versions: Vec<u64>,
    /// The fetches of which the plan is known that no other fetch held, in order.
    pub(super) once: Vec<u64>,
    /// How many plans are known that each fetch holds.
    pub(super) steady: u64,
    /// How often its provider was asked, and how often by two at once.
    pub(super) fetches: u64,
    pub(super) at_once: u64,
}

#[derive(Deserialize)]
struct RunPage {
    runs: Vec<Run>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct SearchPage {
    data: Found,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Found {
    events: Vec<Plan>,
}

#[derive(Deserialize)]
struct Plan {
    id: String,
    title: String,
}

#[derive(Deserialize)]
struct HistoryPage {
    plans: Vec<Version>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Version {
    title: String,
}

trait Page: DeserializeOwned {
    fn next(&self) -> Option<&str>;
}

impl Page for RunPage {
    fn next(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }
}

impl Page for SearchPage {
    fn next(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }
}

impl Page for HistoryPage {
    fn next(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }
}

/// Waits until no run is open any more, and tells all. The timer must be stopped. Runs that do not come to an end are
/// told as they stand.
pub(super) fn read(stand: &Stand, asked: &[Asked]) -> Result<Vec<Story>> {
    let mut stories: BTreeMap<usize, Story> = BTreeMap::new();
    let end = Instant::now() + PATIENCE;
    // What one node knows the other one must too: each tells half.
    for (number, tenant) in stand.tenants.iter().enumerate() {
        let mut client = Client::connect(stand.pair.addresses()[number % 2], Some(&tenant.key))?;
        for feed in &tenant.feeds {
            let runs = ended_runs(&mut client, feed, end)?;
            let (fetches, at_once) = (stand.feeds.fetches(feed.number), stand.feeds.at_once(feed.number));
            let story = Story { feed: feed.number, runs, fetches, at_once, ..Story::default() };
            stories.insert(feed.number, story);
        }
        read_catalog(&mut client, tenant, &mut stories)?;
    }
    for asked in asked {
        if let Some(story) = stories.get_mut(&asked.feed) {
            story.asked.push(asked.run.clone());
        }
    }
    Ok(stories.into_values().collect())
}

fn ended_runs(client: &mut Client, feed: &Feed, end: Instant) -> Result<Vec<Run>> {
    loop {
        let mut runs: Vec<Run> = pages(client, &feed.path("/runs?limit=1000"))?
            .into_iter()
            .flat_map(|page: RunPage| page.runs)
            .collect();
        runs.reverse();
        if runs.iter().all(|run| run.outcome.is_some()) || Instant::now() > end {
            return Ok(runs);
        }
        thread::sleep(LOOK);
    }
}

fn read_catalog(client: &mut Client, tenant: &Tenant, stories: &mut BTreeMap<usize, Story>) -> Result<()> {
    const ALL: &str = "/api/v1/search?starts_at=2000-01-01T00:00:00Z&ends_at=2100-01-01T00:00:00Z&limit=1000";
    let found: Vec<SearchPage> = pages(client, ALL)?;
    for plan in found.into_iter().flat_map(|page| page.data.events) {
        let (feed, kind, fetch) = read_title(&plan.title).ok_or_else(|| format!("a plan {}", plan.title))?;
        if !tenant.feeds.iter().any(|own| own.number == feed) {
            return Err(format!("a tenant was shown a plan of another one's feed: {}", plan.title).into());
        }
        let story = stories.entry(feed).or_default();
        match kind {
            "once" => story.once.push(fetch),
            "steady" => story.steady += 1,
            _ => story.versions = versions(client, &plan.id)?,
        }
    }
    for story in stories.values_mut() {
        story.once.sort_unstable();
    }
    Ok(())
}

fn versions(client: &mut Client, plan: &str) -> Result<Vec<u64>> {
    let history = pages(client, &format!("/api/v1/catalog/plans/{plan}/history?limit=1000"))?;
    let titles = history.into_iter().flat_map(|page: HistoryPage| page.plans).map(|version| version.title);
    let mut versions = titles
        .map(|title| {
            read_title(&title).map(|(_, _, fetch)| fetch).ok_or_else(|| format!("a version {title}").into())
        })
        .collect::<Result<Vec<_>>>()?;
    versions.reverse();
    Ok(versions)
}

fn pages<P: Page>(client: &mut Client, first: &str) -> Result<Vec<P>> {
    let mut pages: Vec<P> = Vec::new();
    loop {
        let path = match pages.last().map(|page| page.next()) {
            None => first.to_owned(),
            Some(None) => return Ok(pages),
            Some(Some(cursor)) => format!("{first}&cursor={cursor}"),
        };
        pages.push(client.get(&path)?.json(200)?);
    }
}
