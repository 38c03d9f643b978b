//! What was told of a plan, as it is stored.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use tenantry_domain::{
    PlanContent, PlanTime, PlanTitle, Price, PriceRange, ProviderId, SellMode, Timestamp, ZoneList,
};

use crate::error::SqliteError;

/// The columns of `plan_contents` that are content.
#[derive(Debug, QueryableByName)]
pub(crate) struct ContentRow {
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    sell_mode: String,
    #[diesel(sql_type = Nullable<Text>)]
    organizer_company_id: Option<String>,
    #[diesel(sql_type = BigInt)]
    starts_at: i64,
    #[diesel(sql_type = BigInt)]
    ends_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    sell_from: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    sell_to: Option<i64>,
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
    pub(crate) fn into_content(self) -> Result<PlanContent, SqliteError> {
        let sell_mode = SellMode::parse(&self.sell_mode);
        Ok(PlanContent {
            title: PlanTitle::from_stored(self.title),
            sell_mode: sell_mode.ok_or_else(|| damaged("an odd mode of sale"))?,
            organizer_company_id: self.organizer_company_id.map(ProviderId::from_stored),
            time: time(self.starts_at, self.ends_at)?,
            sell_from: self.sell_from.map(Timestamp::from_micros),
            sell_to: self.sell_to.map(Timestamp::from_micros),
            sold_out: self.sold_out,
            prices: prices(self.min_cents, self.max_cents)?,
            zones: ZoneList::from_stored(self.zones),
        })
    }
}

/// When a plan takes place, as stored.
pub(crate) fn time(starts_at: i64, ends_at: i64) -> Result<PlanTime, SqliteError> {
    PlanTime::new(Timestamp::from_micros(starts_at), Timestamp::from_micros(ends_at))
        .ok_or_else(|| damaged("an end before its start"))
}

/// A plan's prices, as stored.
pub(crate) fn prices(min: Option<i64>, max: Option<i64>) -> Result<Option<PriceRange>, SqliteError> {
    let (Some(min), Some(max)) = (min, max) else { return Ok(None) };
    let price = |cents| Price::from_cents(cents).ok_or_else(|| damaged("an odd price"));
    Ok(Some(PriceRange { min: price(min)?, max: price(max)? }))
}

fn damaged(what: &str) -> SqliteError {
    SqliteError::Damaged(format!("a plan with {what}"))
}
