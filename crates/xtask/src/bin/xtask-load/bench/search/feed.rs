//! The plans of the bench, and the searches among them.

use std::fmt::Write as _;

use super::super::value::write_digits;

/// How many plans there are, and in the larger catalog.
pub(super) const PLANS: u64 = 100_000;
pub(super) const MANY_PLANS: u64 = 10 * PLANS;

/// How many of them a search finds.
pub(super) const FOUND: u8 = 20;

/// Seconds from one plan's start to the next one's, and from a plan's start to its end.
const APART: u64 = 300;
const LASTS: u64 = 3600;

/// The feed of so many plans, as it is at that fetch: each time every tenth plan has other prices.
pub(super) fn text(plans: u64, fetch: u64) -> String {
    let mut text = String::with_capacity(plans as usize * 420);
    text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?><planList version=\"1.0\"><output>");
    for plan in 0..plans {
        // Prices of two digits, of which the answers are as long as each other.
        let price = if plan % 10 == fetch % 10 { 10 + (fetch / 10 + fetch) % 40 } else { 15 };
        let (starts, ends) = (moment(plan * APART), moment(plan * APART + LASTS));
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "<base_plan base_plan_id=\"{plan}\" sell_mode=\"online\" title=\"plan {plan:06}\">\
             <plan plan_id=\"{plan}\" plan_start_date=\"{starts}\" plan_end_date=\"{ends}\" sell_from=\"2020-07-01T00:00:00\" \
             sell_to=\"{starts}\" sold_out=\"false\">\
             <zone zone_id=\"40\" capacity=\"240\" price=\"{price}.00\" name=\"Platea\" numbered=\"true\"/>\
             <zone zone_id=\"38\" capacity=\"50\" price=\"50.00\" name=\"Grada\" numbered=\"false\"/></plan></base_plan>"
        );
    }
    text.push_str("</output></planList>");
    text
}

/// Writes the target of a search that finds [`FOUND`] plans, the first of which is `first`.
pub(super) fn write_search(first: u64, out: &mut Vec<u8>) {
    let last = first + u64::from(FOUND) - 1;
    out.extend_from_slice(b"/api/v1/search?starts_at=");
    out.extend_from_slice(moment(first * APART).as_bytes());
    out.extend_from_slice(b"&ends_at=");
    out.extend_from_slice(moment(last * APART + LASTS).as_bytes());
}

/// So many seconds after 2021 began, as feeds write it.
fn moment(seconds: u64) -> String {
    let (mut day, of_day) = (seconds / 86_400, seconds % 86_400);
    let mut year = 2021;
    let days_of = |year: u64| if year.is_multiple_of(4) { 366 } else { 365 };
    while day >= days_of(year) {
        day -= days_of(year);
        year += 1;
    }
    let february = days_of(year) - 337;
    let mut month = 0;
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while day >= months[month] {
        day -= months[month];
        month += 1;
    }
    let mut text = *b"0000-00-00T00:00:00";
    for (number, place) in [
        (year, 0..4),
        (month as u64 + 1, 5..7),
        (day + 1, 8..10),
        (of_day / 3600, 11..13),
        (of_day / 60 % 60, 14..16),
        (of_day % 60, 17..19),
    ] {
        write_digits(number, &mut text[place]);
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn moments_are_dates() {
    for (seconds, text) in [
        (0, "2021-01-01T00:00:00"),
        (59 * 86_400 + 3_661, "2021-03-01T01:01:01"),
        (365 * 86_400 - 1, "2021-12-31T23:59:59"),
        ((365 * 3 + 59) * 86_400, "2024-02-29T00:00:00"),
    ] {
        assert_eq!(moment(seconds), text);
    }
}
