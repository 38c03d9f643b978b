//! Lists of events.
//!
//! Components, environments and addresses are compared by SQLite. A range of time becomes a range of
//! sequences, because `created_at` never falls as the sequence grows: its ends are found by bisection,
//! some twenty look-ups in ten million events. Text and JSON are compared by the domain's own functions,
//! row by row as SQLite hands them out, so that they mean the same on every engine.

use diesel::dsl::{max, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel::sqlite::Sqlite;
use tenantry_domain::{
    Event, EventFilter, Order, Page, TenantNumber, Timestamp, contains_ignoring_case, json_contains,
};
use tenantry_ports::EventQuery;
use tenantry_storage_support::Caller;

use crate::error::SqliteError;
use crate::event::EventRow;
use crate::schema::events;

/// A list is read in windows of so many sequences: between two of them it looks whether anybody still waits
/// for it, so that a filter that shows next to nothing does not hold a reader for nobody.
const WINDOW: i64 = 65_536;

/// The page of the tenant's events that `query` asks for.
pub(crate) fn list(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    query: &EventQuery,
    caller: &Caller<'_>,
) -> Result<Page<Event>, SqliteError> {
    let mut page = Page { items: Vec::new(), more: false };
    let Some((first, last)) = sequences(connection, tenant, query)? else { return Ok(page) };
    for window in windows(first, last, query.order) {
        if page.more || caller.has_gone() {
            break;
        }
        read_window(connection, tenant, query, window, &mut page)?;
    }
    Ok(page)
}

/// The windows of a range of sequences, in the order in which they are read.
fn windows(first: i64, last: i64, order: Order) -> impl Iterator<Item = (i64, i64)> {
    (0..=(last - first) / WINDOW).map(move |number| match order {
        Order::Ascending => {
            let low = first + number * WINDOW;
            (low, last.min(low + WINDOW - 1))
        }
        Order::Descending => {
            let high = last - number * WINDOW;
            (first.max(high - WINDOW + 1), high)
        }
    })
}

/// Adds what a window shows to the page, until that is full.
fn read_window(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    query: &EventQuery,
    (low, high): (i64, i64),
    page: &mut Page<Event>,
) -> Result<(), SqliteError> {
    let selected = selection(tenant, &query.filter).filter(events::sequence.between(low, high));
    let selected = match query.order {
        Order::Ascending => selected.order(events::sequence.asc()),
        Order::Descending => selected.order(events::sequence.desc()),
    };
    for row in selected.select(EventRow::as_select()).load_iter(connection)? {
        let row: EventRow = row?;
        if !shows(&query.filter, &row) {
            continue;
        }
        if page.items.len() == query.limit.get() {
            page.more = true;
            break;
        }
        page.items.push(row.into_event()?);
    }
    Ok(())
}

/// The first and the last sequence that the query's positions and times leave; nothing if there is none.
fn sequences(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    query: &EventQuery,
) -> Result<Option<(i64, i64)>, SqliteError> {
    let EventFilter { from, to, after_sequence, .. } = query.filter;
    let number = |sequence: tenantry_domain::Sequence| i64::try_from(sequence.get()).unwrap_or(i64::MAX);
    let (mut first, mut last) = (1, i64::MAX);
    if let Some(after) = after_sequence {
        first = number(after).saturating_add(1);
    }
    match (query.order, query.after.map(number)) {
        (Order::Ascending, Some(after)) => first = first.max(after.saturating_add(1)),
        (Order::Descending, Some(after)) => last = after - 1,
        (_, None) => {}
    }
    let Some(highest) = highest_sequence(connection, tenant)? else { return Ok(None) };
    last = last.min(highest);
    if let Some(from) = from {
        first = first_at_or_after(connection, tenant, from.as_micros(), first, last + 1)?;
    }
    // No event is stored at a time that cannot be printed: an end at the last one leaves all.
    if let Some(to) = to.filter(|to| *to < Timestamp::MAX) {
        last = first_at_or_after(connection, tenant, to.next().as_micros(), first, last + 1)? - 1;
    }
    Ok((first <= last).then_some((first, last)))
}

/// The tenant's newest sequence.
fn highest_sequence(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
) -> Result<Option<i64>, SqliteError> {
    let of_tenant = events::table.filter(events::tenant_number.eq(tenant.get()));
    Ok(of_tenant.select(max(events::sequence)).get_result(connection)?)
}

/// The lowest sequence from `low` up whose event was stored at `time` or later; `high` where none below
/// `high` was.
fn first_at_or_after(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    time: i64,
    mut low: i64,
    mut high: i64,
) -> Result<i64, SqliteError> {
    // All below `low` were stored before `time`, all from `high` on were not.
    while low < high {
        let middle = low + (high - low) / 2;
        // The next one there is: it need not have this very sequence.
        let next: Option<(i64, i64)> = events::table
            .filter(events::tenant_number.eq(tenant.get()))
            .filter(events::sequence.ge(middle))
            .order(events::sequence.asc())
            .select((events::sequence, events::created_at))
            .load_iter(connection)?
            .next()
            .transpose()?;
        match next {
            Some((sequence, created_at)) if created_at < time => low = (sequence + 1).min(high),
            _ => high = middle,
        }
    }
    Ok(low)
}

type Selection<'a> = events::BoxedQuery<'a, Sqlite>;

/// The tenant's events whose plain columns fit the filter.
fn selection(tenant: TenantNumber, filter: &EventFilter) -> Selection<'_> {
    let mut selected = events::table.filter(events::tenant_number.eq(tenant.get())).into_boxed();
    selected = match &filter.components[..] {
        [] => selected,
        [one] => selected.filter(events::component.eq(one)),
        many => selected.filter(one_of("component", many)),
    };
    selected = match &filter.environments[..] {
        [] => selected,
        [one] => selected.filter(events::environment.eq(one)),
        many => selected.filter(one_of("environment", many)),
    };
    match &filter.emails[..] {
        [] => selected,
        [one] => selected.filter(events::email.eq(one)),
        many => selected.filter(one_of("email", many)),
    }
}

