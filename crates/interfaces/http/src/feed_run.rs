//! Runs of a feed, and the records that they could not take: `/api/v1/catalog/feeds/{feed}/…`.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use tenantry_domain::{CatalogRevision, FeedId, FeedRun, Reject, RejectId, RunId, Scope, TenantNumber};
use tenantry_ports::RequestedRun;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::cursor::ListIdentity;
use crate::feed::{feed_in_path, position_uuid};
use crate::problem::Problem;
use crate::problem_code::Code;
use crate::query::Query;
use crate::state::State;
use crate::tenant::{link_next, next_cursor};
use crate::{access, json};

/// A run of a feed: its report, once it has ended.
#[derive(Serialize, ToSchema)]
#[schema(as = FeedRun)]
pub(crate) struct FeedRunDto<'a> {
    /// Its id.
    id: Uuid,
    /// Whose run.
    feed_id: Uuid,
    /// Why it was made: `schedule`, `request`, `file`, or `replay` for one that only tries rejects again.
    #[schema(example = "request", pattern = "^(schedule|request|file|replay)$")]
    trigger: &'a str,
    /// `queued`, `running`, or how it ended: see `outcome`.
    #[schema(
        example = "succeeded",
        pattern = "^(queued|running|succeeded|unchanged|failed|held|superseded)$"
    )]
    state: &'a str,
    /// Null while it is queued or running; then `succeeded`; `unchanged`, where the provider said that nothing has
    /// changed; `failed`, which changed nothing; `held`, where more plans would leave sale than is believed at once:
    /// it changes nothing until somebody confirms it; `superseded`, for a held one that a later run has replaced.
    #[schema(required = true, example = "succeeded")]
    outcome: Option<&'a str>,
    /// When it was asked for.
    #[schema(format = DateTime, example = "2026-11-26T10:00:00.000000Z")]
    queued_at: String,
    /// When a worker first took it.
    #[schema(required = true, format = DateTime, example = "2026-11-26T10:00:00.100000Z")]
    started_at: Option<String>,
    /// When it came to its end.
    #[schema(required = true, format = DateTime, example = "2026-11-26T10:00:02.000000Z")]
    finished_at: Option<String>,
    /// How often the provider was asked.
    #[schema(example = 2, minimum = 0)]
    attempts: u32,
    /// Bytes of the feed, decompressed, of all attempts.
    #[schema(example = 48_211, minimum = 0)]
    bytes: u64,
    /// Records that were read and taken: new, changed and unchanged ones.
    #[schema(example = 120, minimum = 0)]
    plans_seen: u64,
    /// Plans that the catalog did not have.
    #[schema(example = 3, minimum = 0)]
    plans_new: u64,
    /// Plans of which something differs.
    #[schema(example = 2, minimum = 0)]
    plans_changed: u64,
    /// Plans of which nothing differs.
    #[schema(example = 115, minimum = 0)]
    plans_unchanged: u64,
    /// Plans that left the feed. While it is held: that would leave.
    #[schema(example = 1, minimum = 0)]
    plans_left_sale: u64,
    /// Records that could not be taken.
    #[schema(example = 1, minimum = 0)]
    rejected: u64,
    /// Why it failed or is held; where it has brought what another system had kept, what it has left as it was.
    #[schema(required = true, example = json!(null))]
    detail: Option<&'a str>,
    /// The catalog's revision that shows what it brought: the `ETag` of a search from then on.
    #[schema(required = true, example = 7)]
    catalog_revision: Option<u64>,
}

/// A page of a feed's runs, the newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeedRunList<'a> {
    #[schema(value_type = Vec<FeedRunDto>)]
    runs: Vec<FeedRunDto<'a>>,
    /// For the next page; null at the end.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// A record of a feed that could not be taken.
#[derive(Serialize, ToSchema)]
#[schema(as = Reject)]
pub(crate) struct RejectDto<'a> {
    /// The same for the same record and reason in every run.
    #[schema(example = "0f6c1f0de8a94a1c8e0d7b6a5c4b3a29")]
    id: String,
    place: RejectPlaceDto<'a>,
    reason: RejectReasonDto<'a>,
    /// The record as it stands in the feed, with the start of its base plan; at most 256 KiB.
    #[schema(example = "<base_plan base_plan_id=\"291\">…</base_plan>")]
    raw: &'a str,
    /// The last run that met it.
    run_id: Uuid,
    #[schema(format = DateTime, example = "2026-11-26T10:00:00.000000Z")]
    first_seen_at: String,
    #[schema(format = DateTime, example = "2026-11-26T10:00:00.000000Z")]
    last_seen_at: String,
}

/// Where in the feed a record stands.
#[derive(Serialize, ToSchema)]
#[schema(as = RejectPlace)]
pub(crate) struct RejectPlaceDto<'a> {
    /// How many bytes of the decompressed feed come before it.
    #[schema(example = 1024, minimum = 0)]
    offset: u64,
    /// The provider's id of its base plan, where that could be read.
    #[schema(required = true, example = "291")]
    base_plan_id: Option<&'a str>,
    /// The provider's id of the plan, where that could be read.
    #[schema(required = true, example = "1642")]
    plan_id: Option<&'a str>,
}

