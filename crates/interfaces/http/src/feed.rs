//! Feeds of the catalog: `/api/v1/catalog/feeds`.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tenantry_domain::{Feed, FeedDraft, FeedId, Scope};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::cursor::ListIdentity;
use crate::problem::Problem;
use crate::problem_code::Code;
use crate::query::Query;
use crate::state::State;
use crate::tenant::{link_next, next_cursor, read_body};
use crate::{access, etag, json};

/// A feed.
#[derive(Serialize, ToSchema)]
#[schema(as = Feed)]
pub(crate) struct FeedDto<'a> {
    /// Its id.
    id: Uuid,
    #[schema(example = "Provider")]
    name: &'a str,
    /// Where it is fetched.
    #[schema(example = "https://provider.example/api/events")]
    url: &'a str,
    /// How long from one run to the next, give or take a tenth.
    #[schema(example = 3600, minimum = 10, maximum = 2_592_000)]
    interval_seconds: u32,
    /// In which zone times without an offset stand.
    #[schema(example = "UTC")]
    time_zone: &'a str,
    /// Whether it is fetched by the timer.
    enabled: bool,
    /// 1 when it was created, one more with each change; its `ETag`.
    #[schema(example = 1, minimum = 1)]
    version: u64,
    #[schema(format = DateTime, example = "2026-11-26T10:00:00.000000Z")]
    created_at: String,
    #[schema(format = DateTime, example = "2026-11-26T10:00:00.000000Z")]
    updated_at: String,
    /// When the timer runs it next; null while it is not enabled.
    #[schema(required = true, format = DateTime, example = "2026-11-26T11:00:00.000000Z")]
    next_run_at: Option<String>,
    /// When a whole fetch of it last succeeded; null before the first.
    #[schema(required = true, format = DateTime, example = "2026-11-26T10:00:00.000000Z")]
    last_success_at: Option<String>,
}

/// A page of feeds, in the order in which they were made.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeedList<'a> {
    #[schema(value_type = Vec<FeedDto>)]
    feeds: Vec<FeedDto<'a>>,
    /// For the next page; null at the end.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// What a feed is to be.
#[derive(Deserialize, ToSchema)]
#[schema(as = FeedDraft)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedBody {
    /// 1 to 255 characters. Names need not be unique.
    #[schema(required = true, nullable = false, min_length = 1, max_length = 255, example = "Provider")]
    name: Option<String>,
    /// An absolute URL of `http` or `https`, at most 2,048 bytes of ASCII, without user name and password.
    #[schema(
        required = true,
        nullable = false,
        max_length = 2048,
        example = "https://provider.example/api/events"
    )]
    url: Option<String>,
    /// How long from one run to the next; an hour where absent.
    #[schema(required = false, minimum = 10, maximum = 2_592_000, example = 3600)]
    interval_seconds: Option<i64>,
    /// The IANA name of the zone in which times without an offset stand; `UTC` where absent.
    #[schema(required = false, example = "UTC")]
    time_zone: Option<String>,
    /// Whether it is fetched by the timer; true where absent. It may be run by hand in any case.
    #[schema(required = false, example = false)]
    enabled: Option<bool>,
}

/// A JSON merge patch (RFC 7396) of a feed: what is absent stays, what is null has its default again.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "only the schema is used: the patch is applied to the text")]
pub(crate) struct FeedPatch {
    #[schema(nullable = false, required = false, min_length = 1, max_length = 255, example = "Provider")]
    name: Option<String>,
    #[schema(
        nullable = false,
        required = false,
        max_length = 2048,
        example = "https://provider.example/api/events"
    )]
    url: Option<String>,
    #[schema(required = false, minimum = 10, maximum = 2_592_000, example = 600)]
    interval_seconds: Option<i64>,
    #[schema(required = false, example = "Europe/Madrid")]
    time_zone: Option<String>,
    #[schema(required = false, example = false)]
    enabled: Option<bool>,
}

impl<'a> From<&'a Feed> for FeedDto<'a> {
    fn from(feed: &'a Feed) -> Self {
        Self {
            id: feed.id.get(),
            name: feed.settings.name.as_str(),
            url: feed.settings.url.as_str(),
            interval_seconds: feed.settings.interval_seconds,
            time_zone: feed.settings.time_zone.name(),
            enabled: feed.settings.enabled,
            version: feed.version,
            created_at: feed.created_at.to_string(),
            updated_at: feed.updated_at.to_string(),
            next_run_at: feed.next_run_at.map(|time| time.to_string()),
            last_success_at: feed.last_success_at.map(|time| time.to_string()),
        }
    }
}

impl From<FeedBody> for FeedDraft {
    fn from(body: FeedBody) -> Self {
        Self {
            name: body.name,
            url: body.url,
            interval_seconds: body.interval_seconds,
            time_zone: body.time_zone,
            enabled: body.enabled,
        }
    }
}

fn answer(status: StatusCode, feed: &Feed) -> Result<HttpResponse, Problem> {
    let mut answer = json::builder(status);
    answer.insert_header((header::ETAG, etag::of(feed.version)));
    if status == StatusCode::CREATED {
        answer.insert_header((header::LOCATION, format!("/api/v1/catalog/feeds/{}", feed.id)));
    }
    Ok(answer.body(json::write(&FeedDto::from(feed))?))
}

