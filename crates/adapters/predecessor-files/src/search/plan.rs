//! What a plan of the search is here.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use tenantry_domain::{
    PastPlan, PlanContent, PlanId, PlanKey, PlanRecord, PlanTime, PlanTitle, Price, PriceRange, ProviderId,
    SellMode, Timestamp, ZoneList, ZoneListBuilder,
};
use uuid::Uuid;

use crate::moment;
use crate::search::assembly::Choice;
use crate::search::columns::{
    CAPACITY, END, END_TIME, EVER_ONLINE, MAX_PRICE, MIN_PRICE, NAME, NUMBERED, ORGANIZER, PRICE, SELL_FROM,
    SELL_MODE, SELL_TO, SOLD_OUT, START, START_TIME, TITLE,
};
use crate::search::layout::Layout;

/// A plan with what its base plan says, as texts.
#[derive(Debug, QueryableByName)]
pub(crate) struct RawPlan {
    #[diesel(sql_type = BigInt)]
    pub(crate) place: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) line: i64,
    #[diesel(sql_type = Nullable<Text>)]
    base_plan_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    plan_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    own_id: Option<String>,
    /// How the row names its base plan.
    #[diesel(sql_type = Nullable<Text>)]
    base_plan: Option<String>,
    #[diesel(sql_type = Bool)]
    has_base_plan: bool,
    #[diesel(sql_type = Nullable<Text>)]
    title: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    sell_mode: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    ever_online: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    organizer: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    starts: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    start_time: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    ends: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    end_time: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    sell_from: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    sell_to: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    sold_out: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    min_price: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    max_price: Option<String>,
    /// What zones of this plan say in the first column by which they name it, and in the second.
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) zones_0: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) zones_1: Option<String>,
}

/// A zone, as texts.
#[derive(Debug, QueryableByName)]
pub(crate) struct RawZone {
    #[diesel(sql_type = BigInt)]
    line: i64,
    #[diesel(sql_type = Nullable<Text>)]
    zone_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    price: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    capacity: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    numbered: Option<String>,
}

/// A plan without its zones.
pub(crate) struct Head {
    pub(crate) key: PlanKey,
    id: Option<PlanId>,
    content: PlanContent,
}

/// What stands for the id of a base plan that is not known.
const UNKNOWN: &str = "-";

/// Reads everything but the zones. The error is a sentence that names the column.
pub(crate) fn head(layout: &Layout, choice: &Choice, row: &RawPlan) -> Result<Head, String> {
    if let (false, Some((table, _))) = (row.has_base_plan, &layout.base_plans) {
        let named = row.base_plan.as_deref().unwrap_or("NULL");
        return Err(format!("{} has no row {named}, or none that is taken", table.name));
    }
    let own_id = row.own_id.as_deref().map(str::trim).filter(|id| !id.is_empty());
    let uuid = own_id.and_then(|id| Uuid::try_parse(id).ok());
    let key = key(layout, choice, row, own_id)?;
    let column =
        |field: usize| layout.shared(field).and_then(|table| table.field_name(field)).unwrap_or("a column");
    let title = row.title.as_deref().ok_or_else(|| format!("{} is NULL", column(TITLE)))?;
    let title = PlanTitle::new(title)
        .ok_or_else(|| format!("{} is empty, longer than 1000 characters, or holds U+0000", column(TITLE)))?;
    let starts_at = moment_of(&row.starts, &row.start_time, column(START), column(START_TIME))?;
    let ends_at = moment_of(&row.ends, &row.end_time, column(END), column(END_TIME))?;
    let time = PlanTime::new(starts_at, ends_at).ok_or_else(|| match ends_at < starts_at {
        true => format!("{} is before {}", column(END), column(START)),
        false => {
            format!("{} is more than {} days after {}", column(END), PlanTime::MAX_DAYS, column(START))
        }
    })?;
    let organizer = row.organizer.as_deref().filter(|text| !text.is_empty());
    let organizer = organizer.map(|text| ProviderId::new(text).ok_or_else(|| too_long(column(ORGANIZER))));
    let content = PlanContent {
        title,
        sell_mode: sell_mode(layout, row)?,
        organizer_company_id: organizer.transpose()?,
        time,
        sell_from: optional_moment(&row.sell_from, column(SELL_FROM))?,
        sell_to: optional_moment(&row.sell_to, column(SELL_TO))?,
        sold_out: flag(row.sold_out.as_deref(), column(SOLD_OUT))?.unwrap_or(false),
        prices: prices(row, column(MIN_PRICE), column(MAX_PRICE))?,
        zones: ZoneList::of(&[]),
    };
    Ok(Head { key, id: uuid.map(PlanId::new), content })
}

/// What the plan is with its zones: those that cannot be read are told, and left out.
pub(crate) fn with_zones(
    layout: &Layout,
    head: Head,
    zones: &[RawZone],
    mut left_out: impl FnMut(i64, String),
) -> Result<PastPlan, String> {
    let Head { key, id, mut content } = head;
    let (mut list, mut prices) = (ZoneListBuilder::new(), Vec::new());
    for zone in zones {
        match add(layout, zone, &mut list) {
            Ok(price) => prices.push(price),
            Err(why) => left_out(zone.line, why),
        }
    }
    content.prices = PriceRange::of(prices).or(content.prices);
    content.zones = list.finish();
    Ok(PastPlan { record: PlanRecord { key, content }, id })
}

