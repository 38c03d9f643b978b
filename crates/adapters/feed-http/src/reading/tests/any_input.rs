//! Anything at all.

use proptest::prelude::*;

use super::*;

/// A feed of any plans, good and bad.
fn feeds() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("1".to_owned()),
        Just("2021-06-30T21:00:00".to_owned()),
        Just("15.5".to_owned()),
        Just("true".to_owned()),
        "[ -~ñ€🎵]{0,8}".prop_map(|text| text.replace(['<', '>', '"', '&'], "&amp;")),
    ];
    let name =
        prop::sample::select(vec!["zone_id", "price", "capacity", "name", "numbered", "max_price", "other"]);
    let zone = prop::collection::btree_map(name, value, 0..6).prop_map(|attributes| {
        let attributes: String =
            attributes.iter().map(|(name, value)| format!(" {name}=\"{value}\"")).collect();
        format!("<zone{attributes}/>\n")
    });
    let good_zone = Just("<zone zone_id=\"ñ\" price=\"1\" name=\"€&amp;\"/>".to_owned());
    let zones = prop::collection::vec(prop_oneof![zone, good_zone], 0..5).prop_map(|zones| zones.concat());
    let plan = (any::<bool>(), zones).prop_map(|(is_good, zones)| {
        let attributes = if is_good { PLAN } else { "plan_id='3'" };
        format!("<plan {attributes}>{zones}</plan> ")
    });
    prop::collection::vec(plan, 0..8).prop_map(|plans| {
        let base = r#"<base_plan base_plan_id="1" title="Añó" sell_mode="online">"#;
        feed_of(&format!("{base}{}</base_plan>", plans.concat()))
    })
}

/// Bytes that look a little like a feed.
fn nearly_feeds() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just(b"<planList>".to_vec()),
        Just(b"<output>".to_vec()),
        Just(b"<base_plan base_plan_id='1' title='T' sell_mode='online'>".to_vec()),
        Just(format!("<plan {PLAN}>").into_bytes()),
        Just(b"<zone zone_id=\"1\" price=\"1\"/>".to_vec()),
        Just(b"</plan>".to_vec()),
        Just(b"</base_plan>".to_vec()),
        Just(b"</output></planList>".to_vec()),
        Just(b"<!--".to_vec()),
        Just(b"<![CDATA[".to_vec()),
        Just(b"<?xml encoding='".to_vec()),
        Just(b"&#x".to_vec()),
        prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(part, 0..20).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_bytes_come_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for compression in [Compression::Untold, Compression::Gzip, Compression::Brotli] {
            let outcome = read_with(&bytes[..], compression, &FeedLimits::default());
            prop_assert!(outcome.end.is_err());
        }
    }

    #[test]
    fn what_is_nearly_a_feed_comes_to_an_end(bytes in nearly_feeds()) {
        let limits = FeedLimits { max_element_bytes: 200, max_depth: 8, max_plan_bytes: 400, ..FeedLimits::default() };
        let _ = read_with(&bytes[..], Compression::Untold, &limits);
        let _ = crate::reading::read_again(&String::from_utf8_lossy(&bytes), &limits, TimeZone::UTC);
    }

    #[test]
    fn it_makes_no_difference_how_a_feed_is_parted(feed in feeds(), lengths in prop::collection::vec(1..40_usize, 1..6)) {
        let whole = read(&feed);
        prop_assert!(whole.end.is_ok());
        let pieces = Pieces { bytes: feed.as_bytes(), lengths, number: 0 };
        let parted = read_with(pieces, Compression::Untold, &FeedLimits::default());
        prop_assert!(parted.end.is_ok());
        prop_assert_eq!(&whole.items, &parted.items);
        for reject in whole.rejects() {
            let again = crate::reading::read_again(&reject.raw, &FeedLimits::default(), TimeZone::UTC);
            prop_assert_eq!(again, Err(reject.reason.clone()));
        }
    }
}