/// The feed that `{feed}` in the path names.
pub(crate) fn feed_in_path(request: &HttpRequest) -> Result<FeedId, Problem> {
    FeedId::parse(request.match_info().query("feed")).ok_or_else(|| Problem::plain(Code::FeedNotFound))
}

/// Makes a feed. If it is enabled, its first run is due at once.
#[utoipa::path(post, path = "/api/v1/catalog/feeds", tag = "Catalog", request_body = FeedBody,
    responses((status = 201, description = "It is made.", body = FeedDto,
        headers(("Location" = String), ("ETag" = String)))))]
pub(crate) async fn create_feed(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::CatalogWrite).await?;
    let text = read_body(&state, request.head(), payload.into_inner(), &["application/json"]).await?;
    let body: FeedBody = json::read_owned(&text, state.limits.max_json_depth)?;
    answer(StatusCode::CREATED, &state.services.feeds.create(tenant, body.into()).await?)
}

/// Lists the tenant's feeds, in the order in which they were made.
#[utoipa::path(get, path = "/api/v1/catalog/feeds", tag = "Catalog",
    params(("limit" = Option<u16>, Query, description = "How many at most.", minimum = 1, maximum = 1000, example = 50),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before.")),
    responses((status = 200, description = "A page of feeds.", body = FeedList,
        headers(("Link" = String, description = "RFC 8288: `rel=\"next\"`, where there is more.")))))]
pub(crate) async fn list_feeds(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::CatalogRead).await?;
    let query = Query::parse(request.query_string(), &["limit", "cursor"])?;
    let list = ListIdentity { list: "feeds", tenant: Some(tenant), filter: "" };
    let after = match query.one("cursor")? {
        Some(text) => Some(FeedId::new(position_uuid(&state.cursors.open(&list, text)?)?)),
        None => None,
    };
    let page = state.services.feeds.list(tenant, after, query.limit()?).await?;
    let next = next_cursor(&page, |last| state.cursors.seal(&list, last.id.get().as_bytes()));
    let mut answer = json::builder(StatusCode::OK);
    link_next(&mut answer, &request, next.as_deref());
    let feeds = page.items.iter().map(FeedDto::from).collect();
    Ok(answer.body(json::write(&FeedList { feeds, next_cursor: next })?))
}

/// The id that a cursor holds.
pub(crate) fn position_uuid(position: &[u8]) -> Result<Uuid, Problem> {
    Uuid::from_slice(position).map_err(|_| Problem::plain(Code::InvalidCursor))
}

/// Shows a feed.
#[utoipa::path(get, path = "/api/v1/catalog/feeds/{feed}", tag = "Catalog",
    params(("feed" = Uuid, Path, description = "The feed's id.", example = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d")),
    responses((status = 200, description = "The feed.", body = FeedDto, headers(("ETag" = String))),
        (status = 304, description = "It is what `If-None-Match` names.", headers(("ETag" = String)))))]
pub(crate) async fn get_feed(state: web::Data<State>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::CatalogRead).await?;
    let feed = state.services.feeds.get(tenant, feed_in_path(&request)?).await?;
    etag::require_match(request.headers(), feed.version)?;
    if etag::is_unchanged(request.headers(), feed.version)? {
        return Ok(HttpResponse::NotModified()
            .insert_header((header::ETAG, etag::of(feed.version)))
            .finish());
    }
    answer(StatusCode::OK, &feed)
}

/// Changes a feed by a JSON merge patch (RFC 7396).
#[utoipa::path(patch, path = "/api/v1/catalog/feeds/{feed}", tag = "Catalog",
    request_body(content((FeedPatch = "application/merge-patch+json"), (FeedPatch = "application/json"))),
    params(("feed" = Uuid, Path, description = "The feed's id.", example = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d"),
        ("If-Match" = Option<String>, Header, description = "Only if its entity tag is this.")),
    responses((status = 200, description = "The feed as it is now.", body = FeedDto, headers(("ETag" = String)))))]
pub(crate) async fn patch_feed(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::CatalogWrite).await?;
    let feed = feed_in_path(&request)?;
    let precondition = etag::precondition(request.headers())?;
    let types = ["application/merge-patch+json", "application/json"];
    let text = read_body(&state, request.head(), payload.into_inner(), &types).await?;
    let patch: &RawValue = json::read(&text, state.limits.max_json_depth)?;
    answer(StatusCode::OK, &state.services.feeds.patch(tenant, feed, patch.get(), &precondition).await?)
}

/// Removes a feed with its runs and rejects. Its plans stay, and are on sale no more.
#[utoipa::path(delete, path = "/api/v1/catalog/feeds/{feed}", tag = "Catalog",
    params(("feed" = Uuid, Path, description = "The feed's id.", example = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d"),
        ("If-Match" = Option<String>, Header, description = "Only if its entity tag is this.")),
    responses((status = 204, description = "It is gone.")))]
pub(crate) async fn delete_feed(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::CatalogWrite).await?;
    let precondition = etag::precondition(request.headers())?;
    state.services.feeds.delete(tenant, feed_in_path(&request)?, precondition).await?;
    Ok(HttpResponse::NoContent().finish())
}
