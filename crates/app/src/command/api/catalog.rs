//! `tenantry catalog`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use futures_util::TryStreamExt as _;
use tenantry_client::{Catalog, FeedPatch, FeedRun, NewFeed, Precondition};
use uuid::Uuid;

use super::super::CommandError;
use super::catalog_shown::Removed;
use super::failure::NOT_FOUND;
use super::output::{LimitArgs, Output};
use super::prompt;
use super::target::Session;

/// Between two looks at a run that is waited for.
const LOOK: Duration = Duration::from_millis(200);

/// What is done with a tenant's catalog.
#[derive(Debug, Subcommand)]
pub(in crate::command) enum CatalogCommand {
    /// Feeds: add, list, get, update, delete, run, runs, confirm, rejects, replay
    Feed {
        #[command(subcommand)]
        command: FeedCommand,
    },
    /// Find the plans that take place within a span of time, and were ever sold online
    Search {
        /// They start then or later: 2021-02-01T00:00:00 (UTC), or a day
        #[arg(long, value_name = "TIME")]
        starts_at: Option<String>,
        /// They end then or earlier
        #[arg(long, value_name = "TIME")]
        ends_at: Option<String>,
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Import a feed from a file, as if its provider had sent it
    #[command(
        long_about = "Import a feed from a file (XML, plain or gzip), as if its provider had sent it: what the \
        file does not hold leaves sale. It works on the database itself, and speaks to no server: SQLite must not be \
        served meanwhile.\n\nEnds with 0 when the catalog is what the file says, with 1 if not."
    )]
    Import {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The feed: its id, or its name if no other has it
        #[arg(long, value_name = "FEED")]
        feed: String,
    },
}

