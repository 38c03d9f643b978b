//! Putting together what belongs together: plans with what their base plans and zones say.

use std::fmt::Write as _;

use diesel::SqliteConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use tenantry_domain::PastPlan;

use crate::file_error::FileError;
use crate::search::columns::{
    CAPACITY, END, END_TIME, EVER_ONLINE, MAX_PRICE, MIN_PRICE, NAME, NUMBERED, ORGANIZER, PRICE, PROVIDER,
    Role, SELL_FROM, SELL_MODE, SELL_TO, SOLD_OUT, START, START_TIME, TITLE,
};
use crate::search::layout::Layout;
use crate::search::plan::{self, RawPlan, RawZone};
use crate::search::references::Join;
use crate::search::staging::{self, forget_keys, take_key};

/// So many plans are read at once.
const PAGE: usize = 256;

/// The most zones that a plan may have, as in a feed.
const MAX_ZONES: usize = 10_000;

/// What is told on the way.
pub(crate) enum Told {
    /// A plan, or why it is not taken.
    Plan(i64, Result<Box<PastPlan>, String>),
    /// A zone that is left out of its plan, and why.
    Zone(i64, String),
}

/// Whose plans are wanted, and whether they are without their provider's ids.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choice {
    pub(crate) provider: Option<String>,
    pub(crate) without_provider_ids: bool,
}

/// Gets ready for [`assemble`].
pub(crate) fn prepare(connection: &mut SqliteConnection, layout: &Layout) -> Result<(), FileError> {
    if let Some((_, join)) = &layout.base_plans {
        let keys: Vec<_> = join.iter().map(|(_, there)| *there).collect();
        staging::index(connection, Role::BasePlans, &keys)?;
    }
    if let Some((_, join)) = &layout.zones {
        let keys: Vec<_> = join.iter().map(|(here, _)| *here).collect();
        staging::index(connection, Role::Zones, &keys)?;
    }
    Ok(())
}

/// Tells of each plan in the order of the file, until `each` wants no more.
pub(crate) fn assemble(
    connection: &mut SqliteConnection,
    layout: &Layout,
    choice: &Choice,
    mut each: impl FnMut(Told) -> bool,
) -> Result<(), FileError> {
    forget_keys(connection)?;
    let select = select_plans(layout);
    let mut last = 0;
    loop {
        let mut query = diesel::sql_query(&select).into_boxed::<diesel::sqlite::Sqlite>();
        query = query.bind::<BigInt, _>(last).bind::<Nullable<Text>, _>(choice.provider.as_deref());
        let rows: Vec<RawPlan> = query.load(connection)?;
        let Some(newest) = rows.last() else { return Ok(()) };
        last = newest.place;
        for row in rows {
            if !tell(connection, layout, choice, &row, &mut each)? {
                return Ok(());
            }
        }
    }
}

fn tell(
    connection: &mut SqliteConnection,
    layout: &Layout,
    choice: &Choice,
    row: &RawPlan,
    each: &mut impl FnMut(Told) -> bool,
) -> Result<bool, FileError> {
    let head = match plan::head(layout, choice, row) {
        Ok(head) => head,
        Err(why) => return Ok(each(Told::Plan(row.line, Err(why)))),
    };
    let key = &head.key;
    let before = take_key(connection, key.base_plan_id.as_str(), key.plan_id.as_str(), row.line)?;
    if let Some(before) = before {
        let why = format!(
            "the plan {} of the base plan {} stands in line {before} already, which was taken",
            key.plan_id, key.base_plan_id
        );
        return Ok(each(Told::Plan(row.line, Err(why))));
    }
    let zones = zones(connection, layout, row)?;
    if zones.len() > MAX_ZONES {
        return Ok(each(Told::Plan(row.line, Err(format!("it has more than {MAX_ZONES} zones")))));
    }
    let mut wants_more = true;
    let with_zones = plan::with_zones(layout, head, &zones, |line, why| {
        wants_more &= each(Told::Zone(line, why));
    });
    Ok(wants_more && each(Told::Plan(row.line, with_zones.map(Box::new))))
}

/// Zones of no plan, which are left out: their lines, at most so many, and how many there are.
pub(crate) fn orphans(
    connection: &mut SqliteConnection,
    layout: &Layout,
    most: usize,
) -> Result<(Vec<i64>, u64), FileError> {
    let Some((_, join)) = &layout.zones else { return Ok((Vec::new(), 0)) };
    let same = join.iter().map(|(here, there)| format!("p.k{there} = z.k{here}"));
    let plans = join.iter().map(|(_, there)| format!("k{there}"));
    let plans = plans.collect::<Vec<_>>().join(", ");
    let index = format!(
        "CREATE INDEX IF NOT EXISTS staged_search_plans ON staged_search_rows ({plans}) WHERE role = {}",
        Role::Plans.number()
    );
    diesel::sql_query(index).execute(connection)?;
    let orphans = format!(
        "FROM staged_search_rows z WHERE z.role = {} AND NOT EXISTS (SELECT 1 FROM staged_search_rows p \
         WHERE p.role = {} AND {})",
        Role::Zones.number(),
        Role::Plans.number(),
        same.collect::<Vec<_>>().join(" AND ")
    );
    let count: i64 =
        diesel::dsl::sql::<BigInt>(&format!("SELECT count(*) {orphans}")).get_result(connection)?;
    let lines = format!("SELECT z.line {orphans} ORDER BY z.place LIMIT {most}");
    Ok((diesel::dsl::sql::<BigInt>(&lines).load(connection)?, count.unsigned_abs()))
}