/// Why a record could not be taken.
#[derive(Serialize, ToSchema)]
#[schema(as = RejectReason)]
pub(crate) struct RejectReasonDto<'a> {
    /// Which rule it breaks, stable, for programs: `missing`, `time`, `order`, `price`, `number`, `word`, `text`,
    /// `too-large` or `duplicate`.
    #[schema(example = "time")]
    code: &'a str,
    /// What is wrong, for a person.
    #[schema(example = "plan_end_date is no date: 2021-09-31T20:00:00")]
    detail: &'a str,
}

/// A page of a feed's rejects.
#[derive(Serialize, ToSchema)]
pub(crate) struct RejectList<'a> {
    #[schema(value_type = Vec<RejectDto>)]
    rejects: Vec<RejectDto<'a>>,
    /// For the next page; null at the end.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

impl<'a> From<&'a FeedRun> for FeedRunDto<'a> {
    fn from(run: &'a FeedRun) -> Self {
        let counts = run.counts;
        Self {
            id: run.id.get(),
            feed_id: run.feed.get(),
            trigger: run.trigger.as_str(),
            state: run.state.as_str(),
            outcome: (!run.state.is_open()).then(|| run.state.as_str()),
            queued_at: run.queued_at.to_string(),
            started_at: run.started_at.map(|time| time.to_string()),
            finished_at: run.finished_at.map(|time| time.to_string()),
            attempts: counts.attempts,
            bytes: counts.bytes,
            plans_seen: counts.plans_seen,
            plans_new: counts.plans_new,
            plans_changed: counts.plans_changed,
            plans_unchanged: counts.plans_unchanged,
            plans_left_sale: counts.plans_left_sale,
            rejected: counts.rejected,
            detail: run.detail.as_deref(),
            catalog_revision: run.catalog_revision.map(CatalogRevision::get),
        }
    }
}

impl<'a> From<&'a Reject> for RejectDto<'a> {
    fn from(reject: &'a Reject) -> Self {
        let record = &reject.record;
        Self {
            id: reject.id.to_string(),
            place: RejectPlaceDto {
                offset: record.place.offset,
                base_plan_id: record.place.base_plan_id.as_deref(),
                plan_id: record.place.plan_id.as_deref(),
            },
            reason: RejectReasonDto { code: record.reason.code.as_str(), detail: &record.reason.detail },
            raw: &record.raw,
            run_id: reject.run.get(),
            first_seen_at: reject.first_seen_at.to_string(),
            last_seen_at: reject.last_seen_at.to_string(),
        }
    }
}

/// Whoever is told that a run has ended finds what it brought, on this node too.
async fn catch_up<'a>(state: &State, tenant: TenantNumber, runs: impl IntoIterator<Item = &'a FeedRun>) {
    if let Some(revision) = runs.into_iter().filter_map(|run| run.catalog_revision).max() {
        state.services.search.catch_up(tenant, revision).await;
    }
}

fn requested(requested: &RequestedRun) -> Result<HttpResponse, Problem> {
    let (status, run) = match requested {
        RequestedRun::New(run) => (StatusCode::ACCEPTED, run),
        RequestedRun::Open(run) => (StatusCode::OK, run),
    };
    let mut answer = json::builder(status);
    let place = format!("/api/v1/catalog/feeds/{}/runs/{}", run.feed, run.id);
    answer.insert_header((header::LOCATION, place));
    Ok(answer.body(json::write(&FeedRunDto::from(run))?))
}

/// The feed and the run that the path names. A run of no feed is one that there is not.
fn run_in_path(request: &HttpRequest) -> Result<(FeedId, RunId), Problem> {
    let ids = request.match_info();
    let feed = FeedId::parse(ids.query("feed"));
    feed.zip(RunId::parse(ids.query("run"))).ok_or_else(|| Problem::plain(Code::FeedRunNotFound))
}

/// Has the feed fetched now, also where it is not enabled. A feed has one run at a time: while one is open it is
/// answered, and no other made.
#[utoipa::path(post, path = "/api/v1/catalog/feeds/{feed}/runs", tag = "Catalog",
    params(("feed" = Uuid, Path, description = "The feed's id.", example = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d")),
    responses((status = 202, description = "The run is queued: ask at `Location` how far it has come.", body = FeedRunDto, headers(("Location" = String))),
        (status = 200, description = "A run of the feed is open already: that one.", body = FeedRunDto, headers(("Location" = String)))))]
pub(crate) async fn create_feed_run(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::CatalogWrite).await?;
    requested(&state.services.feeds.request_run(tenant, feed_in_path(&request)?).await?)
}

/// Lists the feed's runs, the newest first.
#[utoipa::path(get, path = "/api/v1/catalog/feeds/{feed}/runs", tag = "Catalog",
    params(("feed" = Uuid, Path, description = "The feed's id.", example = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d"),
        ("limit" = Option<u16>, Query, description = "How many at most.", minimum = 1, maximum = 1000, example = 50),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before.")),
    responses((status = 200, description = "A page of runs.", body = FeedRunList,
        headers(("Link" = String, description = "RFC 8288: `rel=\"next\"`, where there is more.")))))]
