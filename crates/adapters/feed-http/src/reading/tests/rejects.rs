//! Records that cannot be taken.

use tenantry_domain::RejectCode;

use super::*;
use crate::reading::read_again;

/// The one reject of that feed.
fn only(feed: &str) -> RejectedRecord {
    let outcome = read(feed);
    assert!(outcome.end.is_ok(), "{feed}: {:?}", outcome.end);
    let [FeedItem::Reject(reject)] = &outcome.items[..] else { panic!("{feed}: {:?}", outcome.items) };
    reject.clone()
}

#[test]
fn each_fault_of_a_plan_has_its_code_and_names_its_attribute() {
    use RejectCode::*;
    let starts = r#"plan_start_date="2021-06-30T21:00:00""#;
    let ends = r#"plan_end_date="2021-06-30T22:00:00""#;
    let long = "x".repeat(256);
    for (plan, code, detail) in [
        (format!("{starts} {ends}"), Missing, "plan_id is missing"),
        (format!("plan_id=\"\" {starts} {ends}"), Missing, "plan_id is missing"),
        (format!("plan_id=\"{long}\" {starts} {ends}"), Text, "plan_id is longer than 255 characters"),
        (format!("plan_id=\"2\" {ends}"), Missing, "plan_start_date is missing"),
        (format!("plan_id=\"2\" {starts}"), Missing, "plan_end_date is missing"),
        (
            format!("plan_id=\"2\" {starts} plan_end_date=\"2021-09-31T20:00:00\""),
            Time,
            "plan_end_date \"2021-09-31T20:00:00\": is no date",
        ),
        (
            format!("plan_id=\"2\" {starts} plan_end_date=\"30/06/2021\""),
            Time,
            "plan_end_date \"30/06/2021\": is no date",
        ),
        (
            format!("plan_id=\"2\" {starts} plan_end_date=\"2021-06-30T20:59:59\""),
            Order,
            "plan_end_date is before plan_start_date",
        ),
        (
            format!("plan_id=\"2\" {starts} plan_end_date=\"2041-06-30T20:59:59\""),
            Order,
            "plan_end_date is more than 3660 days after",
        ),
        (format!("{PLAN} sell_from=\"soon\""), Time, "sell_from \"soon\": is no date"),
        (format!("{PLAN} sell_to=\"2021-13-01T00:00:00\""), Time, "sell_to \"2021-13-01T00:00:00\""),
        (format!("{PLAN} sold_out=\"maybe\""), Word, "sold_out \"maybe\": is neither true nor false"),
        (format!("{PLAN} plan_id=\"3\""), Text, "plan_id stands there twice"),
        (format!("{PLAN} sold_out=\"&maybe;\""), Text, "sold_out holds the reference &maybe;"),
        (format!("{PLAN} sold_out=\"a & b\""), Text, "sold_out holds an & that begins no reference"),
        (format!("{PLAN} sold_out=\"\u{1}\""), Text, "sold_out holds the character U+0001"),
    ] {
        let reject = only(&feed_of_plan(&plan, ""));
        assert_eq!(reject.reason.code, code, "{plan}");
        assert!(reject.reason.detail.starts_with(detail), "{plan}: {}", reject.reason.detail);
    }
}

