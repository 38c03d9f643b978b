//! Imports: how a run of a feed is carried out.
//!
//! What a feed says is staged where no reader sees it, and becomes the catalog in one step at the end. A run is
//! worked on under a claim, which is moved on while the work lasts. Once it is lost, the work stops and changes
//! nothing, since another worker may have begun anew.

mod keeping;
mod replay;
mod staging;
#[cfg(test)]
mod tests;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use tenantry_domain::{
    FeedId, FeedRun, FeedSettings, Precondition, RunCounts, RunId, RunTrigger, TenantNumber,
};
use tenantry_ports::{
    ClaimError, ClaimOutcome, ClaimedRun, Clock, FeedRequest, FeedRunRepository, FeedSource, FetchCost,
    FetchEnd, FetchError, PlanRepository, RequestError, RequestedRun, RunClaim, RunEnd, RunKey, StorageError,
    Timer, Validators,
};
use uuid::Uuid;

use keeping::Keeping;
use staging::Staging;

/// A run that was claimed so often, and never came to an end, is given up: it probably ends whoever works on it.
const MAX_CLAIMS: u32 = 20;

/// The most characters of a run's detail.
const MAX_DETAIL: usize = 1000;

/// How imports are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportOptions {
    /// How long a claim lasts unless it is moved on, which happens three times as often: so long after the death of a
    /// worker another takes its run over.
    pub claim: Duration,
    /// A run that would take more than so many thousandths of a feed's plans out of it is held; at 1,000 none is.
    pub max_leaving_permille: u16,
    /// The most rejects that are kept of a feed.
    pub max_rejects: u32,
    /// How many runs of a feed that have ended are kept.
    pub kept_runs: u32,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportOutcome {
    /// It has come to its end, which is in its report.
    Ended(Box<FeedRun>),
    /// There was nothing to do: it had ended before, or is gone with its feed or its tenant.
    NothingToDo,
    /// Another worker has it.
    Busy {
        /// How long at least.
        remaining: Duration,
    },
    /// The claim was lost on the way: another worker has it, or the feed is gone. Nothing was changed.
    Lost,
    /// Whoever asked wants to stop: another worker may begin anew at once. Nothing was changed.
    GivenBack,
}

/// Why a file was not imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileImportError {
    /// The tenant has no such feed.
    #[error("there is no such feed")]
    FeedNotFound,
    /// A run of the feed is open; one file or fetch at a time.
    #[error("a run of the feed is under way: {0}")]
    Busy(RunId),
    /// The claim to the run was lost: the feed was deleted meanwhile, or this process slept for too long.
    #[error("the import was overtaken, and nothing was changed")]
    Overtaken,
    /// Storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Carries out runs of feeds.
pub struct ImportService {
    runs: Arc<dyn FeedRunRepository>,
    plans: Arc<dyn PlanRepository>,
    source: Arc<dyn FeedSource>,
    clock: Arc<dyn Clock>,
    timer: Arc<dyn Timer>,
    options: ImportOptions,
}

impl ImportService {
    /// The service over these runs, which fetches from `source`.
    #[must_use]
    pub fn new(
        runs: Arc<dyn FeedRunRepository>,
        plans: Arc<dyn PlanRepository>,
        source: Arc<dyn FeedSource>,
        clock: Arc<dyn Clock>,
        timer: Arc<dyn Timer>,
        options: ImportOptions,
    ) -> Self {
        Self { runs, plans, source, clock, timer, options }
    }

    /// Carries out a run, unless another worker has it. Once `stop` is done the run is given back.
    ///
    /// Dropping the future leaves the run claimed: another worker has it when that is over.
    ///
    /// # Errors
    /// When storage did not do it, and another try may go better. Nothing was changed.
    pub async fn carry_out(
        &self,
        key: RunKey,
        stop: impl Future<Output = ()> + Unpin,
    ) -> Result<ImportOutcome, StorageError> {
        self.carry_out_from(key, None, stop).await
    }

    /// Imports what `file` delivers into the feed as if its provider had sent it, now and here: what it does not hold
    /// leaves sale, if that is not too much to be believed. But what another system has kept of the feed
    /// ([`FetchEnd::Past`]) comes in beside what is there, and nothing leaves sale.
    ///
    /// # Errors
    /// [`FileImportError`] says each. A file that cannot be read is a run that has failed.
    pub async fn import_file(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        file: Arc<dyn FeedSource>,
    ) -> Result<FeedRun, FileImportError> {
        let run = RunId::new(Uuid::now_v7());
        match self.runs.request(tenant, feed, run, RunTrigger::File, Precondition::default()).await {
            Ok(RequestedRun::New(_)) => {}
            Ok(RequestedRun::Open(open)) => return Err(FileImportError::Busy(open.id)),
            // Of the two only the first can be: whatever the feed's version is will do.
            Err(RequestError::NotFound | RequestError::VersionConflict { .. }) => {
                return Err(FileImportError::FeedNotFound);
            }
            Err(RequestError::Storage(error)) => return Err(error.into()),
        }
        let key = RunKey { tenant, feed, run };
        match self.carry_out_from(key, Some(file), std::future::pending()).await? {
            ImportOutcome::Ended(run) => Ok(*run),
            // The end may have been written, and only the answer lost.
            _ => match self.runs.find(tenant, feed, run).await? {
                Some(run) if !run.state.is_open() => Ok(run),
                _ => Err(FileImportError::Overtaken),
            },
        }
    }

