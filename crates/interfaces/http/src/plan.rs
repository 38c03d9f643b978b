//! Plans of the catalog: `/api/v1/catalog/plans`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::value::RawValue;
use tenantry_domain::{Plan, PlanContent, PlanId, PlanVersion, Price, Scope, Timestamp};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::cursor::{self, ListIdentity};
use crate::problem::Problem;
use crate::problem_code::Code;
use crate::query::Query;
use crate::state::State;
use crate::tenant::{link_next, next_cursor};
use crate::{access, json};

/// A plan: one dated occurrence of what is on, as its feed told it last.
#[derive(Serialize, ToSchema)]
#[schema(as = Plan)]
pub(crate) struct PlanDto<'a> {
    /// The same in every fetch.
    #[schema(example = "3fa85f64-5717-4562-b3fc-2c963f66afa6")]
    id: Uuid,
    #[serde(flatten)]
    #[schema(inline)]
    content: PlanContentDto<'a>,
    /// 1 for the first, one more each time that anything differed.
    #[schema(example = 1, minimum = 1)]
    version: u32,
    /// When a fetch first held it.
    #[schema(format = DateTime, example = "2026-11-26T10:00:00.000000Z")]
    first_seen_at: String,
    /// When a fetch last held it.
    #[schema(format = DateTime, example = "2026-11-26T10:00:00.000000Z")]
    last_seen_at: String,
    /// Whether the last whole fetch of its feed held it, to be sold online.
    on_sale: bool,
    source: PlanSourceDto<'a>,
}

/// What a provider tells of a plan.
#[derive(Serialize, ToSchema)]
#[schema(as = PlanContent)]
pub(crate) struct PlanContentDto<'a> {
    #[schema(example = "Camela en concierto")]
    title: &'a str,
    #[schema(format = DateTime, example = "2021-06-30T21:00:00.000000Z")]
    starts_at: String,
    #[schema(format = DateTime, example = "2021-06-30T22:00:00.000000Z")]
    ends_at: String,
    /// When its sale begins; null where that is not told.
    #[schema(required = true, format = DateTime, example = "2020-07-01T00:00:00.000000Z")]
    sell_from: Option<String>,
    /// When its sale ends; null where that is not told.
    #[schema(required = true, format = DateTime, example = "2021-06-30T20:00:00.000000Z")]
    sell_to: Option<String>,
    /// Whether nothing is left.
    sold_out: bool,
    /// `online` or `offline`.
    #[schema(example = "online", pattern = "^(online|offline)$")]
    sell_mode: &'a str,
    /// The lowest price of its zones, exact to the cent; null where it has none.
    #[schema(value_type = Option<f64>, required = true, example = 15.0, minimum = 0)]
    min_price: Option<Box<RawValue>>,
    /// The highest price of its zones, exact to the cent; null where it has none.
    #[schema(value_type = Option<f64>, required = true, example = 30.0, minimum = 0)]
    max_price: Option<Box<RawValue>>,
    /// In the feed's order. The same `zone_id` may occur twice.
    #[schema(value_type = Vec<ZoneDto>)]
    zones: Option<Box<RawValue>>,
}

/// A zone of a plan.
#[derive(Serialize, ToSchema)]
#[schema(as = Zone)]
pub(crate) struct ZoneDto {
    #[schema(example = "40")]
    zone_id: String,
    #[schema(example = "Platea")]
    name: String,
    /// Exact to the cent.
    #[schema(example = 20.0, minimum = 0)]
    price: f64,
    /// How many places; may be 0. Null where it is not told.
    #[schema(required = true, example = 240)]
    capacity: Option<u32>,
    /// Whether places are numbered.
    numbered: bool,
}

/// Where a plan came from.
#[derive(Serialize, ToSchema)]
#[schema(as = PlanSource)]
pub(crate) struct PlanSourceDto<'a> {
    /// The feed. It may have been deleted since.
    feed_id: Uuid,
    /// The provider's id of what is on.
    #[schema(example = "291")]
    base_plan_id: &'a str,
    /// The provider's id of the plan.
    #[schema(example = "1642")]
    plan_id: &'a str,
    /// Who organizes it; null where that is not told.
    #[schema(required = true, example = "1")]
    organizer_company_id: Option<&'a str>,
}

/// A version of a plan.
#[derive(Serialize, ToSchema)]
#[schema(as = PlanVersion)]
pub(crate) struct PlanVersionDto<'a> {
    /// 1 for the first.
    #[schema(example = 1, minimum = 1)]
    version: u32,
    /// When a fetch first held it so. It was so until the next version.
    #[schema(format = DateTime, example = "2026-11-26T10:00:00.000000Z")]
    seen_at: String,
    #[serde(flatten)]
    #[schema(inline)]
    content: PlanContentDto<'a>,
}

/// A page of a plan's versions, the newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlanHistory<'a> {
    #[schema(value_type = Vec<PlanVersionDto>)]
    plans: Vec<PlanVersionDto<'a>>,
    /// For the next page; null at the end.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

