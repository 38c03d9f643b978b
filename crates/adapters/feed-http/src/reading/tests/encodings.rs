//! Feeds that are not in UTF-8, or not quite.

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use tenantry_domain::RejectCode;

use super::*;

fn title_of(feed: &[u8]) -> String {
    let outcome = read(feed);
    assert!(outcome.end.is_ok(), "{:?}", outcome.end);
    outcome.plans()[0].content.title.to_string()
}

fn feed_in(encoding: &str) -> String {
    let declaration = format!("<?xml version=\"1.0\" encoding='{encoding}'?>\n");
    let base = r#"<base_plan base_plan_id="1" title="Añó €" sell_mode="online">"#;
    declaration + &feed_of(&format!("{base}<plan {PLAN}/></base_plan>"))
}

#[test]
fn a_feed_is_read_in_the_encoding_that_it_declares() {
    for name in ["windows-1252", "ISO-8859-1", "latin1", "us-ascii"] {
        let feed = feed_in(name);
        let (bytes, ..) = WINDOWS_1252.encode(&feed);
        assert_eq!(title_of(&bytes), "Añó €", "{name}");
    }
    for name in ["UTF-8", "utf8", "UTF-16"] {
        let feed = feed_in(name);
        assert_eq!(title_of(feed.as_bytes()), "Añó €", "{name}");
        assert_eq!(title_of(format!("\u{FEFF}{feed}").as_bytes()), "Añó €", "{name}");
    }
    assert_eq!(title_of(format!("\n  {}", feed_in("UTF-8")).as_bytes()), "Añó €");
}

#[test]
fn utf_16_is_known_by_its_first_bytes() {
    for (encoding, bytes_of) in
        [(UTF_16LE, u16::to_le_bytes as fn(u16) -> [u8; 2]), (UTF_16BE, u16::to_be_bytes)]
    {
        for mark in ["", "\u{FEFF}"] {
            let feed = format!("{mark}{}", feed_in("UTF-16"));
            let bytes: Vec<_> = feed.encode_utf16().flat_map(bytes_of).collect();
            assert_eq!(title_of(&bytes), "Añó €", "{}", encoding.name());
        }
    }
}

#[test]
fn an_encoding_that_is_not_known_is_told() {
    let outcome = read(feed_in("EBCDIC-37"));
    assert!(outcome.fault().contains("an encoding that is not known: EBCDIC-37"), "{}", outcome.fault());
}

#[test]
fn bytes_that_are_no_text_reject_their_record_alone() {
    let good =
        format!(r#"<base_plan base_plan_id="9" title="ñ" sell_mode="online"><plan {PLAN}/></base_plan>"#);
    let bad = good.replace("\"9\"", "\"8\"");
    let mut feed = Vec::new();
    feed.extend(b"<planList><output>");
    feed.extend(bad.bytes().map(|b| if b == 0xC3 { 0xFF } else { b }));
    feed.extend(good.bytes());
    feed.extend(b"</output></planList>");
    let outcome = read(&feed);
    assert!(outcome.end.is_ok(), "{:?}", outcome.end);
    assert_eq!(outcome.plans().len(), 1);
    let [reject] = outcome.rejects()[..] else { panic!("{:?}", outcome.items) };
    assert_eq!(reject.reason.code, RejectCode::Text);
    assert_eq!(reject.reason.detail, "title holds bytes that are no text in the encoding of the feed");
}

#[test]
fn a_character_may_be_parted_anywhere() {
    let feed = feed_in("UTF-8");
    for length in 1..8 {
        let pieces = Pieces { bytes: feed.as_bytes(), lengths: vec![length], number: 0 };
        let outcome = read_with(pieces, Compression::Untold, &FeedLimits::default());
        assert_eq!(outcome.plans()[0].content.title.as_str(), "Añó €", "{length}");
    }
}
