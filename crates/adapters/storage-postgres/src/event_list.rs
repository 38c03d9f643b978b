//! Lists of events.
//!
//! Components, environments and addresses are compared by PostgreSQL, by its indexes. A range of time becomes a
//! range of sequences, because `created_at` never falls as the sequence grows: its ends are found by bisection.
//! Text and JSON are compared by the domain's own functions, chunk by chunk as rows are read along the sequence,
//! so that they mean the same on every engine; where few events contain a piece of JSON, its index leads to
//! candidates.

use std::marker::PhantomData;

use diesel::PgConnection;
use diesel::data_types::PgTimestamp;
use diesel::dsl::max;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Text, Timestamptz};
use tenantry_domain::{
    Event, EventFilter, Order, Page, TenantNumber, Timestamp, contains_ignoring_case, json_contains,
};
use tenantry_ports::EventQuery;

use crate::error::PostgresError;
use crate::event::EventRow;
use crate::event_data::{can_be_contained, index_part};
use crate::moment::to_moment;
use crate::schema::events;
use crate::static_query::static_query;
use crate::storage::Turn;

/// How many rows are read at once where the program decides which of them are shown: between two chunks it looks
/// whether anybody still waits for the list.
const CHUNK: usize = 512;

/// After so many rows in which too few were shown, the index of data is asked.
const WALK: usize = 2 * CHUNK;

/// Where the index leads to more than one in so many rows, reading them all is cheaper: it reads all that it leads
/// to before the first is answered.
const DENSE: i64 = 16;

/// How many rows are then read before it is asked again.
const LONG_WALK: usize = 32 * CHUNK;

/// The page of the tenant's events that `query` asks for, in a transaction that is about this tenant.
pub(crate) fn list(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    query: &EventQuery,
    turn: &Turn<'_>,
) -> Result<Page<Event>, PostgresError> {
    let mut page = Page { items: Vec::new(), more: false };
    let filter = &query.filter;
    let can_show = filter.data_contains.as_ref().is_none_or(can_be_contained);
    let Some(texts) = Texts::of(filter).filter(|_| can_show) else { return Ok(page) };
    let Some(mut range) = sequences(connection, tenant, query)? else { return Ok(page) };
    if filter.message_contains.is_none() && filter.data_contains.is_none() {
        let rows = read(connection, tenant, &texts, query.order, range, query.limit.get() + 1)?;
        page.more = rows.len() > query.limit.get();
        for row in rows.into_iter().take(query.limit.get()) {
            page.items.push(row.into_event()?);
        }
        return Ok(page);
    }
    let part = filter.data_contains.as_ref().and_then(|part| index_part(tenant, part));
    let (mut walked, mut walk) = (0, WALK);
    while !page.more && !turn.is_over() {
        if let Some(part) = part.as_deref().filter(|_| walked >= walk) {
            let candidates = candidates(connection, part, query.order, range)?;
            if is_dense(&candidates) {
                (walked, walk) = (0, LONG_WALK);
            }
            let rows = read_these(connection, tenant, &texts, query.order, &candidates)?;
            show(filter, query.limit.get(), rows, &mut page)?;
            let last = candidates.last().copied().filter(|_| candidates.len() == CHUNK);
            let Some(left) = last.and_then(|last| behind(range, query.order, last)) else { break };
            range = left;
            continue;
        }
        let rows = read(connection, tenant, &texts, query.order, range, CHUNK)?;
        let last = rows.last().map(|row| row.sequence).filter(|_| rows.len() == CHUNK);
        walked += rows.len();
        show(filter, query.limit.get(), rows, &mut page)?;
        let Some(left) = last.and_then(|last| behind(range, query.order, last)) else { break };
        range = left;
    }
    Ok(page)
}

/// Whether so many candidates lie close to one another.
fn is_dense(candidates: &[i64]) -> bool {
    let (Some(first), Some(last)) = (candidates.first(), candidates.last()) else { return false };
    candidates.len() == CHUNK && (last - first).abs() < DENSE * CHUNK as i64
}