/// What is done with feeds. A feed is meant by its id, or by its name if no other has it.
#[derive(Debug, Subcommand)]
pub(in crate::command) enum FeedCommand {
    /// Make a feed; its first run is due at once
    Add {
        /// Its name
        name: Option<String>,
        /// Where it is fetched: http://… or https://…
        #[arg(value_name = "URL")]
        feed_url: Option<String>,
        /// Seconds from one run to the next: 10 to 2592000 [default: 3600]
        #[arg(long, value_name = "SECONDS")]
        interval: Option<u32>,
        /// The zone in which times without an offset stand, such as Europe/Madrid [default: UTC]
        #[arg(long, value_name = "ZONE")]
        time_zone: Option<String>,
        /// Leave it alone but when it is run by hand
        #[arg(long)]
        disabled: bool,
    },
    /// List the feeds
    List {
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Show a feed
    Get {
        /// Its id or name
        feed: Option<String>,
    },
    /// Change a feed
    #[command(group = clap::ArgGroup::new("change").args(["name", "feed_url", "interval", "time_zone", "enabled"])
        .required(true).multiple(true))]
    Update {
        /// Its id or name
        feed: Option<String>,
        /// The new name
        #[arg(long)]
        name: Option<String>,
        /// The new URL (--url is the server's)
        #[arg(long, value_name = "URL")]
        feed_url: Option<String>,
        /// The new interval, in seconds
        #[arg(long, value_name = "SECONDS")]
        interval: Option<u32>,
        /// The new zone
        #[arg(long, value_name = "ZONE")]
        time_zone: Option<String>,
        /// Whether the timer fetches it
        #[arg(long)]
        enabled: Option<bool>,
    },
    /// Remove a feed with its runs and rejects; its plans stay, and are on sale no more
    Delete {
        /// Its id or name
        feed: Option<String>,
    },
    /// Fetch a feed now, and wait for the report
    #[command(
        long_about = "Fetch a feed now, and wait for the report.\n\nEnds with 0 when the catalog is what the \
        provider says, with 1 if the run has failed or is held."
    )]
    Run {
        /// Its id or name
        feed: Option<String>,
        /// Only ask for it
        #[arg(long)]
        no_wait: bool,
    },
    /// List a feed's runs, the newest first
    Runs {
        /// Its id or name
        feed: Option<String>,
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Let a held run through: so many plans are really gone
    Confirm {
        /// The feed's id or name
        feed: String,
        /// The run's id
        run: Uuid,
    },
    /// List the records of a feed that could not be taken
    Rejects {
        /// Its id or name
        feed: Option<String>,
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Read a feed's rejects again, and wait for the report
    Replay {
        /// Its id or name
        feed: Option<String>,
        /// Only ask for it
        #[arg(long)]
        no_wait: bool,
    },
}

impl CatalogCommand {
    pub(super) async fn run(self, session: &Session, output: Output) -> Result<(), CommandError> {
        match self {
            Self::Feed { command } => command.run(&session.tenant_client()?.catalog(), output).await,
            Self::Search { starts_at, ends_at, limit } => {
                let [starts_at, ends_at] = prompt::all_needed([
                    (starts_at, "--starts-at", "They start at, or later"),
                    (ends_at, "--ends-at", "They end at, or earlier"),
                ])?;
                let found = session.tenant_client()?.catalog().search(&starts_at, &ends_at, limit.page());
                output.list(found, limit).await
            }
            // It speaks to no server: `super::run` sees to it before.
            Self::Import { .. } => Err(CommandError::Usage("import speaks to no server".to_owned())),
        }
    }
}

impl FeedCommand {
    async fn run(self, catalog: &Catalog, output: Output) -> Result<(), CommandError> {
        match self {
            Self::Add { name, feed_url, interval, time_zone, disabled } => {
                let name = prompt::needed(name, "NAME", "Name")?;
                let url = prompt::needed(feed_url, "URL", "URL")?;
                let mut wanted = NewFeed::new(name, url);
                wanted.interval_seconds = interval;
                wanted.time_zone = time_zone;
                wanted.enabled = disabled.then_some(false);
                output.one(&catalog.create_feed(&wanted).await?)
            }
            Self::List { limit } => output.list(catalog.feeds(limit.page()), limit).await,
            Self::Get { feed } => output.one(&catalog.feed(found(catalog, feed).await?).await?),
            Self::Update { feed, name, feed_url, interval, time_zone, enabled } => {
                let patch = FeedPatch { name, url: feed_url, interval_seconds: interval, time_zone, enabled };
                let feed = found(catalog, feed).await?;
                output.one(&catalog.patch_feed(feed, &patch, &Precondition::None).await?)
            }
            Self::Delete { feed } => {
                let id = found(catalog, feed).await?;
                catalog.delete_feed(id, &Precondition::None).await?;
                output.one(&Removed { id, deleted: true })
            }
            Self::Run { feed, no_wait } => {
                let feed = found(catalog, feed).await?;
                report(catalog, catalog.run_feed(feed).await?, no_wait, output).await
            }
            Self::Runs { feed, limit } => {
                let feed = found(catalog, feed).await?;
                output.list(catalog.runs(feed, limit.page()), limit).await
            }
            Self::Confirm { feed, run } => {
                let feed = found(catalog, Some(feed)).await?;
                output.one(&catalog.confirm_run(feed, run).await?)
            }
            Self::Rejects { feed, limit } => {
                let feed = found(catalog, feed).await?;
                output.list(catalog.rejects(feed, limit.page()), limit).await
            }
            Self::Replay { feed, no_wait } => {
                let feed = found(catalog, feed).await?;
                report(catalog, catalog.replay_rejects(feed).await?, no_wait, output).await
            }
        }
    }
}

/// The feed that is meant by its id, or by a name that no other feed has.
async fn found(catalog: &Catalog, feed: Option<String>) -> Result<Uuid, CommandError> {
    let feed = prompt::needed(feed, "FEED", "Feed (id or name)")?;
    if let Ok(id) = Uuid::try_parse(&feed) {
        return Ok(id);
    }
    let mut feeds = catalog.feeds(None);
    let mut meant = None;
    while let Some(one) = feeds.try_next().await? {
        if one.name == feed && meant.replace(one.id).is_some() {
            return Err(CommandError::Usage(format!("several feeds are named {feed}: name one by its id")));
        }
    }
    meant.ok_or_else(|| CommandError::Exit {
        code: NOT_FOUND,
        text: format!("no feed is named {feed}: tenantry catalog feed list"),
    })
}

/// Waits until the run has ended, shows it, and fails if it has.
async fn report(
    catalog: &Catalog,
    mut run: FeedRun,
    no_wait: bool,
    output: Output,
) -> Result<(), CommandError> {
    while !no_wait && run.outcome.is_none() {
        tokio::time::sleep(LOOK).await;
        run = catalog.run(run.feed_id, run.id).await?;
    }
    output.one(&run)?;
    match run.outcome.as_deref() {
        None | Some("succeeded" | "unchanged") => Ok(()),
        Some(outcome) => Err(CommandError::Failed(format!("the run has ended as {outcome}"))),
    }
}
