//! Sample feeds of a provider of our own making, in each dialect, with what real feeds do.

/// The dialect with `base_plan` and `plan`.
pub const PLAN_LIST: &str = include_str!("../../demo/feeds/plan-list.xml");

/// The same feed at a later fetch: a title, a time and a price have changed, and one base plan has left sale.
pub const PLAN_LIST_LATER: &str = include_str!("../../demo/feeds/plan-list-later.xml");

/// The dialect with `base_event` and `event`.
pub const EVENT_LIST: &str = include_str!("../../demo/feeds/event-list.xml");

/// The older form of that: one `event_date`, and `max_price`.
pub const EVENT_LIST_OLDER: &str = include_str!("../../demo/feeds/event-list-older.xml");

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines that open an element of this name.
    fn lines<'a>(feed: &'a str, element: &str) -> Vec<&'a str> {
        let tag = format!("<{element} ");
        feed.lines().filter(|line| line.trim_start().starts_with(&tag)).collect()
    }

    fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
        line.split_once(&format!(" {name}=\""))?.1.split_once('"').map(|(value, _)| value)
    }

    #[test]
    fn every_dialect_has_what_real_feeds_do() {
        for (feed, base, plan, id, start, price) in [
            (PLAN_LIST, "base_plan", "plan", "plan_id", "plan_start_date", "price"),
            (EVENT_LIST, "base_event", "event", "event_id", "event_start_date", "price"),
            (EVENT_LIST_OLDER, "base_event", "event", "event_id", "event_date", "max_price"),
        ] {
            let (bases, plans, zones) = (lines(feed, base), lines(feed, plan), lines(feed, "zone"));
            for mode in ["online", "offline"] {
                assert!(
                    bases.iter().any(|line| attribute(line, "sell_mode") == Some(mode)),
                    "{base}: {mode}"
                );
            }
            assert!(bases.iter().any(|line| attribute(line, "organizer_company_id").is_none()), "{base}");
            let mut ids: Vec<_> = plans.iter().map(|line| attribute(line, id).unwrap()).collect();
            let count = ids.len();
            ids.sort_unstable();
            ids.dedup();
            assert!(ids.len() < count, "{base}: the same {id} occurs under two of them");
            let impossible = plans.iter().any(|line| attribute(line, start) == Some("2027-09-31T20:00:00"));
            assert!(impossible, "{base}: a day that there is not");
            assert!(plans.iter().any(|line| attribute(line, "sold_out") == Some("true")), "{base}");
            assert!(zones.iter().any(|line| attribute(line, "capacity") == Some("0")), "{base}");
            let twice = zones.windows(2).any(|pair| {
                let same = |name| attribute(pair[0], name) == attribute(pair[1], name);
                same("zone_id") && !same(price) && !same("numbered")
            });
            assert!(twice, "{base}: the same zone at two prices");
            assert!(feed.contains("&amp;"), "{base}");
        }
    }

    #[test]
    fn the_later_fetch_changes_and_leaves_out_what_its_description_says() {
        let lines: Vec<_> = PLAN_LIST.lines().collect();
        let changed: Vec<_> = PLAN_LIST_LATER.lines().filter(|line| !lines.contains(line)).collect();
        assert!(changed.iter().any(|line| line.contains("(new date)")), "{changed:?}");
        assert!(changed.iter().any(|line| line.contains("T18:15:00")), "{changed:?}");
        assert!(changed.iter().any(|line| line.contains("price=\"22.50\"")), "{changed:?}");
        assert!(PLAN_LIST.contains("Night walk") && !PLAN_LIST_LATER.contains("Night walk"));
    }
}
