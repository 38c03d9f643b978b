//! The zones of a plan. A feed has millions, so none becomes a value of its own: each goes from its tag into the list's
//! text.

use quick_xml::events::BytesStart;
use tenantry_domain::{Price, PriceRange, RejectCode, RejectReason, ZoneList, ZoneListBuilder};

use super::attributes::Attributes;
use super::dialect::IN_ZONES;
use super::error::ReadError;
use super::reject;

/// The zones of a plan, as they are read.
#[derive(Default)]
pub(crate) struct Zones {
    list: ZoneListBuilder,
    prices: Option<PriceRange>,
    count: usize,
}

const ID: usize = 0;
const CAPACITY: usize = 1;
const PRICE: usize = 2;
const NAME: usize = 3;
const NUMBERED: usize = 4;
const MAX_PRICE: usize = 5;

impl Zones {
    /// Reads a zone's tag, which stands at that byte of the feed, and adds it. The inner result is why the plan is
    /// rejected for it.
    pub(crate) fn read(
        &mut self,
        tag: &BytesStart<'_>,
        max_zones: usize,
        max_attributes: usize,
        offset: u64,
    ) -> Result<Result<(), RejectReason>, ReadError> {
        let attributes = Attributes::find(tag, &IN_ZONES, max_attributes, offset)?;
        self.count += 1;
        if self.count > max_zones {
            return Ok(Err(reject::too_large(format!("it has more than {max_zones} zones"))));
        }
        Ok(self.add(&attributes).map_err(|reason| self.in_zone(&reason)))
    }

    fn add(&mut self, zone: &Attributes<'_, 6>) -> Result<(), RejectReason> {
        zone.each_once()?;
        let id = zone.require(ID)?;
        within(&id, zone.name(ID))?;
        let price = if zone.has(PRICE) { PRICE } else { MAX_PRICE };
        let text = zone.get(price)?.ok_or_else(|| reject::missing(zone.name(PRICE)))?;
        let wrong = |error| reject::wrong(RejectCode::Price, zone.name(price), &text, error);
        let price = Price::parse(&text).map_err(wrong)?;
        let capacity = zone.get(CAPACITY)?;
        let capacity = capacity.as_deref().map(|text| places(text, zone.name(CAPACITY))).transpose()?;
        let name = zone.get(NAME)?.unwrap_or_default();
        within(&name, zone.name(NAME))?;
        self.list.push(&id, &name, price, capacity, zone.flag(NUMBERED)?);
        let range = self.prices.get_or_insert(PriceRange { min: price, max: price });
        *range = PriceRange { min: range.min.min(price), max: range.max.max(price) };
        Ok(())
    }

    /// The reason, with which zone it is in.
    fn in_zone(&self, reason: &RejectReason) -> RejectReason {
        RejectReason::new(reason.code, format!("zone {}: {}", self.count, reason.detail))
    }

    /// The list, and the range of the prices.
    pub(crate) fn finish(self) -> (ZoneList, Option<PriceRange>) {
        (self.list.finish(), self.prices)
    }
}

/// The bound of a zone's texts, in characters.
fn within(text: &str, name: &str) -> Result<(), RejectReason> {
    // So many bytes are never more characters.
    if text.len() <= 255 || text.chars().count() <= 255 {
        return Ok(());
    }
    Err(reject::text(name, "is longer than 255 characters"))
}

fn places(text: &str, name: &str) -> Result<u32, RejectReason> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| {
        reject::wrong(RejectCode::Number, name, text, format!("is no whole number from 0 to {}", u32::MAX))
    })
}