/// Whether the column holds one of these, however many they are: a list of SQL values would be bounded.
fn one_of(
    column: &str,
    texts: &[String],
) -> Box<dyn BoxableExpression<events::table, Sqlite, SqlType = Bool>> {
    let texts = serde_json::Value::from(texts).to_string();
    let condition = sql::<Bool>(&format!("{column} IN (SELECT value FROM json_each("));
    Box::new(condition.bind::<Text, _>(texts).sql("))"))
}

/// Whether the filter shows the row, as far as SQLite was not asked.
fn shows(filter: &EventFilter, row: &EventRow) -> bool {
    filter.message_contains.as_ref().is_none_or(|part| contains_ignoring_case(&row.message, part))
        && filter
            .data_contains
            .as_ref()
            .is_none_or(|part| serde_json::from_str(&row.data).is_ok_and(|data| json_contains(&data, part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_a_range_once_in_either_order() {
        for (first, last) in [(1, 1), (1, WINDOW), (1, WINDOW + 1), (7, 5 * WINDOW + 3)] {
            let ascending: Vec<_> = windows(first, last, Order::Ascending).collect();
            assert_eq!((ascending[0].0, ascending[ascending.len() - 1].1), (first, last));
            assert!(ascending.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{ascending:?}");
            let descending: Vec<_> = windows(first, last, Order::Descending).collect();
            assert_eq!((descending[0].1, descending[descending.len() - 1].0), (last, first));
            assert!(descending.windows(2).all(|pair| pair[0].0 == pair[1].1 + 1), "{descending:?}");
            assert!(descending.iter().chain(&ascending).all(|(low, high)| high - low < WINDOW));
        }
    }
}
