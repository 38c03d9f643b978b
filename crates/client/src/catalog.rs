//! The tenant's catalog: `/api/v1/catalog` and `/api/v1/search`.

use chrono::{DateTime, Utc};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::client::Client;
use crate::error::ClientError;
use crate::page::{ItemStream, List, ListBody, Page};
use crate::precondition::Precondition;
use crate::request::Request;

const FEEDS: &str = "/api/v1/catalog/feeds";

/// Where plans come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Feed {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Where it is fetched.
    pub url: String,
    /// How long from one run to the next, give or take a tenth.
    pub interval_seconds: u32,
    /// The IANA name of the zone in which times without an offset stand.
    pub time_zone: String,
    /// Whether it is fetched by the timer.
    pub enabled: bool,
    /// 1 when it was created, one more with each change.
    pub version: u64,
    /// When it was created.
    #[serde(with = "crate::time")]
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    #[serde(with = "crate::time")]
    pub updated_at: DateTime<Utc>,
    /// When the timer runs it next.
    #[serde(with = "crate::time::optional")]
    pub next_run_at: Option<DateTime<Utc>>,
    /// When a whole fetch of it last succeeded.
    #[serde(with = "crate::time::optional")]
    pub last_success_at: Option<DateTime<Utc>>,
}

/// What a feed is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewFeed {
    /// 1 to 255 characters.
    pub name: String,
    /// An absolute URL of `http` or `https`, without user name and password.
    pub url: String,
    /// How long from one run to the next: 10 seconds to 30 days; an hour where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<u32>,
    /// The IANA name of the zone in which times without an offset stand; UTC where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Whether it is fetched by the timer; yes where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

impl NewFeed {
    /// A feed of that name at that URL.
    #[must_use]
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Self {
        let (name, url) = (name.into(), url.into());
        Self { name, url, interval_seconds: None, time_zone: None, enabled: None }
    }
}

/// A change: what is absent stays (RFC 7396).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FeedPatch {
    /// The new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The new URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The new interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<u32>,
    /// The new zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Whether the timer fetches it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A run of a feed: its report, once it has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FeedRun {
    /// Its id.
    pub id: Uuid,
    /// Whose run.
    pub feed_id: Uuid,
    /// Why it was made: `schedule`, `request`, `file` or `replay`.
    pub trigger: String,
    /// `queued`, `running`, or how it ended.
    pub state: String,
    /// How it ended: `succeeded`, `unchanged`, `failed`, `held` or `superseded`; nothing before.
    pub outcome: Option<String>,
    /// When it was asked for.
    #[serde(with = "crate::time")]
    pub queued_at: DateTime<Utc>,
    /// When a worker first took it.
    #[serde(with = "crate::time::optional")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it came to its end.
    #[serde(with = "crate::time::optional")]
    pub finished_at: Option<DateTime<Utc>>,
    /// How often the provider was asked.
    pub attempts: u32,
    /// Bytes of the feed, decompressed, of all attempts.
    pub bytes: u64,
    /// Records that were read and taken.
    pub plans_seen: u64,
    /// Plans that the catalog did not have.
    pub plans_new: u64,
    /// Plans of which something differs.
    pub plans_changed: u64,
    /// Plans of which nothing differs.
    pub plans_unchanged: u64,
    /// Plans that left the feed; while it is held: that would leave.
    pub plans_left_sale: u64,
    /// Records that could not be taken.
    pub rejected: u64,
    /// Why it failed or is held; where it has brought what another system had kept, what it has left as it was.
    pub detail: Option<String>,
    /// The catalog's revision that shows what it brought.
    pub catalog_revision: Option<u64>,
}

/// A record of a feed that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reject {
    /// The same for the same record and reason in every run.
    pub id: String,
    /// Where in the feed it stands.
    pub place: RejectPlace,
    /// Why it could not be taken.
    pub reason: RejectReason,
    /// The record as it stands in the feed.
    pub raw: String,
    /// The last run that met it.
    pub run_id: Uuid,
    /// When a run first met it.
    #[serde(with = "crate::time")]
    pub first_seen_at: DateTime<Utc>,
    /// When a run last met it.
    #[serde(with = "crate::time")]
    pub last_seen_at: DateTime<Utc>,
}

/// Where in a feed a record stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RejectPlace {
    /// How many bytes of the decompressed feed come before it.
    pub offset: u64,
    /// The provider's id of its base plan, where that could be read.
    pub base_plan_id: Option<String>,
    /// The provider's id of the plan, where that could be read.
    pub plan_id: Option<String>,
}

/// Why a record could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RejectReason {
    /// Which rule it breaks, for programs.
    pub code: String,
    /// What is wrong, for a person.
    pub detail: String,
}

/// A plan that a search has found.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FoundPlan {
    /// The plan's id.
    pub id: Uuid,
    /// Its title.
    pub title: String,
    /// The day on which it starts, in UTC: `2021-06-30`.
    pub start_date: String,
    /// The time at which it starts, in UTC: `21:00:00`.
    pub start_time: String,
    /// The day on which it ends, in UTC.
    pub end_date: String,
    /// The time at which it ends, in UTC.
    pub end_time: String,
    /// The lowest price of its zones: the digits as they were sent, exact to the cent.
    pub min_price: Option<Box<RawValue>>,
    /// The highest price of its zones.
    pub max_price: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct FeedList {
    feeds: Vec<Feed>,
    next_cursor: Option<String>,
}

impl ListBody for FeedList {
    type Item = Feed;

