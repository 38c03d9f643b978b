//! From tags to records.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::Event;
use tenantry_domain::{RejectedRecord, TimeZone};

use super::allowance::Allowance;
use super::document::{Document, Scope};
use super::error::ReadError;
use super::items::{Items, Take};
use super::reject;
use crate::options::FeedLimits;

/// Reads a feed, which must be UTF-8 without a byte order mark, and hands on its records in order.
///
/// # Errors
/// Where it is no whole feed. Records may have been handed on before.
pub(crate) fn read_feed(
    text: impl BufRead,
    limits: &FeedLimits,
    time_zone: TimeZone,
    to: &mut dyn Take,
) -> Result<(), ReadError> {
    let mut items = Items::new(to);
    read(text, Document::new(Scope::Feed, limits, time_zone), limits, &mut items)?;
    items.flush()
}

/// Reads whatever the document says that it is.
pub(crate) fn read(
    text: impl BufRead,
    mut document: Document<'_>,
    limits: &FeedLimits,
    items: &mut Items<'_>,
) -> Result<(), ReadError> {
    let mut xml = Reader::from_reader(Allowance::new(text));
    // What quick-xml has read since the buffer was last emptied, exactly as it stood there. It is not emptied while a
    // plan is open, so it holds the plan's raw text.
    let mut raw = Vec::new();
    loop {
        let offset = xml.buffer_position();
        if document.plan().is_none() {
            raw.clear();
        }
        xml.get_mut().renew(limits.max_element_bytes);
        let event = match xml.read_event_into(&mut raw) {
            Ok(event) => event,
            Err(error @ quick_xml::Error::Io(_)) => return Err(ReadError::of_xml(error, offset)),
            // Whatever is not closed is so because there is no more.
            Err(_) if xml.get_ref().has_ended() => {
                return document.finish().and(Err(ReadError::EndsEarly("a tag".to_owned())));
            }
            Err(error) => return Err(ReadError::of_xml(error, offset)),
        };
        let ended = match event {
            Event::Start(tag) => {
                document.start(&tag, offset)?;
                None
            }
            Event::Empty(tag) => {
                document.start(&tag, offset)?;
                document.end()?
            }
            Event::End(_) => document.end()?,
            Event::Text(text) => {
                if !text.bytes().all(|b| b.is_ascii_whitespace()) {
                    document.text()?;
                }
                None
            }
            Event::CData(_) | Event::GeneralRef(_) => {
                document.text()?;
                None
            }
            Event::DocType(_) => return Err(ReadError::unreadable("it has a DOCTYPE, which is not allowed")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => None,
            Event::Eof => return document.finish(),
        };
        if let Some(plan) = ended
            && let Some(base) = document.base()
        {
            let item = plan.finish(base, || raw_text(&base.tag, &raw, &document.base_end()));
            items.push(item)?;
        } else if let Some(plan) = document.plan() {
            let bytes = xml.buffer_position() - plan.offset;
            if bytes > limits.max_plan_bytes as u64 {
                document.reject_plan(reject::too_large(format!(
                    "it is larger than {} bytes",
                    limits.max_plan_bytes
                )));
            }
            // Of a plan that is larger than what is kept of it only the beginning is held.
            raw.truncate(RejectedRecord::MAX_RAW_BYTES);
        }
    }
}

/// The record as it stands in the feed, cut where it is longer than is kept. Not every storage takes U+0000: U+FFFE stands
/// for it, which XML allows no more, so that the record is not taken for a good one when it is read again.
fn raw_text(base_start: &str, plan: &[u8], base_end: &str) -> String {
    let mut raw = String::with_capacity(
        (base_start.len() + plan.len() + base_end.len()).min(RejectedRecord::MAX_RAW_BYTES),
    );
    raw.push_str(base_start);
    raw.push_str(&String::from_utf8_lossy(plan));
    raw.push_str(base_end);
    if raw.contains('\0') {
        raw = raw.replace('\0', "\u{FFFE}");
    }
    let mut end = raw.len().min(RejectedRecord::MAX_RAW_BYTES);
    while !raw.is_char_boundary(end) {
        end -= 1;
    }
    raw.truncate(end);
    raw
}