/// A range of sequences, both ends included.
type Range = (i64, i64);

/// What is left of the range behind `last`, in the order in which it is read.
fn behind((low, high): Range, order: Order, last: i64) -> Option<Range> {
    let left = match order {
        Order::Ascending => (last + 1, high),
        Order::Descending => (low, last - 1),
    };
    (left.0 <= left.1).then_some(left)
}

/// Adds what the filter shows of the rows to the page, until that is full.
fn show(
    filter: &EventFilter,
    limit: usize,
    rows: Vec<EventRow>,
    page: &mut Page<Event>,
) -> Result<(), PostgresError> {
    for row in rows.into_iter().filter(|row| shows(filter, row)) {
        if page.items.len() == limit {
            page.more = true;
            break;
        }
        page.items.push(row.into_event()?);
    }
    Ok(())
}

/// Whether the filter shows the row, as far as PostgreSQL was not asked.
fn shows(filter: &EventFilter, row: &EventRow) -> bool {
    filter.message_contains.as_ref().is_none_or(|part| contains_ignoring_case(&row.message, part))
        && filter
            .data_contains
            .as_ref()
            .is_none_or(|part| serde_json::from_str(&row.data).is_ok_and(|data| json_contains(&data, part)))
}

/// The texts of a filter that PostgreSQL compares.
struct Texts<'a> {
    components: Vec<&'a str>,
    environments: Vec<&'a str>,
    emails: Vec<&'a str>,
}

impl<'a> Texts<'a> {
    /// Nothing where the filter shows no event: because of U+0000, which no stored text holds and which
    /// PostgreSQL does not even take to compare.
    fn of(filter: &'a EventFilter) -> Option<Self> {
        let possible = |texts: &'a [String]| {
            let left: Vec<&str> =
                texts.iter().map(String::as_str).filter(|text| !text.contains('\0')).collect();
            (texts.is_empty() || !left.is_empty()).then_some(left)
        };
        if filter.message_contains.as_ref().is_some_and(|part| part.contains('\0')) {
            return None;
        }
        Some(Self {
            components: possible(&filter.components)?,
            environments: possible(&filter.environments)?,
            emails: possible(&filter.emails)?,
        })
    }
}

type Selection<'a> = events::BoxedQuery<'a, Pg>;

/// The tenant's events whose plain columns fit the filter, in order.
fn selection<'a>(tenant: TenantNumber, texts: &Texts<'a>, order: Order) -> Selection<'a> {
    let mut selected = events::table.filter(events::tenant_number.eq(tenant.get())).into_boxed();
    selected = match &texts.components[..] {
        [] => selected,
        [one] => selected.filter(events::component.eq(*one)),
        many => selected.filter(events::component.eq_any(many.to_vec())),
    };
    selected = match &texts.environments[..] {
        [] => selected,
        [one] => selected.filter(events::environment.eq(*one)),
        many => selected.filter(events::environment.eq_any(many.to_vec())),
    };
    selected = match &texts.emails[..] {
        [] => selected,
        [one] => selected.filter(events::email.eq(*one)),
        many => selected.filter(events::email.eq_any(many.to_vec())),
    };
    match order {
        Order::Ascending => selected.order(events::sequence.asc()),
        Order::Descending => selected.order(events::sequence.desc()),
    }
}

/// The first `limit` rows of a range.
fn read(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    texts: &Texts<'_>,
    order: Order,
    (low, high): Range,
    limit: usize,
) -> Result<Vec<EventRow>, PostgresError> {
    let selected = selection(tenant, texts, order).filter(events::sequence.between(low, high));
    Ok(selected.limit(limit as i64).select(EventRow::as_select()).load(connection)?)
}

/// The rows of these sequences.
fn read_these(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    texts: &Texts<'_>,
    order: Order,
    sequences: &[i64],
) -> Result<Vec<EventRow>, PostgresError> {
    let selected = selection(tenant, texts, order).filter(events::sequence.eq_any(sequences.to_vec()));
    Ok(selected.select(EventRow::as_select()).load(connection)?)
}