impl<'a> From<&'a PlanContent> for PlanContentDto<'a> {
    fn from(content: &'a PlanContent) -> Self {
        let number = |price: Price| RawValue::from_string(price.to_string()).ok();
        Self {
            title: content.title.as_str(),
            starts_at: content.time.starts_at().to_string(),
            ends_at: content.time.ends_at().to_string(),
            sell_from: content.sell_from.map(|time| time.to_string()),
            sell_to: content.sell_to.map(|time| time.to_string()),
            sold_out: content.sold_out,
            sell_mode: content.sell_mode.as_str(),
            min_price: content.prices.and_then(|prices| number(prices.min)),
            max_price: content.prices.and_then(|prices| number(prices.max)),
            zones: content.zones.to_raw(),
        }
    }
}

impl<'a> From<&'a Plan> for PlanDto<'a> {
    fn from(plan: &'a Plan) -> Self {
        Self {
            id: plan.id.get(),
            content: (&plan.content).into(),
            version: plan.version,
            first_seen_at: plan.first_seen_at.to_string(),
            last_seen_at: plan.last_seen_at.to_string(),
            on_sale: plan.on_sale,
            source: PlanSourceDto {
                feed_id: plan.source.feed.get(),
                base_plan_id: plan.source.key.base_plan_id.as_str(),
                plan_id: plan.source.key.plan_id.as_str(),
                organizer_company_id: plan.content.organizer_company_id.as_ref().map(|id| id.as_str()),
            },
        }
    }
}

impl<'a> From<&'a PlanVersion> for PlanVersionDto<'a> {
    fn from(version: &'a PlanVersion) -> Self {
        Self {
            version: version.version,
            seen_at: version.seen_at.to_string(),
            content: (&version.content).into(),
        }
    }
}

fn plan_in_path(request: &HttpRequest) -> Result<PlanId, Problem> {
    PlanId::parse(request.match_info().query("id")).ok_or_else(|| Problem::plain(Code::PlanNotFound))
}

/// Shows a plan, with its zones.
#[utoipa::path(get, path = "/api/v1/catalog/plans/{id}", tag = "Catalog",
    params(("id" = Uuid, Path, description = "The plan's id.", example = "3fa85f64-5717-4562-b3fc-2c963f66afa6")),
    responses((status = 200, description = "The plan.", body = PlanDto)))]
pub(crate) async fn get_plan(state: web::Data<State>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::CatalogRead).await?;
    let plan = state.services.plans.get(tenant, plan_in_path(&request)?).await?;
    json::answer(StatusCode::OK, &PlanDto::from(&plan))
}

/// Lists every version of a plan that differed, the newest first; or, with `as_of`, the one that held then.
#[utoipa::path(get, path = "/api/v1/catalog/plans/{id}/history", tag = "Catalog",
    params(("id" = Uuid, Path, description = "The plan's id.", example = "3fa85f64-5717-4562-b3fc-2c963f66afa6"),
        ("as_of" = Option<String>, Query, description = "Only the version that held then: RFC 3339. 404 where the plan was not known yet.", example = "2099-12-31T00:00:00Z"),
        ("limit" = Option<u16>, Query, description = "How many at most.", minimum = 1, maximum = 1000, example = 50),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before.")),
    responses((status = 200, description = "A page of versions. It ends early where their zones are large.", body = PlanHistory,
        headers(("Link" = String, description = "RFC 8288: `rel=\"next\"`, where there is more.")))))]
pub(crate) async fn get_plan_history(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::CatalogRead).await?;
    let query = Query::parse(request.query_string(), &["as_of", "limit", "cursor"])?;
    let plan = plan_in_path(&request)?;
    let as_of = query.read("as_of", "an RFC 3339 date-time (2026-01-31T12:00:00Z)", |text| {
        Timestamp::parse_rfc3339(&text.replacen(' ', "+", 1))
    })?;
    let limit = query.limit()?;
    let filter = plan.to_string();
    let list = ListIdentity { list: "plan history", tenant: Some(tenant), filter: &filter };
    let after = match query.one("cursor")? {
        Some(text) => Some(read_position(&state.cursors.open(&list, text)?)?),
        None => None,
    };
    if let Some(moment) = as_of {
        let version = state.services.plans.version_at(tenant, plan, moment).await?;
        let plans = vec![PlanVersionDto::from(&version)];
        return json::answer(StatusCode::OK, &PlanHistory { plans, next_cursor: None });
    }
    let page = state.services.plans.history(tenant, plan, after, limit).await?;
    let next = next_cursor(&page, |last| state.cursors.seal(&list, &u64::from(last.version).to_be_bytes()));
    let mut answer = json::builder(StatusCode::OK);
    link_next(&mut answer, &request, next.as_deref());
    let plans = page.items.iter().map(PlanVersionDto::from).collect();
    Ok(answer.body(json::write(&PlanHistory { plans, next_cursor: next })?))
}

fn read_position(position: &[u8]) -> Result<u32, Problem> {
    u32::try_from(cursor::number(position)?).map_err(|_| Problem::plain(Code::InvalidCursor))
}
