//! Feeds of all kinds, and what becomes of them.

mod any_input;
mod bounds;
mod encodings;
mod quirks;
mod rejects;

use std::io::Read;

use tenantry_domain::{PlanRecord, RejectedRecord, TimeZone};
use tenantry_ports::FeedItem;

use super::{Compression, Decompressed, Gauge, ReadError, Utf8Text, read_feed};
use crate::options::FeedLimits;

/// The feed's own example, in its first dialect.
const SMALL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<planList version="1.0">
  <output>
    <base_plan base_plan_id="291" sell_mode="online" title="Camela en concierto">
      <plan plan_start_date="2021-06-30T21:00:00" plan_end_date="2021-06-30T22:00:00" plan_id="291" sell_from="2020-07-01T00:00:00" sell_to="2021-06-30T20:00:00" sold_out="false">
        <zone zone_id="40" capacity="243" price="20.00" name="Platea" numbered="true" />
        <zone zone_id="38" capacity="100" price="15.00" name="Grada 2" numbered="false" />
      </plan>
    </base_plan>
    <base_plan base_plan_id="1591" sell_mode="offline" organizer_company_id="1" title="Los Morancos">
      <plan plan_start_date="2021-07-31T20:00:00" plan_end_date="2021-07-31T21:00:00" plan_id="1642" sell_from="2021-06-26T00:00:00" sell_to="2021-07-31T19:50:00" sold_out="true"/>
    </base_plan>
  </output>
</planList>
"#;

/// What came of a feed.
struct Outcome {
    items: Vec<FeedItem>,
    end: Result<(), ReadError>,
}

impl Outcome {
    fn plans(&self) -> Vec<&PlanRecord> {
        let plans = self.items.iter().filter_map(|item| match item {
            FeedItem::Plan(plan) => Some(plan),
            FeedItem::PastPlan(_) | FeedItem::Reject(_) => None,
        });
        plans.collect()
    }

    fn rejects(&self) -> Vec<&RejectedRecord> {
        let rejects = self.items.iter().filter_map(|item| match item {
            FeedItem::Plan(_) | FeedItem::PastPlan(_) => None,
            FeedItem::Reject(reject) => Some(reject),
        });
        rejects.collect()
    }

    /// Why it is not a whole feed.
    fn fault(&self) -> String {
        self.end.as_ref().expect_err("it was read whole").to_string()
    }
}

fn read_with(source: impl Read, compression: Compression, limits: &FeedLimits) -> Outcome {
    let mut items = Vec::new();
    let mut take = |mut more: Vec<FeedItem>| {
        items.append(&mut more);
        Ok(())
    };
    let bytes = Decompressed::new(source, compression, limits, Gauge::default().into());
    let end = read_feed(Utf8Text::new(bytes), limits, TimeZone::UTC, &mut take);
    Outcome { items, end }
}

fn read(feed: impl AsRef<[u8]>) -> Outcome {
    read_with(feed.as_ref(), Compression::Untold, &FeedLimits::default())
}

/// A feed with that in its output.
fn feed_of(output: &str) -> String {
    format!("<planList><output>{output}</output></planList>")
}

/// A feed with one plan that has those attributes and that in it.
fn feed_of_plan(attributes: &str, zones: &str) -> String {
    let base = r#"<base_plan base_plan_id="1" title="T" sell_mode="online">"#;
    feed_of(&format!("{base}<plan {attributes}>{zones}</plan></base_plan>"))
}

/// The attributes of a plan that is well.
const PLAN: &str = r#"plan_id="2" plan_start_date="2021-06-30T21:00:00" plan_end_date="2021-06-30T22:00:00""#;

/// A source that brings its bytes in pieces of these lengths, over and over.
struct Pieces<'a> {
    bytes: &'a [u8],
    lengths: Vec<usize>,
    number: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let length = self.lengths.get(self.number % self.lengths.len().max(1)).copied().unwrap_or(usize::MAX);
        self.number += 1;
        let length = length.max(1).min(to.len()).min(self.bytes.len());
        to[..length].copy_from_slice(&self.bytes[..length]);
        self.bytes = &self.bytes[length..];
        Ok(length)
    }
}