    async fn carry_out_from(
        &self,
        key: RunKey,
        file: Option<Arc<dyn FeedSource>>,
        mut stop: impl Future<Output = ()> + Unpin,
    ) -> Result<ImportOutcome, StorageError> {
        let claimed_at = self.timer.elapsed();
        let claimed = match self.runs.claim(key, self.options.claim).await? {
            ClaimOutcome::Claimed(claimed) => *claimed,
            ClaimOutcome::Busy { remaining } => return Ok(ImportOutcome::Busy { remaining }),
            ClaimOutcome::Ended => return Ok(ImportOutcome::NothingToDo),
        };
        let claim = claimed.claim.clone();
        let ended = {
            let work = pin!(self.work(claimed, file));
            let keeping = pin!(self.keeping(&claim).keep(claimed_at));
            match select(select(work, keeping), &mut stop).await {
                Either::Left((Either::Left((ended, _)), _)) => ended,
                Either::Left((Either::Right(((), _)), _)) => Err(ClaimError::Lost),
                Either::Right(((), _)) => {
                    self.give_back(&claim).await;
                    return Ok(ImportOutcome::GivenBack);
                }
            }
        };
        match ended {
            Ok(run) => {
                // The next run of the feed removes what this one leaves.
                let _ = self.runs.prune(key.tenant, key.feed, self.options.kept_runs).await;
                Ok(ImportOutcome::Ended(Box::new(run)))
            }
            Err(ClaimError::Lost) => Ok(ImportOutcome::Lost),
            Err(ClaimError::Storage(error)) => {
                self.give_back(&claim).await;
                Err(error)
            }
        }
    }

    /// Ends the claim now. Should that fail, it ends by itself.
    async fn give_back(&self, claim: &RunClaim) {
        let _ = self.runs.extend(claim, Duration::ZERO).await;
    }

    /// Brings the run to its end. While storage is not available it waits for it.
    async fn work(
        &self,
        claimed: ClaimedRun,
        file: Option<Arc<dyn FeedSource>>,
    ) -> Result<FeedRun, ClaimError> {
        let claim = claimed.claim.clone();
        let (counts, end) = match (claimed.run.trigger, file) {
            _ if claim.number > MAX_CLAIMS => {
                let detail = format!("it was begun {MAX_CLAIMS} times, and never came to an end");
                (RunCounts::default(), Ok(RunEnd::Failed { detail }))
            }
            (RunTrigger::Replay, _) => (RunCounts::default(), self.replay(&claimed).await),
            (RunTrigger::File, None) => {
                let detail = "the import of the file was cut off; import it again".to_owned();
                (RunCounts::default(), Ok(RunEnd::Failed { detail }))
            }
            (RunTrigger::File, Some(file)) => {
                let claimed = ClaimedRun { validators: Validators::default(), ..claimed };
                self.fetch(claimed, &*file).await
            }
            (RunTrigger::Schedule | RunTrigger::Request, _) => self.fetch(claimed, &*self.source).await,
        };
        let end = match end {
            Ok(end) => end,
            // Another try would end the same.
            Err(ClaimError::Storage(StorageError::Failed(_))) => RunEnd::Failed {
                detail: "what was read could not be stored: the server's log says why".to_owned(),
            },
            Err(error) => return Err(error),
        };
        let max_rejects = self.options.max_rejects;
        self.keeping(&claim)
            .until_available(|| self.runs.finish(&claim, self.clock.now(), end.clone(), counts, max_rejects))
            .await
    }

    /// Fetches the feed, and stages what it says.
    async fn fetch(
        &self,
        claimed: ClaimedRun,
        source: &dyn FeedSource,
    ) -> (RunCounts, Result<RunEnd, ClaimError>) {
        let ClaimedRun { claim, feed, validators, .. } = claimed;
        let is_conditional = validators != Validators::default();
        let FeedSettings { url, time_zone, .. } = feed.settings;
        let request = FeedRequest { tenant: claim.key.tenant, url, time_zone, validators };
        let sink = Arc::new(Staging::new(Arc::clone(&self.runs), claim, Arc::clone(&self.timer)));
        let (cost, fetched) = source.fetch(request, sink.clone()).await;
        let FetchCost { attempts, bytes } = cost;
        let counts = RunCounts { attempts, bytes, ..RunCounts::default() };
        let end = match fetched {
            Ok(FetchEnd::Whole(validators)) => sink.finish().await.map(|()| RunEnd::Whole {
                validators,
                max_leaving_permille: self.options.max_leaving_permille,
            }),
            Ok(FetchEnd::Past) => sink.finish().await.map(|()| RunEnd::Past),
            Ok(FetchEnd::NotModified) if is_conditional => Ok(RunEnd::Unchanged),
            Ok(FetchEnd::NotModified) => {
                Ok(failed("the provider says that nothing has changed, which it was not asked"))
            }
            Err(error @ FetchError::Stopped) => {
                sink.failure().map_or_else(|| Ok(failed(&error.to_string())), Err)
            }
            Err(error) => Ok(failed(&error.to_string())),
        };
        (counts, end)
    }

    fn keeping<'a>(&'a self, claim: &'a RunClaim) -> Keeping<'a> {
        Keeping { runs: &*self.runs, claim, timer: &*self.timer, lasts: self.options.claim }
    }
}

/// The end of a run that failed. U+FFFD stands for U+0000, which not every storage takes.
fn failed(why: &str) -> RunEnd {
    let letters = why.chars().map(|letter| if letter == '\0' { '\u{FFFD}' } else { letter });
    RunEnd::Failed { detail: letters.take(MAX_DETAIL).collect() }
}