/// A page of plans: its binds are the place behind which it begins, and the provider whose plans are wanted.
fn select_plans(layout: &Layout) -> String {
    let Layout { plans, base_plans, .. } = layout;
    let field = |field: usize| format!("p.f{field}");
    let shared = |field: usize| match layout.shared(field).map(|table| table.role) {
        Some(Role::BasePlans) => format!("b.f{field}"),
        _ => format!("p.f{field}"),
    };
    let key = |key: Option<usize>| key.map_or_else(|| "NULL".to_owned(), |key| format!("p.k{key}"));
    let base_plan_id = match (&base_plans, layout.ids.base_plan) {
        (_, None) => "NULL".to_owned(),
        (Some(_), Some(key)) => format!("b.k{key}"),
        (None, Some(key)) => format!("p.k{key}"),
    };
    let (names, has_base_plan) = match base_plans {
        Some((_, join)) => (concatenated(join.iter().map(|(here, _)| *here)), "b.place IS NOT NULL"),
        None => ("NULL".to_owned(), "TRUE"),
    };
    let mut select = format!(
        "SELECT p.place, p.line, {base_plan_id} AS base_plan_id, {} AS plan_id, {} AS own_id, \
         {names} AS base_plan, {has_base_plan} AS has_base_plan",
        key(layout.ids.plan),
        key(layout.own_id)
    );
    let columns = [
        ("title", shared(TITLE)),
        ("sell_mode", shared(SELL_MODE)),
        ("ever_online", shared(EVER_ONLINE)),
        ("organizer", shared(ORGANIZER)),
        ("starts", field(START)),
        ("start_time", field(START_TIME)),
        ("ends", field(END)),
        ("end_time", field(END_TIME)),
        ("sell_from", field(SELL_FROM)),
        ("sell_to", field(SELL_TO)),
        ("sold_out", field(SOLD_OUT)),
        ("min_price", field(MIN_PRICE)),
        ("max_price", field(MAX_PRICE)),
    ];
    // Writing to a string cannot fail.
    for (name, column) in columns {
        let _ = write!(select, ", {column} AS {name}");
    }
    for there in 0..2 {
        let joined = layout.zones.as_ref().and_then(|(_, join)| join.get(there)).map(|(_, there)| *there);
        let _ = write!(select, ", {} AS zones_{there}", key(joined));
    }
    select.push_str(" FROM staged_search_rows p");
    if let Some((_, join)) = base_plans {
        let base_plans = Role::BasePlans.number();
        let _ = write!(
            select,
            " LEFT JOIN staged_search_rows b ON b.place = (SELECT min(b2.place) FROM staged_search_rows b2 \
             WHERE b2.role = {base_plans} AND {})",
            same(join)
        );
    }
    let provider = layout.provider().map_or_else(|| "NULL".to_owned(), |_| shared(PROVIDER));
    let _ = write!(
        select,
        " WHERE p.role = {} AND p.place > ? AND coalesce({provider} = ?, TRUE) ORDER BY p.place LIMIT {PAGE}",
        plans.role.number()
    );
    select
}

fn same(join: &Join) -> String {
    let pairs = join.iter().map(|(here, there)| format!("b2.k{there} = p.k{here}"));
    pairs.collect::<Vec<_>>().join(" AND ")
}

fn concatenated(keys: impl Iterator<Item = usize>) -> String {
    keys.map(|key| format!("coalesce(p.k{key}, 'NULL')")).collect::<Vec<_>>().join(" || ', ' || ")
}

/// The zones of a plan, at most one more than a plan may have.
fn zones(
    connection: &mut SqliteConnection,
    layout: &Layout,
    row: &RawPlan,
) -> Result<Vec<RawZone>, FileError> {
    let Some((_, join)) = &layout.zones else { return Ok(Vec::new()) };
    let values = [row.zones_0.as_deref(), row.zones_1.as_deref()];
    let of_plan = join.iter().map(|(here, _)| format!("k{here} = ?")).collect::<Vec<_>>().join(" AND ");
    let zone_id = layout.zone_id.map_or_else(|| "NULL".to_owned(), |key| format!("k{key}"));
    let select = format!(
        "SELECT line, {zone_id} AS zone_id, f{NAME} AS name, f{PRICE} AS price, f{CAPACITY} AS capacity, \
         f{NUMBERED} AS numbered FROM staged_search_rows WHERE role = {} AND {of_plan} ORDER BY place LIMIT {}",
        Role::Zones.number(),
        MAX_ZONES + 1
    );
    let mut query = diesel::sql_query(select).into_boxed::<diesel::sqlite::Sqlite>();
    for value in values.into_iter().take(join.len()) {
        query = query.bind::<Nullable<Text>, _>(value);
    }
    Ok(query.load(connection)?)
}
