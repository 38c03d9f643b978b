//! What was told of a plan, as it is stored.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use tenantry_domain::{PlanContent, PlanTime, PlanTitle, Price, PriceRange, ProviderId, SellMode, ZoneList};

use crate::engine::{Damaged, Engine};

/// The columns of `plan_contents` that are content.
#[derive(QueryableByName)]
pub struct ContentRow<E: Engine> {
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    sell_mode: String,
    #[diesel(sql_type = Nullable<Text>)]
    organizer_company_id: Option<String>,
    #[diesel(sql_type = E::TimeType)]
    starts_at: E::Time,
    #[diesel(sql_type = E::TimeType)]
    ends_at: E::Time,
    #[diesel(sql_type = Nullable<E::TimeType>)]
    sell_from: Option<E::Time>,
    #[diesel(sql_type = Nullable<E::TimeType>)]
    sell_to: Option<E::Time>,
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
pub const COLUMNS: &str = "c.title, c.sell_mode, c.organizer_company_id, c.starts_at, c.ends_at, c.sell_from, \
                                  c.sell_to, c.sold_out, c.min_cents, c.max_cents, c.zones";

impl<E: Engine> ContentRow<E> {
    /// The content that it is.
    pub fn into_content(self) -> Result<PlanContent, Damaged> {
        let sell_mode = SellMode::parse(&self.sell_mode);
        Ok(PlanContent {
            title: PlanTitle::from_stored(self.title),
            sell_mode: sell_mode.ok_or_else(|| damaged("an odd mode of sale"))?,
            organizer_company_id: self.organizer_company_id.map(ProviderId::from_stored),
            time: time::<E>(self.starts_at, self.ends_at)?,
            sell_from: self.sell_from.map(E::time),
            sell_to: self.sell_to.map(E::time),
            sold_out: self.sold_out,
            prices: prices(self.min_cents, self.max_cents)?,
            zones: ZoneList::from_stored(self.zones),
        })
    }
}

/// When a plan takes place, as stored.
pub fn time<E: Engine>(starts_at: E::Time, ends_at: E::Time) -> Result<PlanTime, Damaged> {
    PlanTime::new(E::time(starts_at), E::time(ends_at)).ok_or_else(|| damaged("an end before its start"))
}

/// A plan's prices, as stored.
pub fn prices(min: Option<i64>, max: Option<i64>) -> Result<Option<PriceRange>, Damaged> {
    let (Some(min), Some(max)) = (min, max) else { return Ok(None) };
    let price = |cents| Price::from_cents(cents).ok_or_else(|| damaged("an odd price"));
    Ok(Some(PriceRange { min: price(min)?, max: price(max)? }))
}

fn damaged(what: &str) -> Damaged {
    Damaged(format!("a plan with {what}"))
}