    fn into_page(self) -> Page<Feed> {
        Page { items: self.feeds, next_cursor: self.next_cursor }
    }
}

#[derive(Deserialize)]
struct RunList {
    runs: Vec<FeedRun>,
    next_cursor: Option<String>,
}

impl ListBody for RunList {
    type Item = FeedRun;

    fn into_page(self) -> Page<FeedRun> {
        Page { items: self.runs, next_cursor: self.next_cursor }
    }
}

#[derive(Deserialize)]
struct RejectList {
    rejects: Vec<Reject>,
    next_cursor: Option<String>,
}

impl ListBody for RejectList {
    type Item = Reject;

    fn into_page(self) -> Page<Reject> {
        Page { items: self.rejects, next_cursor: self.next_cursor }
    }
}

#[derive(Deserialize)]
struct FoundList {
    data: FoundPlans,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct FoundPlans {
    events: Vec<FoundPlan>,
}

impl ListBody for FoundList {
    type Item = FoundPlan;

    fn into_page(self) -> Page<FoundPlan> {
        Page { items: self.data.events, next_cursor: self.next_cursor }
    }
}

/// The tenant's catalog: [`Client::catalog`].
#[derive(Debug, Clone)]
pub struct Catalog {
    client: Client,
}

impl Catalog {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The plans that were ever sold online, and that start at or after `starts_at` and end at or before `ends_at`: each a
    /// date-time, in UTC unless it has an offset, or a day.
    #[must_use]
    pub fn search(&self, starts_at: &str, ends_at: &str, page_limit: Option<u16>) -> ItemStream<FoundPlan> {
        let mut query = vec![("starts_at", starts_at.to_owned()), ("ends_at", ends_at.to_owned())];
        query.extend(limit(page_limit));
        self.client.items::<FoundList>(List { path: "/api/v1/search".to_owned(), query })
    }

    /// Makes a feed. Sent once: names need not be unique, so a second attempt could make a second feed.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_feed(&self, feed: &NewFeed) -> Result<Feed, ClientError> {
        self.client.send(&Request::new(Method::POST, FEEDS).json(feed)?.once()).await?.json()
    }

    /// The feed of that id.
    ///
    /// # Errors
    /// [`ClientError`]; 404 where there is none.
    pub async fn feed(&self, feed: Uuid) -> Result<Feed, ClientError> {
        self.client.send(&Request::get(path(feed, ""))).await?.json()
    }

    /// Every feed, in the order in which they were made.
    #[must_use]
    pub fn feeds(&self, page_limit: Option<u16>) -> ItemStream<Feed> {
        self.client.items::<FeedList>(List { path: FEEDS.to_owned(), query: limit(page_limit).collect() })
    }

    /// Changes what the patch names.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn patch_feed(
        &self,
        feed: Uuid,
        patch: &FeedPatch,
        precondition: &Precondition,
    ) -> Result<Feed, ClientError> {
        let mut request = Request::new(Method::PATCH, path(feed, "")).json(patch)?.under(precondition)?;
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/merge-patch+json"));
        self.client.send(&request).await?.json()
    }

    /// Removes a feed with its runs and rejects; its plans stay, and are on sale no more.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn delete_feed(&self, feed: Uuid, precondition: &Precondition) -> Result<(), ClientError> {
        self.client.send(&Request::new(Method::DELETE, path(feed, "")).under(precondition)?).await?;
        Ok(())
    }

    /// Has the feed fetched now; while a run of it is open, that one is answered. So it may be sent again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn run_feed(&self, feed: Uuid) -> Result<FeedRun, ClientError> {
        self.client.send(&Request::new(Method::POST, path(feed, "/runs"))).await?.json()
    }

    /// The run of that id.
    ///
    /// # Errors
    /// [`ClientError`]; 404 where there is none.
    pub async fn run(&self, feed: Uuid, run: Uuid) -> Result<FeedRun, ClientError> {
        self.client.send(&Request::get(path(feed, &format!("/runs/{run}")))).await?.json()
    }

    /// Every run of the feed, the newest first.
    #[must_use]
    pub fn runs(&self, feed: Uuid, page_limit: Option<u16>) -> ItemStream<FeedRun> {
        self.client.items::<RunList>(List { path: path(feed, "/runs"), query: limit(page_limit).collect() })
    }

    /// Lets a held run through.
    ///
    /// # Errors
    /// [`ClientError`]; 409 where it is not held.
    pub async fn confirm_run(&self, feed: Uuid, run: Uuid) -> Result<FeedRun, ClientError> {
        let request = Request::new(Method::POST, path(feed, &format!("/runs/{run}/confirm")));
        self.client.send(&request).await?.json()
    }

    /// Every record of the feed that could not be taken.
    #[must_use]
    pub fn rejects(&self, feed: Uuid, page_limit: Option<u16>) -> ItemStream<Reject> {
        let list = List { path: path(feed, "/rejects"), query: limit(page_limit).collect() };
        self.client.items::<RejectList>(list)
    }

    /// Has the feed's rejects read again, as a run of its own; while one is open, that one is answered.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn replay_rejects(&self, feed: Uuid) -> Result<FeedRun, ClientError> {
        self.client.send(&Request::new(Method::POST, path(feed, "/rejects/replay"))).await?.json()
    }
}

fn path(feed: Uuid, behind: &str) -> String {
    format!("{FEEDS}/{feed}{behind}")
}

fn limit(page_limit: Option<u16>) -> impl Iterator<Item = (&'static str, String)> {
    page_limit.map(|limit| ("limit", limit.to_string())).into_iter()
}
