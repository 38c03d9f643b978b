//! A rejected record, read once more by itself.

use tenantry_domain::{PlanRecord, RejectCode, RejectReason, TimeZone};
use tenantry_ports::FeedItem;

use super::document::{Document, Scope};
use super::error::ReadError;
use super::feed::read;
use super::items::Items;
use crate::options::FeedLimits;

/// Reads the raw text of a rejected record: a base plan with one plan in it.
///
/// # Errors
/// Why it cannot be read now either.
pub(crate) fn read_again(
    raw: &str,
    limits: &FeedLimits,
    time_zone: TimeZone,
) -> Result<PlanRecord, RejectReason> {
    let mut found = Vec::new();
    let mut take = |mut items: Vec<FeedItem>| {
        found.append(&mut items);
        Ok(())
    };
    let mut items = Items::new(&mut take);
    let document = Document::new(Scope::Record, limits, time_zone);
    let whole = read(raw.as_bytes(), document, limits, &mut items).and_then(|()| items.flush());
    match (whole, found.pop()) {
        (Ok(()), Some(FeedItem::Plan(plan))) => Ok(plan),
        (Ok(()), Some(FeedItem::Reject(reject))) => Err(reject.reason),
        (Ok(()), Some(FeedItem::PastPlan(_)) | None) => {
            Err(RejectReason::new(RejectCode::Missing, "the record holds no plan"))
        }
        (Err(ReadError::EndsEarly(_)), _) => Err(RejectReason::new(
            RejectCode::TooLarge,
            "the record is not kept whole, so it cannot be read again",
        )),
        (Err(error), _) => {
            let detail: String = format!("the record cannot be read: {error}").chars().take(500).collect();
            Err(RejectReason::new(RejectCode::Text, detail))
        }
    }
}
