//! What a provider can make big, and where that ends.

use std::io::{self, Write};
use std::sync::Arc;

use brotli::CompressorWriter;
use brotli::enc::BrotliEncoderParams;
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use tenantry_domain::RejectCode;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut encoder = CompressorWriter::new(&mut packed, 4096, 9, 22);
    encoder.write_all(bytes).unwrap();
    drop(encoder);
    packed
}

fn limits(change: impl FnOnce(&mut FeedLimits)) -> FeedLimits {
    let mut limits = FeedLimits::default();
    change(&mut limits);
    limits
}

fn read_within(feed: impl AsRef<[u8]>, limits: &FeedLimits) -> Outcome {
    read_with(feed.as_ref(), Compression::Untold, limits)
}

#[test]
fn a_compressed_feed_is_read_like_a_plain_one() {
    let plain = read(SMALL).items;
    let default = FeedLimits::default();
    let packed = gzip(SMALL.as_bytes());
    assert_eq!(read_with(&packed[..], Compression::Gzip, &default).items, plain);
    assert_eq!(read_with(&packed[..], Compression::Untold, &default).items, plain);
    let byte_by_byte = Pieces { bytes: &packed, lengths: vec![1], number: 0 };
    assert_eq!(read_with(byte_by_byte, Compression::Untold, &default).items, plain);
    let (first, second) = SMALL.split_at(300);
    let members = [gzip(first.as_bytes()), gzip(second.as_bytes())].concat();
    assert_eq!(read_with(&members[..], Compression::Gzip, &default).items, plain);
    assert_eq!(read_with(&brotli(SMALL.as_bytes())[..], Compression::Brotli, &default).items, plain);
}

#[test]
fn what_was_compressed_is_not_whole_before_its_last_byte_and_may_be_broken() {
    let default = FeedLimits::default();
    for (packed, compression) in
        [(gzip(SMALL.as_bytes()), Compression::Gzip), (brotli(SMALL.as_bytes()), Compression::Brotli)]
    {
        for length in 0..packed.len() {
            let end = read_with(&packed[..length], compression, &default).end;
            assert!(matches!(end, Err(ReadError::EndsEarly(_))), "{compression:?} {length}: {end:?}");
        }
        let broken: Vec<_> = packed.iter().map(|b| b ^ 0x5A).collect();
        let end = read_with(&broken[..], compression, &default).end;
        // Of so short an answer Brotli cannot tell whether it is broken or not all there.
        let is_told = compression == Compression::Brotli || matches!(end, Err(ReadError::Unreadable(_)));
        assert!(end.is_err() && is_told, "{compression:?}: {end:?}");
    }
    let trailing = [gzip(SMALL.as_bytes()), b"more".to_vec()].concat();
    assert!(read_with(&trailing[..], Compression::Gzip, &default).end.is_err());
}

/// So many spaces, one after another.
struct Spaces(u64);

impl Read for Spaces {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let length = to.len().min(usize::try_from(self.0).unwrap_or(usize::MAX));
        to[..length].fill(b' ');
        self.0 -= length as u64;
        Ok(length)
    }
}

#[test]
fn a_bomb_is_not_unpacked_beyond_its_bounds() {
    let mut encoder = GzEncoder::new(Vec::new(), Level::best());
    // Comments, so that no single one passes its own bound.
    let comment = format!("<!--{}-->", " ".repeat(60_000));
    encoder.write_all(b"<planList>").unwrap();
    for _ in 0..3_000 {
        encoder.write_all(comment.as_bytes()).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 250_000);
    let gauge = Arc::new(Gauge::default());
    let limits = limits(|limits| limits.max_expansion = 100);
    let bytes = Decompressed::new(&bomb[..], Compression::Gzip, &limits, Arc::clone(&gauge));
    let mut take = |_: Vec<FeedItem>| Ok(());
    let end = read_feed(Utf8Text::new(bytes), &limits, TimeZone::UTC, &mut take);
    assert!(end.unwrap_err().to_string().contains("more than 100 times larger"));
    assert!(gauge.decompressed() < 34 << 20, "{}", gauge.decompressed());

    let bomb = brotli(comment.repeat(600).as_bytes());
    assert!(bomb.len() < 100_000);
    let end = read_with(&bomb[..], Compression::Brotli, &limits).end;
    assert!(end.unwrap_err().to_string().contains("more than 100 times larger"));
}

#[test]
fn a_window_that_brotli_by_itself_does_not_have_is_refused() {
    let mut packed = Vec::new();
    let params = BrotliEncoderParams { quality: 5, lgwin: 30, large_window: true, ..Default::default() };
    let mut encoder = CompressorWriter::with_params(&mut packed, 4096, &params);
    encoder.write_all(SMALL.as_bytes()).unwrap();
    drop(encoder);
    for lengths in [vec![], vec![1]] {
        let pieces = Pieces { bytes: &packed, lengths, number: 0 };
        let end = read_with(pieces, Compression::Brotli, &FeedLimits::default()).end;
        let Err(ReadError::Unreadable(text)) = end else { panic!("{end:?}") };
        assert_eq!(text, "it is compressed with Brotli's large window, which is not allowed");
    }
}

#[test]
fn a_feed_has_a_largest_size() {
    let limits = limits(|limits| limits.max_feed_bytes = SMALL.len() as u64);
    assert!(read_within(SMALL, &limits).end.is_ok());
    let outcome = read_within(format!("{SMALL} "), &limits);
    assert_eq!(outcome.fault(), format!("more than {} bytes of it were sent", SMALL.len()));
    let outcome = read_within(gzip(format!("{SMALL} ").as_bytes()), &limits);
    assert_eq!(outcome.fault(), format!("it is larger than {} bytes", SMALL.len()));
    let endless = io::Cursor::new("<planList>").chain(Spaces(u64::MAX));
    assert!(read_with(endless, Compression::Untold, &limits).end.is_err());
}

