//! Facts about real feeds, and what else XML allows.

use tenantry_domain::{PriceRange, SellMode};

use super::*;
use crate::reading::read_again;

#[test]
fn a_feed_is_read_to_the_last_attribute() {
    let outcome = read(SMALL);
    assert!(outcome.end.is_ok() && outcome.rejects().is_empty());
    let [first, second] = outcome.plans()[..] else { panic!("{:?}", outcome.items) };
    let time = |text: &str| TimeZone::UTC.read(text);
    assert_eq!((first.key.base_plan_id.as_str(), first.key.plan_id.as_str()), ("291", "291"));
    let content = &first.content;
    assert_eq!((content.title.as_str(), content.sell_mode), ("Camela en concierto", SellMode::Online));
    assert_eq!((&content.organizer_company_id, content.sold_out), (&None, false));
    assert_eq!(Some(content.time.starts_at()), time("2021-06-30T21:00:00"));
    assert_eq!(Some(content.time.ends_at()), time("2021-06-30T22:00:00"));
    assert_eq!(content.sell_from, time("2020-07-01T00:00:00"));
    assert_eq!(content.sell_to, time("2021-06-30T20:00:00"));
    assert_eq!(
        content.prices.map(|PriceRange { min, max }| (min.as_cents(), max.as_cents())),
        Some((1500, 2000))
    );
    assert_eq!(
        content.zones.as_json(),
        r#"[{"zone_id":"40","name":"Platea","price":20.0,"capacity":243,"numbered":true},{"zone_id":"38","name":"Grada 2","price":15.0,"capacity":100,"numbered":false}]"#
    );
    let content = &second.content;
    assert_eq!((second.key.base_plan_id.as_str(), second.key.plan_id.as_str()), ("1591", "1642"));
    assert_eq!((content.sell_mode, content.sold_out, content.prices), (SellMode::Offline, true, None));
    assert_eq!(content.organizer_company_id.as_ref().map(|id| id.as_str()), Some("1"));
    assert_eq!(content.zones.as_json(), "[]");
}

#[test]
fn the_other_dialect_means_the_same() {
    let other =
        SMALL.replace("planList", "eventList").replace("plan_", "event_").replace("base_plan", "base_event");
    let other = other.replace("<plan ", "<event ").replace("</plan>", "</event>");
    assert!(!other.contains("plan"));
    let (one, other) = (read(SMALL), read(other));
    assert!(other.end.is_ok());
    assert_eq!(one.items, other.items);
}

#[test]
fn the_older_feed_has_one_date_and_the_highest_price() {
    let outcome = read(
        r#"<eventList><output><base_event base_event_id="1" title="T" sell_mode="online">
        <event event_id="2" event_date="2019-06-30T21:00:00"><zone zone_id="3" capacity="0" max_price="31.5"/></event>
        </base_event></output></eventList>"#,
    );
    let [plan] = outcome.plans()[..] else { panic!("{:?}", outcome.items) };
    assert_eq!(plan.content.time.starts_at(), plan.content.time.ends_at());
    assert_eq!(
        plan.content.zones.as_json(),
        r#"[{"zone_id":"3","name":"","price":31.5,"capacity":0,"numbered":false}]"#
    );
}

#[test]
fn the_same_ids_may_stand_there_again_in_other_places() {
    let plan = |base: &str| {
        let zone =
            r#"<zone zone_id="5" price="1" numbered="true"/><zone zone_id="5" price="2" numbered="false"/>"#;
        format!(
            r#"<base_plan base_plan_id="{base}" title="T" sell_mode="online"><plan {PLAN}>{zone}</plan></base_plan>"#
        )
    };
    let outcome = read(feed_of(&(plan("1") + &plan("2"))));
    let keys: Vec<_> = outcome.plans().iter().map(|plan| plan.key.base_plan_id.to_string()).collect();
    assert_eq!(keys, ["1", "2"]);
    assert_eq!(outcome.plans()[0].content.zones.as_json().matches("\"zone_id\":\"5\"").count(), 2);
}

#[test]
fn an_empty_list_is_a_whole_feed() {
    for feed in [
        "<planList/>",
        "<eventList></eventList>",
        "<?xml version='1.0'?><planList><output/></planList>",
        "<!-- none --><planList>\n<output>\n</output>\n</planList>\n<?end?><!-- . -->\n",
        "<planList><output/><output><!-- --></output></planList>",
        r#"<planList><output><base_plan base_plan_id="1" title="T" sell_mode="online"/></output></planList>"#,
    ] {
        let outcome = read(feed);
        assert!(outcome.end.is_ok() && outcome.items.is_empty(), "{feed}: {:?}", outcome.end);
    }
}