fn key(layout: &Layout, choice: &Choice, row: &RawPlan, own_id: Option<&str>) -> Result<PlanKey, String> {
    let provider_id = |text: &Option<String>, what: &str| {
        let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| format!("{what} is NULL or empty"))?;
        ProviderId::new(text).ok_or_else(|| too_long(what))
    };
    let plan_name = layout.ids.plan.map(|key| layout.plans.key_name(key));
    let base_table = layout.base_plans.as_ref().map_or(&layout.plans, |(table, _)| table);
    let base_name = layout.ids.base_plan.map(|key| base_table.key_name(key));
    let unknown = |text: &str| ProviderId::new(text).ok_or_else(|| too_long("the id"));
    let base_plan_id = match base_name {
        Some(name) => provider_id(&row.base_plan_id, name)?,
        None if choice.without_provider_ids => unknown(UNKNOWN)?,
        None => return Err("it has no base plan's id".to_owned()),
    };
    let plan_id = match (plan_name, own_id) {
        (Some(name), _) => provider_id(&row.plan_id, name)?,
        (None, Some(own_id)) if choice.without_provider_ids => unknown(own_id)?,
        (None, _) => return Err("it has no id".to_owned()),
    };
    Ok(PlanKey { base_plan_id, plan_id })
}

fn too_long(column: &str) -> String {
    format!("{column} is longer than 255 characters, or holds U+0000")
}

/// A day with a time, or a moment that is both.
fn moment_of(
    day: &Option<String>,
    time: &Option<String>,
    day_name: &str,
    time_name: &str,
) -> Result<Timestamp, String> {
    let day = day.as_deref().ok_or_else(|| format!("{day_name} is NULL"))?;
    let whole = match time.as_deref().filter(|_| !day.contains(':')) {
        Some(time) => moment::parse(&format!("{} {}", day.trim(), time.trim()))
            .ok_or_else(|| format!("{day_name} and {time_name} are no time: {day} {time}")),
        None => moment::parse(day).ok_or_else(|| format!("{day_name} is no time: {day}")),
    };
    // A value may be of any length.
    whole.map_err(|why| why.chars().take(200).collect())
}

fn optional_moment(text: &Option<String>, column: &str) -> Result<Option<Timestamp>, String> {
    text.as_ref().map(|_| moment_of(text, &None, column, "")).transpose()
}

fn sell_mode(layout: &Layout, row: &RawPlan) -> Result<SellMode, String> {
    let name = |field: usize| layout.shared(field).and_then(|table| table.field_name(field));
    if let Some(column) = name(EVER_ONLINE)
        && flag(row.ever_online.as_deref(), column)?.unwrap_or(false)
    {
        // It stays findable, whatever became of it.
        return Ok(SellMode::Online);
    }
    let Some(column) = name(SELL_MODE) else {
        let is_told = name(EVER_ONLINE).is_some();
        return Ok(if is_told { SellMode::Offline } else { SellMode::Online });
    };
    let Some(text) = row.sell_mode.as_deref() else { return Err(format!("{column} is NULL")) };
    let word = text.trim().to_lowercase();
    // An enumeration may be kept with its name: `SellMode.ONLINE`.
    let word = word.rsplit('.').next().unwrap_or(&word);
    match SellMode::parse(word) {
        Some(mode) => Ok(mode),
        None => match flag(Some(word), column) {
            Ok(Some(true)) => Ok(SellMode::Online),
            Ok(_) => Ok(SellMode::Offline),
            Err(_) => Err(format!("{column} is neither online nor offline")),
        },
    }
}

/// A yes or no.
fn flag(text: Option<&str>, column: &str) -> Result<Option<bool>, String> {
    let Some(text) = text else { return Ok(None) };
    match text.trim().to_lowercase().as_str() {
        "t" | "true" | "1" | "yes" | "y" => Ok(Some(true)),
        "f" | "false" | "0" | "no" | "n" => Ok(Some(false)),
        _ => Err(format!("{column} is neither true nor false")),
    }
}

fn price(text: &str, column: &str) -> Result<Price, String> {
    Price::parse(text.trim()).map_err(|error| format!("{column} {error}"))
}

/// The prices that the plan's own row has; zones go before them.
fn prices(row: &RawPlan, min_name: &str, max_name: &str) -> Result<Option<PriceRange>, String> {
    let min = row.min_price.as_deref().map(|text| price(text, min_name)).transpose()?;
    let max = row.max_price.as_deref().map(|text| price(text, max_name)).transpose()?;
    match (min, max) {
        (Some(min), Some(max)) if min > max => Err(format!("{min_name} is larger than {max_name}")),
        (min, max) => Ok(PriceRange::of([min, max].into_iter().flatten())),
    }
}

fn add(layout: &Layout, zone: &RawZone, list: &mut ZoneListBuilder) -> Result<Price, String> {
    let table = layout.zones.as_ref().map(|(table, _)| table);
    let column = |field: usize| table.and_then(|table| table.field_name(field)).unwrap_or("a column");
    let id_name =
        layout.zone_id.and_then(|key| table.map(|table| table.key_name(key))).unwrap_or("the zone's id");
    let id = zone.zone_id.as_deref().map(str::trim).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| format!("{id_name} is NULL or empty"))?;
    let id = ProviderId::new(id).ok_or_else(|| too_long(id_name))?;
    let text = zone.price.as_deref().ok_or_else(|| format!("{} is NULL", column(PRICE)))?;
    let price = price(text, column(PRICE))?;
    let capacity = zone.capacity.as_deref().map(str::trim).map(|text| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = is_number.then(|| text.parse::<u32>().ok()).flatten();
        number.ok_or_else(|| format!("{} is no whole number from 0 to {}", column(CAPACITY), u32::MAX))
    });
    let name = zone.name.as_deref().unwrap_or_default();
    if name.chars().count() > 255 || name.contains('\0') {
        return Err(too_long(column(NAME)));
    }
    let numbered = flag(zone.numbered.as_deref(), column(NUMBERED))?.unwrap_or(false);
    list.push(id.as_str(), name, price, capacity.transpose()?, numbered);
    Ok(price)
}
