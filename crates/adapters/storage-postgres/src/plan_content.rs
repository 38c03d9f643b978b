//! What was told of a plan, as it is stored.

use diesel::data_types::PgTimestamp;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use tenantry_domain::{PlanContent, PlanTime, PlanTitle, Price, PriceRange, ProviderId, SellMode, ZoneList};

use crate::error::PostgresError;
use crate::moment::from_moment;

/// The columns of `plan_contents` that are content.
#[derive(Debug, QueryableByName)]
pub(crate) struct ContentRow {
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    sell_mode: String,
    #[diesel(sql_type = Nullable<Text>)]
    organizer_company_id: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    starts_at: PgTimestamp,
    #[diesel(sql_type = Timestamptz)]
    ends_at: PgTimestamp,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    sell_from: Option<PgTimestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    sell_to: Option<PgTimestamp>,
    #[diesel(sql_type = Bool)]
    sold_out: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    min_cents: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    max_cents: Option<i64>,
    #[diesel(sql_type = Text)]
    zones: String,
}

/// The names of those columns in a query in which the table is `c`.
pub(crate) const COLUMNS: &str = "c.title, c.sell_mode, c.organizer_company_id, c.starts_at, c.ends_at, c.sell_from, \
                                  c.sell_to, c.sold_out, c.min_cents, c.max_cents, c.zones";

impl ContentRow {
    pub(crate) fn into_content(self) -> Result<PlanContent, PostgresError> {
        let sell_mode = SellMode::parse(&self.sell_mode);
        Ok(PlanContent {
            title: PlanTitle::from_stored(self.title),
            sell_mode: sell_mode.ok_or_else(|| damaged("an odd mode of sale"))?,
            organizer_company_id: self.organizer_company_id.map(ProviderId::from_stored),
            time: time(self.starts_at, self.ends_at)?,
            sell_from: self.sell_from.map(from_moment),
            sell_to: self.sell_to.map(from_moment),
            sold_out: self.sold_out,
            prices: prices(self.min_cents, self.max_cents)?,
            zones: ZoneList::from_stored(self.zones),
        })
    }
}

/// When a plan takes place, as stored.
pub(crate) fn time(starts_at: PgTimestamp, ends_at: PgTimestamp) -> Result<PlanTime, PostgresError> {
    PlanTime::new(from_moment(starts_at), from_moment(ends_at))
        .ok_or_else(|| damaged("an end before its start"))
}

/// A plan's prices, as stored.
pub(crate) fn prices(min: Option<i64>, max: Option<i64>) -> Result<Option<PriceRange>, PostgresError> {
    let (Some(min), Some(max)) = (min, max) else { return Ok(None) };
    let price = |cents| Price::from_cents(cents).ok_or_else(|| damaged("an odd price"));
    Ok(Some(PriceRange { min: price(min)?, max: price(max)? }))
}

fn damaged(what: &str) -> PostgresError {
    PostgresError::Damaged(format!("a plan with {what}"))
}