static_query! {
    /// Finds the first sequences to which the index of data leads.
    Candidates<'a> {
        "SELECT event_candidates(" part: &'a str as Text,
        "::jsonb, " low: i64 as BigInt,
        ", " high: i64 as BigInt,
        ", " is_ascending: bool as Bool,
        ", " max_rows: i32 as Integer;
        ")"
    } -> BigInt
}

/// The first sequences of the range to which the index of data leads, in order.
fn candidates(
    connection: &mut PgConnection,
    part: &str,
    order: Order,
    (low, high): Range,
) -> Result<Vec<i64>, PostgresError> {
    let is_ascending = order == Order::Ascending;
    let candidates = Candidates { part, low, high, is_ascending, max_rows: CHUNK as i32, life: PhantomData };
    Ok(candidates.load(connection)?)
}

/// The first and the last sequence that the query's positions and times leave; nothing if there is none.
fn sequences(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    query: &EventQuery,
) -> Result<Option<Range>, PostgresError> {
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
    let of_tenant = events::table.filter(events::tenant_number.eq(tenant.get()));
    let highest: Option<i64> = of_tenant.select(max(events::sequence)).get_result(connection)?;
    let Some(highest) = highest else { return Ok(None) };
    last = last.min(highest);
    if let Some(from) = from {
        first = first_at_or_after(connection, tenant, from, first, last + 1)?;
    }
    // No event is stored at a time that cannot be printed: an end at the last one leaves all.
    if let Some(to) = to.filter(|to| *to < Timestamp::MAX) {
        last = first_at_or_after(connection, tenant, to.next(), first, last + 1)? - 1;
    }
    Ok((first <= last).then_some((first, last)))
}

static_query! {
    /// Bisects a range of sequences.
    FirstAtOrAfter<'a> {
        "SELECT first_event_at_or_after(" tenant: i64 as BigInt,
        ", " moment: PgTimestamp as Timestamptz,
        ", " low: i64 as BigInt,
        ", " high: i64 as BigInt;
        ")"
    } -> BigInt
}

/// The lowest sequence from `low` up whose event was stored at `time` or later; `high` where none below
/// `high` was.
fn first_at_or_after(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    time: Timestamp,
    low: i64,
    high: i64,
) -> Result<i64, PostgresError> {
    let moment = to_moment(time);
    Ok(FirstAtOrAfter { tenant: tenant.get(), moment, low, high, life: PhantomData }
        .get_result(connection)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_range_lies_behind_the_last_row_in_either_order() {
        assert_eq!(behind((1, 9), Order::Ascending, 4), Some((5, 9)));
        assert_eq!(behind((1, 9), Order::Descending, 4), Some((1, 3)));
        assert_eq!(behind((1, 9), Order::Ascending, 9), None);
        assert_eq!(behind((1, 9), Order::Descending, 1), None);
    }

    #[test]
    fn candidates_are_dense_if_there_are_many_close_to_one_another() {
        let every =
            |step: i64, count: usize| (1..).map(|at| 100_000 - at * step).take(count).collect::<Vec<_>>();
        assert!(is_dense(&every(15, CHUNK)));
        assert!(!is_dense(&every(17, CHUNK)));
        assert!(!is_dense(&every(1, CHUNK - 1)), "there are no more");
        assert!(!is_dense(&[]));
    }

    #[test]
    fn texts_that_cannot_be_stored_are_not_asked_for() {
        let filter = |components: &[&str]| EventFilter {
            components: components.iter().map(|text| (*text).to_owned()).collect(),
            ..EventFilter::default()
        };
        assert_eq!(Texts::of(&filter(&["a", "b\0"])).unwrap().components, ["a"]);
        assert!(Texts::of(&filter(&["b\0"])).is_none());
        assert!(Texts::of(&filter(&[])).unwrap().components.is_empty());
    }
}