#[test]
fn what_is_not_known_is_passed_over() {
    let outcome = read(
        r#"<p:planList xmlns:p="x"><meta><plan/><output><base_plan/></output></meta><output count="1">text &amp; &unknown; <![CDATA[<]]>
        <ad><base_plan/></ad><p:base_plan colour="red" sell_mode='online' title = "A" base_plan_id="1"><note>n</note>
        <p:plan plan_id="2" plan_start_date="2021-06-30T21:00:00.5" plan_end_date="2021-06-30T23:00:00+01:00" x="&nope;"><!-- - --><?pi?>
        <zone zone_id="7" price="1"><zone zone_id="8" price="wrong"/></zone></p:plan></p:base_plan></output></p:planList>"#,
    );
    assert!(outcome.end.is_ok(), "{:?}", outcome.end);
    let [plan] = outcome.plans()[..] else { panic!("{:?}", outcome.items) };
    assert_eq!(plan.content.time.ends_at(), TimeZone::UTC.read("2021-06-30T22:00:00").unwrap());
}

#[test]
fn a_plan_may_end_in_the_hour_that_clocks_show_twice() {
    let plan = r#"<base_plan base_plan_id="1" title="T" sell_mode="online">
        <plan plan_id="2" plan_start_date="2021-10-31T02:30:00" plan_end_date="2021-10-31T02:15:00"/></base_plan>"#;
    let madrid = TimeZone::parse("Europe/Madrid").unwrap();
    let plan = read_again(plan, &FeedLimits::default(), madrid).unwrap();
    let times = [plan.content.time.starts_at(), plan.content.time.ends_at()].map(|time| time.to_string());
    assert_eq!(times, ["2021-10-31T00:30:00.000000Z", "2021-10-31T01:15:00.000000Z"]);
}

#[test]
fn an_empty_attribute_is_as_good_as_none() {
    let outcome = read(feed_of_plan(
        &format!(r#"{PLAN} sell_from="" sell_to="" sold_out="""#),
        r#"<zone zone_id="3" price="" max_price="2" capacity="" name="" numbered=""/>"#,
    ));
    let [plan] = outcome.plans()[..] else { panic!("{:?}", outcome.items) };
    assert_eq!((plan.content.sell_from, plan.content.sell_to, plan.content.sold_out), (None, None, false));
    assert!(plan.content.zones.as_json().contains(r#""price":2.0,"capacity":null,"numbered":false"#));
}

#[test]
fn references_in_values_are_what_they_mean() {
    let feed = feed_of(&format!(
        r#"<base_plan base_plan_id="&#49;" title="Rock &amp; &quot;Roll&quot; &#xF1;" sell_mode="online"><plan {PLAN}><zone zone_id="3" price="&#50;" name="&lt;b&gt;
        c"/></plan></base_plan>"#
    ));
    let outcome = read(feed);
    let [plan] = outcome.plans()[..] else { panic!("{:?}", outcome.items) };
    assert_eq!(plan.content.title.as_str(), "Rock & \"Roll\" ñ");
    assert!(plan.content.zones.as_json().contains("\"name\":\"<b>         c\",\"price\":2.0"));
}

#[test]
fn what_is_no_feed_is_told_from_one() {
    for (feed, fault) in [
        ("", "it ends before its first element does"),
        ("   \n", "it ends before its first element does"),
        (
            "<html><body>Service unavailable</body></html>",
            "it begins with html, and not with planList or eventList",
        ),
        ("<base_plan/>", "it begins with base_plan"),
        ("<planlist/>", "it begins with planlist"),
        ("Internal error", "it begins with text"),
        ("{\"plans\":[]}", "it begins with text"),
        ("&lt;planList/>", "it begins with text"),
        ("<!DOCTYPE planList><planList/>", "DOCTYPE"),
        ("<!DOCTYPE p [<!ENTITY a \"b\"><!ENTITY b \"&a;&a;\">]><planList>&b;</planList>", "DOCTYPE"),
        ("<planList/><planList/>", "behind its end stands another element: planList"),
        ("<planList/>x", "behind its end stands more text"),
        ("<planList/><![CDATA[x]]>", "behind its end stands more text"),
        ("<planList></eventList>", "it is not XML at byte 10"),
        ("<planList><output></planList></output>", "it is not XML at byte 18"),
        ("</planList>", "it is not XML at byte 0"),
        ("<planList><output><base_plan a=1/></output></planList>", "it is not XML in the tag at byte 18"),
        ("<planList>a & b</planList>", "it is not XML"),
        ("<planList><!x></planList>", "it is not XML"),
        ("<planList><error>maintenance</error></planList>", "where output should stand there is only error"),
        ("<planList><base_plan/></planList>", "where output should stand there is only base_plan"),
        (
            "<planList><output><event/></output></planList>",
            "where base_plan should stand there is only event",
        ),
        (
            "<eventList><output><base_plan/></output></eventList>",
            "where base_event should stand there is only base_plan",
        ),
    ] {
        let outcome = read(feed);
        assert!(outcome.fault().contains(fault), "{feed}: {}", outcome.fault());
    }
}

#[test]
fn a_feed_is_not_whole_before_its_last_byte() {
    let last = SMALL.trim_end().len();
    for length in 0..last {
        let outcome = read(&SMALL[..length]);
        assert!(matches!(outcome.end, Err(ReadError::EndsEarly(_))), "{length}: {:?}", outcome.end);
    }
    assert!(read(&SMALL[..last]).end.is_ok());
}
