//! A plan: one record of a feed.

use quick_xml::events::BytesStart;
use tenantry_domain::{
    PlanContent, PlanKey, PlanRecord, PlanTime, ProviderId, RecordPlace, RejectCode, RejectReason,
    RejectedRecord, TimeZone, Timestamp,
};
use tenantry_ports::FeedItem;

use super::attributes::Attributes;
use super::base_plan::{BaseContent, BasePlan};
use super::dialect::Dialect;
use super::error::ReadError;
use super::reject;
use super::zone::Zones;

/// A plan whose end has not been read yet.
pub(crate) struct OpenPlan {
    /// Where its tag begins.
    pub(crate) offset: u64,
    id_hint: Option<String>,
    /// What it says, or the first reason to reject it.
    content: Result<(BaseContent, PlanHead), RejectReason>,
    zones: Zones,
}

/// What a plan's own tag says.
struct PlanHead {
    id: ProviderId,
    time: PlanTime,
    sell_from: Option<Timestamp>,
    sell_to: Option<Timestamp>,
    sold_out: bool,
}

const ID: usize = 0;
const STARTS: usize = 1;
const ENDS: usize = 2;
const SELL_FROM: usize = 3;
const SELL_TO: usize = 4;
const SOLD_OUT: usize = 5;
const DATE: usize = 6;

impl OpenPlan {
    /// Reads the start tag, which stands at that byte of the feed.
    pub(crate) fn read(
        tag: &BytesStart<'_>,
        base: &BasePlan,
        dialect: Dialect,
        time_zone: TimeZone,
        max_attributes: usize,
        offset: u64,
    ) -> Result<Self, ReadError> {
        let attributes = Attributes::find(tag, dialect.plan_attributes(), max_attributes, offset)?;
        let content =
            base.content.clone().and_then(|base| Ok((base, PlanHead::read(&attributes, time_zone)?)));
        Ok(Self { offset, id_hint: attributes.hint(ID), content, zones: Zones::default() })
    }

    /// Reads a zone's tag.
    pub(crate) fn zone(
        &mut self,
        tag: &BytesStart<'_>,
        max_zones: usize,
        max_attributes: usize,
        offset: u64,
    ) -> Result<(), ReadError> {
        // What is rejected already needs no zones.
        if self.content.is_ok()
            && let Err(reason) = self.zones.read(tag, max_zones, max_attributes, offset)?
        {
            self.reject(reason);
        }
        Ok(())
    }

    /// Rejects it, unless there is a reason already.
    pub(crate) fn reject(&mut self, reason: RejectReason) {
        if self.content.is_ok() {
            self.content = Err(reason);
            self.zones = Zones::default();
        }
    }

    /// The record. `raw` makes its text, which is needed only if it is rejected.
    pub(crate) fn finish(self, base: &BasePlan, raw: impl FnOnce() -> String) -> FeedItem {
        match self.content {
            Ok((base, head)) => FeedItem::Plan(record(base, head, self.zones)),
            Err(mut reason) => {
                reason.detail = storable(reason.detail);
                let place = RecordPlace {
                    offset: self.offset,
                    base_plan_id: base.id_hint.clone().map(storable),
                    plan_id: self.id_hint.map(storable),
                };
                FeedItem::Reject(RejectedRecord { place, reason, raw: raw() })
            }
        }
    }
}

/// A text with U+FFFD for each U+0000, which not every storage takes.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}") } else { text }
}

fn record(base: BaseContent, head: PlanHead, zones: Zones) -> PlanRecord {
    let (zones, prices) = zones.finish();
    PlanRecord {
        key: PlanKey { base_plan_id: base.id, plan_id: head.id },
        content: PlanContent {
            title: base.title,
            sell_mode: base.sell_mode,
            organizer_company_id: base.organizer_company_id,
            time: head.time,
            sell_from: head.sell_from,
            sell_to: head.sell_to,
            sold_out: head.sold_out,
            prices,
            zones,
        },
    }
}

impl PlanHead {
    fn read(attributes: &Attributes<'_, 7>, zone: TimeZone) -> Result<Self, RejectReason> {
        attributes.each_once()?;
        let id = attributes.id(ID)?.ok_or_else(|| reject::missing(attributes.name(ID)))?;
        Ok(Self {
            id,
            time: Self::time(attributes, zone)?,
            sell_from: attributes.time(SELL_FROM, zone)?,
            sell_to: attributes.time(SELL_TO, zone)?,
            sold_out: attributes.flag(SOLD_OUT)?,
        })
    }

    /// When it takes place. A plan of the older feed has one date, which is its start and its end.
    fn time(attributes: &Attributes<'_, 7>, zone: TimeZone) -> Result<PlanTime, RejectReason> {
        let is_older = attributes.has(DATE) && !attributes.has(STARTS) && !attributes.has(ENDS);
        let (starts, ends) = if is_older { (DATE, DATE) } else { (STARTS, ENDS) };
        let missing = |place| reject::missing(attributes.name(place));
        let starts_at = attributes.time(starts, zone)?.ok_or_else(|| missing(starts))?;
        let ends_at = attributes.end_time(ends, zone, starts_at)?.ok_or_else(|| missing(ends))?;
        PlanTime::new(starts_at, ends_at).ok_or_else(|| {
            let (starts, ends) = (attributes.name(starts), attributes.name(ends));
            let detail = if ends_at < starts_at {
                format!("{ends} is before {starts}")
            } else {
                format!("{ends} is more than {} days after {starts}", PlanTime::MAX_DAYS)
            };
            RejectReason::new(RejectCode::Order, detail)
        })
    }
}