#[test]
fn each_fault_of_a_zone_rejects_its_plan_and_names_the_zone() {
    use RejectCode::*;
    let long = "ñ".repeat(256);
    for (zone, code, detail) in [
        (r#"price="1""#.to_owned(), Missing, "zone_id is missing"),
        (r#"zone_id="1""#.to_owned(), Missing, "price is missing"),
        (r#"zone_id="1" price="1,50""#.to_owned(), Price, "price \"1,50\": is not a decimal number"),
        (r#"zone_id="1" price="-1""#.to_owned(), Price, "price \"-1\": is not a decimal number"),
        (r#"zone_id="1" price="1.005""#.to_owned(), Price, "price \"1.005\": has more than two decimals"),
        (r#"zone_id="1" price="10000000000""#.to_owned(), Price, "price \"10000000000\": is larger than"),
        (r#"zone_id="1" max_price="x""#.to_owned(), Price, "max_price \"x\""),
        (r#"zone_id="1" price="1" capacity="-1""#.to_owned(), Number, "capacity \"-1\": is no whole number"),
        (r#"zone_id="1" price="1" capacity="4294967296""#.to_owned(), Number, "capacity \"4294967296\""),
        (
            r#"zone_id="1" price="1" numbered="yes""#.to_owned(),
            Word,
            "numbered \"yes\": is neither true nor false",
        ),
        (format!(r#"zone_id="{long}" price="1""#), Text, "zone_id is longer than 255 characters"),
        (format!(r#"zone_id="1" price="1" name="{long}""#), Text, "name is longer than 255 characters"),
        (r#"zone_id="1" price="1" price="2""#.to_owned(), Text, "price stands there twice"),
        (r#"zone_id="1" price="1" name="&#0;""#.to_owned(), Text, "name holds the character U+0000"),
    ] {
        let good = r#"<zone zone_id="1" price="1"/>"#;
        let reject = only(&feed_of_plan(PLAN, &format!("{good}<zone {zone}/><zone/>")));
        assert_eq!(reject.reason.code, code, "{zone}");
        assert!(
            reject.reason.detail.starts_with(&format!("zone 2: {detail}")),
            "{zone}: {}",
            reject.reason.detail
        );
    }
}

#[test]
fn a_fault_of_a_base_plan_rejects_each_of_its_plans_and_no_other() {
    use RejectCode::*;
    let long = "x".repeat(1001);
    for (base, code, detail) in [
        (r#"title="T" sell_mode="online""#.to_owned(), Missing, "base_plan_id is missing"),
        (r#"base_plan_id="1" sell_mode="online""#.to_owned(), Missing, "title is missing"),
        (r#"base_plan_id="1" title="T""#.to_owned(), Missing, "sell_mode is missing"),
        (
            r#"base_plan_id="1" title="T" sell_mode="Online""#.to_owned(),
            Word,
            "sell_mode \"Online\": is neither online nor offline",
        ),
        (
            format!(r#"base_plan_id="1" title="{long}" sell_mode="online""#),
            Text,
            "title is longer than 1000 characters",
        ),
    ] {
        let bad = format!("<base_plan {base}><plan {PLAN}/><plan/></base_plan>");
        let good =
            format!(r#"<base_plan base_plan_id="9" title="T" sell_mode="online"><plan {PLAN}/></base_plan>"#);
        let outcome = read(feed_of(&(bad + &good)));
        assert_eq!(outcome.plans().len(), 1, "{base}");
        let [first, second] = outcome.rejects()[..] else { panic!("{base}: {:?}", outcome.items) };
        for reject in [first, second] {
            assert_eq!(reject.reason.code, code, "{base}");
            assert!(reject.reason.detail.starts_with(detail), "{base}: {}", reject.reason.detail);
        }
    }
}

#[test]
fn a_reject_says_where_it_stands_and_keeps_its_record_as_it_stood_there() {
    let start = "<base_plan title='T'\n  sell_mode=\"online\" base_plan_id=\"a&amp;b\">";
    let plan = "<plan plan_id=\"7\"\t><!-- why --><zone  zone_id='1'/>&#32;<![CDATA[x]]><other/>\n</plan >";
    let feed = format!(
        "\u{FEFF}<?xml version=\"1.0\"?><planList><output>{start}<plan {PLAN}/> {plan}</base_plan></output></planList>"
    );
    let outcome = read(&feed);
    let [reject] = outcome.rejects()[..] else { panic!("{:?}", outcome.items) };
    assert_eq!(reject.place.offset as usize + '\u{FEFF}'.len_utf8(), feed.find(plan).unwrap());
    assert_eq!(reject.place.base_plan_id.as_deref(), Some("a&b"));
    assert_eq!(reject.place.plan_id.as_deref(), Some("7"));
    assert_eq!(reject.raw, format!("{start}{plan}</base_plan>"));
}

#[test]
fn what_was_rejected_is_rejected_again_for_the_same_reason_and_taken_once_it_is_mended() {
    let again = |raw: &str| read_again(raw, &FeedLimits::default(), TimeZone::UTC);
    for feed in [
        feed_of_plan(&PLAN.replace("06-30", "06-31"), r#"<zone zone_id="1" price="1"/>"#),
        feed_of_plan(PLAN, r#"<zone zone_id="1" price="x"/>"#),
        feed_of_plan("", ""),
        feed_of(&format!("<base_plan><plan {PLAN}/></base_plan>")),
        feed_of(&format!("<p:base_plan a='>'><plan {PLAN}/></p:base_plan>")),
        feed_of(&format!("<base_plan\ttitle='T'><plan {PLAN}/></base_plan>")),
    ] {
        let reject = only(&feed);
        assert_eq!(again(&reject.raw), Err(reject.reason), "{}", reject.raw);
    }
    let reject = only(&feed_of_plan(PLAN, r#"<zone zone_id="1" price="x"/>"#));
    let plan = again(&reject.raw.replace("\"x\"", "\"15.00\"")).unwrap();
    assert_eq!(plan.content.prices.map(|range| range.min.as_cents()), Some(1500));
    let event = r#"<base_event base_event_id="1" title="T" sell_mode="online"><event event_id="2" event_date="2019-06-30T21:00:00"/></base_event>"#;
    assert_eq!(again(event).unwrap().key.plan_id.as_str(), "2");
    for (raw, code) in [
        ("", RejectCode::TooLarge),
        ("<base_plan><plan>", RejectCode::TooLarge),
        ("<base_plan/>", RejectCode::Missing),
        ("<planList/>", RejectCode::Text),
        ("text", RejectCode::Text),
    ] {
        assert_eq!(again(raw).map_err(|reason| reason.code), Err(code), "{raw}");
    }
}

#[test]
fn what_is_kept_of_a_record_holds_no_u_0000_and_cannot_be_read_again_either() {
    for plan in [format!("{PLAN} sold_out=\"\0\""), PLAN.replace("plan_id=\"", "plan_id=\"\0")] {
        let reject = only(&feed_of_plan(&plan, ""));
        let place = [reject.place.base_plan_id, reject.place.plan_id].into_iter().flatten();
        for text in place.chain([reject.reason.detail, reject.raw.clone()]) {
            assert!(!text.contains('\0'), "{text:?}");
        }
        assert!(reject.raw.contains('\u{FFFE}'), "{:?}", reject.raw);
        let again = read_again(&reject.raw, &FeedLimits::default(), TimeZone::UTC).unwrap_err();
        assert_eq!((reject.reason.code, again.code), (RejectCode::Text, RejectCode::Text));
    }
}