pub(crate) async fn list_feed_runs(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::CatalogRead).await?;
    let query = Query::parse(request.query_string(), &["limit", "cursor"])?;
    let feed = feed_in_path(&request)?;
    let filter = feed.to_string();
    let list = ListIdentity { list: "runs", tenant: Some(tenant), filter: &filter };
    let after = match query.one("cursor")? {
        Some(text) => Some(RunId::new(position_uuid(&state.cursors.open(&list, text)?)?)),
        None => None,
    };
    let page = state.services.feeds.list_runs(tenant, feed, after, query.limit()?).await?;
    catch_up(&state, tenant, &page.items).await;
    let next = next_cursor(&page, |last| state.cursors.seal(&list, last.id.get().as_bytes()));
    let mut answer = json::builder(StatusCode::OK);
    link_next(&mut answer, &request, next.as_deref());
    let runs = page.items.iter().map(FeedRunDto::from).collect();
    Ok(answer.body(json::write(&FeedRunList { runs, next_cursor: next })?))
}

/// Shows a run. Once it shows that a run has succeeded, a search finds what it brought.
#[utoipa::path(get, path = "/api/v1/catalog/feeds/{feed}/runs/{run}", tag = "Catalog",
    params(("feed" = Uuid, Path, description = "The feed's id.", example = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d"),
        ("run" = Uuid, Path, description = "The run's id.", example = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2e")),
    responses((status = 200, description = "The run.", body = FeedRunDto)))]
pub(crate) async fn get_feed_run(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::CatalogRead).await?;
    let (feed, run) = run_in_path(&request)?;
    let run = state.services.feeds.get_run(tenant, feed, run).await?;
    catch_up(&state, tenant, [&run]).await;
    json::answer(StatusCode::OK, &FeedRunDto::from(&run))
}

/// Lets a held run through: so many plans are really gone.
#[utoipa::path(post, path = "/api/v1/catalog/feeds/{feed}/runs/{run}/confirm", tag = "Catalog",
    params(("feed" = Uuid, Path, description = "The feed's id.", example = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d"),
        ("run" = Uuid, Path, description = "The run's id.", example = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2e")),
    responses((status = 200, description = "The run as it is now.", body = FeedRunDto)))]
pub(crate) async fn confirm_feed_run(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::CatalogWrite).await?;
    let (feed, run) = run_in_path(&request)?;
    let run = state.services.feeds.confirm_run(tenant, feed, run).await?;
    catch_up(&state, tenant, [&run]).await;
    json::answer(StatusCode::OK, &FeedRunDto::from(&run))
}

/// Lists the records of the feed that could not be taken, each with its place, its text and why.
#[utoipa::path(get, path = "/api/v1/catalog/feeds/{feed}/rejects", tag = "Catalog",
    params(("feed" = Uuid, Path, description = "The feed's id.", example = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d"),
        ("limit" = Option<u16>, Query, description = "How many at most.", minimum = 1, maximum = 1000, example = 50),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before.")),
    responses((status = 200, description = "A page of rejects. It ends early where their texts are large.", body = RejectList,
        headers(("Link" = String, description = "RFC 8288: `rel=\"next\"`, where there is more.")))))]
pub(crate) async fn list_rejects(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::CatalogRead).await?;
    let query = Query::parse(request.query_string(), &["limit", "cursor"])?;
    let feed = feed_in_path(&request)?;
    let filter = feed.to_string();
    let list = ListIdentity { list: "rejects", tenant: Some(tenant), filter: &filter };
    let after = match query.one("cursor")? {
        Some(text) => {
            let position = state.cursors.open(&list, text)?;
            Some(RejectId::new(position_uuid(&position)?.into_bytes()))
        }
        None => None,
    };
    let page = state.services.feeds.list_rejects(tenant, feed, after, query.limit()?).await?;
    let next = next_cursor(&page, |last| state.cursors.seal(&list, &last.id.get()));
    let mut answer = json::builder(StatusCode::OK);
    link_next(&mut answer, &request, next.as_deref());
    let rejects = page.items.iter().map(RejectDto::from).collect();
    Ok(answer.body(json::write(&RejectList { rejects, next_cursor: next })?))
}

/// Has the feed's rejects read again, after a mend: those that can be read now enter the catalog. It is a run of its own.
#[utoipa::path(post, path = "/api/v1/catalog/feeds/{feed}/rejects/replay", tag = "Catalog",
    params(("feed" = Uuid, Path, description = "The feed's id.", example = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d")),
    responses((status = 202, description = "The run is queued: ask at `Location` how far it has come.", body = FeedRunDto, headers(("Location" = String))),
        (status = 200, description = "A run of the feed is open already: that one.", body = FeedRunDto, headers(("Location" = String)))))]
pub(crate) async fn replay_rejects(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::CatalogWrite).await?;
    requested(&state.services.feeds.replay_rejects(tenant, feed_in_path(&request)?).await?)
}