#[test]
fn what_is_sent_has_a_largest_size_though_nothing_comes_of_it() {
    let limits = limits(|limits| limits.max_feed_bytes = 1 << 20);
    let nothing = gzip(b"");
    let members = Pieces { bytes: &nothing.repeat((2 << 20) / nothing.len()), lengths: vec![], number: 0 };
    let outcome = read_with(members, Compression::Untold, &limits);
    assert_eq!(outcome.fault(), "more than 1048576 bytes of it were sent");
}

#[test]
fn a_tag_a_text_and_a_comment_have_a_largest_size() {
    let limits = limits(|limits| limits.max_element_bytes = 1000);
    let much = "x".repeat(1000);
    for feed in [
        format!("<planList a=\"{much}\"/>"),
        format!("<{much}"),
        format!("<planList>{much}</planList>"),
        format!("<planList>&{much}"),
        format!("<planList><!--{much}--></planList>"),
        format!("<planList><![CDATA[{much}]]></planList>"),
        format!("<?{much}?>"),
        format!("<!DOCTYPE {much}>"),
    ] {
        let fault = read_within(&feed, &limits).fault();
        assert!(fault.contains("is longer than 1000 bytes"), "{}: {fault}", &feed[..20]);
    }
    // The bound is one for each, not for all.
    let some = "x".repeat(900);
    assert!(
        read_within(format!("<planList><!--{some}--><!--{some}-->{some}</planList>"), &limits).end.is_ok()
    );
}

#[test]
fn attributes_and_depth_are_bounded() {
    let limits = limits(|limits| (limits.max_attributes, limits.max_depth) = (8, 6));
    let attributes = |count: usize| (0..count).map(|number| format!("a{number}=\"\" ")).collect::<String>();
    assert_eq!(read_within(feed_of_plan(&(attributes(5) + PLAN), ""), &limits).plans().len(), 1);
    let fault = read_within(feed_of_plan(&(attributes(6) + PLAN), ""), &limits).fault();
    assert!(fault.contains("has more than 8 attributes"), "{fault}");
    let nested =
        |depth: usize| format!("<planList>{}{}</planList>", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(read_within(nested(6), &limits).fault().contains("stand more than 6 deep"));
    assert!(read_within(nested(5), &limits).fault().contains("where output should stand"));
}

#[test]
fn a_plan_with_too_many_zones_or_bytes_is_rejected_and_the_next_is_read() {
    let limits = limits(|limits| (limits.max_plan_zones, limits.max_plan_bytes) = (3, 1000));
    let zone = r#"<zone zone_id="1" price="1"/>"#;
    let feed = |inside: &str| {
        let plans = format!("<plan {PLAN}>{inside}</plan><plan {PLAN}>{zone}</plan>");
        feed_of(&format!(r#"<base_plan base_plan_id="1" title="T" sell_mode="online">{plans}</base_plan>"#))
    };
    assert_eq!(read_within(feed(&zone.repeat(3)), &limits).plans().len(), 2);
    for (inside, detail) in [
        (zone.repeat(4), "it has more than 3 zones"),
        (format!("{zone}<!--{}-->", "x".repeat(900)), "it is larger than 1000 bytes"),
    ] {
        let outcome = read_within(feed(&inside), &limits);
        assert_eq!((outcome.plans().len(), outcome.rejects().len()), (1, 1));
        let reason = &outcome.rejects()[0].reason;
        assert_eq!(reason.code, RejectCode::TooLarge);
        assert!(reason.detail.contains(detail), "{}", reason.detail);
    }
}

#[test]
fn of_a_large_reject_only_the_beginning_is_kept() {
    let zones = r#"<zone zone_id="1" price="1" name="ññññññññññññññññññññ"/>"#.repeat(20_000);
    let feed = feed_of_plan(PLAN, &zones);
    let reject = read(&feed).rejects()[0].clone();
    assert_eq!(reject.reason.code, RejectCode::TooLarge);
    assert!((RejectedRecord::MAX_RAW_BYTES - 3..=RejectedRecord::MAX_RAW_BYTES).contains(&reject.raw.len()));
    let whole = feed.trim_start_matches("<planList><output>");
    assert!(whole.starts_with(&reject.raw));
}

#[test]
fn records_are_handed_on_in_lots() {
    let plan = format!("<plan {PLAN}/>");
    let base = format!(
        r#"<base_plan base_plan_id="1" title="T" sell_mode="online">{}</base_plan>"#,
        plan.repeat(600)
    );
    let mut lots = Vec::new();
    let mut take = |items: Vec<FeedItem>| {
        lots.push(items.len());
        Ok(())
    };
    let limits = FeedLimits::default();
    read_feed(feed_of(&base).as_bytes(), &limits, TimeZone::UTC, &mut take).unwrap();
    assert_eq!(lots, [256, 256, 88]);

    let large = format!("<plan {PLAN}>{}</plan>", r#"<zone zone_id="1" price="1"/>"#.repeat(9_000));
    let base = format!(
        r#"<base_plan base_plan_id="1" title="T" sell_mode="online">{}</base_plan>"#,
        large.repeat(4)
    );
    let mut lots = Vec::new();
    let mut take = |items: Vec<FeedItem>| {
        lots.push(items.len());
        Ok(())
    };
    read_feed(feed_of(&base).as_bytes(), &limits, TimeZone::UTC, &mut take).unwrap();
    assert_eq!(lots, [2, 2]);
}
