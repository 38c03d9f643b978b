//! A feed, made as it is sent: it may be of any size.

use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::str::FromStr;

use xtask::random::{Random, mix};

/// What a feed holds. The same settings make the same feed, byte for byte, in each of its versions.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    /// How many plans, if none leaves.
    pub(crate) plans: u64,
    /// How many zones each has.
    pub(crate) zones: u64,
    /// In which dialect.
    pub(crate) dialect: Dialect,
    /// What everything is made from.
    pub(crate) seed: u64,
    /// Of a hundred plans, so many start on the 31st of September.
    pub(crate) bad_dates: u64,
    /// Of a hundred plans, so many stand there twice, every other one with another date.
    pub(crate) duplicates: u64,
    /// Of a hundred plans, so many are other than in the version before.
    pub(crate) changes: u64,
    /// Of a hundred plans, so many are not in a version.
    pub(crate) leaving: u64,
}

/// Which names the feed has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Dialect {
    /// `planList`.
    #[default]
    Plan,
    /// `eventList`.
    Event,
    /// `eventList` with one `event_date`, and `max_price`.
    Older,
}

impl Dialect {
    const ALL: [Self; 3] = [Self::Plan, Self::Event, Self::Older];

    fn word(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Event => "event",
            Self::Older => "older",
        }
    }

    /// What elements and attributes are called after.
    fn noun(self) -> &'static str {
        if self == Self::Plan { "plan" } else { "event" }
    }
}

impl FromStr for Dialect {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|dialect| dialect.word() == text).ok_or(())
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a percentage is about: each has its own dice.
#[derive(Clone, Copy)]
enum Die {
    BadDate = 1,
    Duplicate,
    Change,
    Leaving,
    Content,
}

/// How many versions back a change is looked for: one that is longer ago is as if it had never been.
const OLDEST_CHANGE: u64 = 64;

impl Feed {
    /// Writes that version, up to the plan of that number.
    pub(crate) fn write(&self, version: u64, up_to: u64, to: &mut impl Write) -> io::Result<()> {
        let noun = self.dialect.noun();
        writeln!(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{noun}List version=\"1.0\">\n  <output>")?;
        let mut text = String::new();
        for plan in 0..self.plans.min(up_to) {
            if self.falls(Die::Leaving, plan, version, self.leaving) {
                continue;
            }
            text.clear();
            // Writing to a string does not fail.
            let _ = self.base(&mut text, plan, version);
            to.write_all(text.as_bytes())?;
        }
        if up_to < self.plans {
            return Ok(());
        }
        writeln!(to, "  </output>\n</{noun}List>")
    }

    /// Whether that die, with so many sides of a hundred, falls so for that plan.
    fn falls(&self, die: Die, plan: u64, version: u64, percent: u64) -> bool {
        let roll =
            mix(self.seed ^ mix(plan.wrapping_mul(8) + die as u64) ^ mix(version.wrapping_mul(0x9E37_79B9)));
        percent > roll % 100
    }

    /// The version that a plan last changed in, as of this one.
    fn last_change(&self, plan: u64, version: u64) -> u64 {
        let versions = (version.saturating_sub(OLDEST_CHANGE) + 1..=version).rev();
        versions
            .into_iter()
            .find(|version| self.falls(Die::Change, plan, *version, self.changes))
            .unwrap_or(0)
    }

    /// A base plan with its plan.
    fn base(&self, text: &mut String, plan: u64, version: u64) -> fmt::Result {
        let noun = self.dialect.noun();
        let mut random = Random::part(self.seed, plan.wrapping_mul(8) + Die::Content as u64);
        let mode = if random.below(10) == 0 { "offline" } else { "online" };
        let organizer = if random.below(3) == 0 { " organizer_company_id=\"1\"" } else { "" };
        writeln!(
            text,
            "    <base_{noun} base_{noun}_id=\"{}\" sell_mode=\"{mode}\"{organizer} title=\"Función n&#250;mero {plan} &amp; más\">",
            plan + 1
        )?;
        let day = 1 + random.below(28);
        self.plan(text, plan, version, day, &mut random.clone())?;
        if self.falls(Die::Duplicate, plan, 0, self.duplicates) {
            let day = if plan.is_multiple_of(2) { day } else { day % 28 + 1 };
            self.plan(text, plan, version, day, &mut random)?;
        }
        writeln!(text, "    </base_{noun}>")
    }

    fn plan(&self, text: &mut String, plan: u64, version: u64, day: u64, random: &mut Random) -> fmt::Result {
        let noun = self.dialect.noun();
        let (year, month) = (2026 + plan % 3, 1 + plan % 12);
        let mut date = format!("{year}-{month:02}-{day:02}");
        if self.falls(Die::BadDate, plan, 0, self.bad_dates) {
            "2026-09-31".clone_into(&mut date);
        }
        // The same id under several base plans.
        write!(text, "      <{noun} {noun}_id=\"{}\"", plan / 2 + 1)?;
        match self.dialect {
            Dialect::Older => write!(text, " event_date=\"{date}T21:00:00\"")?,
            _ => write!(text, " {noun}_start_date=\"{date}T21:00:00\" {noun}_end_date=\"{date}T22:30:00\"")?,
        }
        let sold_out = self.last_change(plan, version) % 2 == 1;
        writeln!(
            text,
            " sell_from=\"2025-01-01T00:00:00\" sell_to=\"{year}-{month:02}-{day:02}T20:00:00\" sold_out=\"{sold_out}\">"
        )?;
        let price = if self.dialect == Dialect::Older { "max_price" } else { "price" };
        let dearer = self.last_change(plan, version);
        for zone in 0..self.zones {
            // The same zone twice, now and then, and none left of some.
            let id = if random.below(50) == 0 { zone } else { zone + 1 };
            let (capacity, cents) = (random.below(500), 500 + random.below(20_000) + dearer);
            let numbered = random.below(2) == 0;
            writeln!(
                text,
                "        <zone zone_id=\"{id}\" capacity=\"{capacity}\" {price}=\"{}.{:02}\" name=\"Platea {}\" numbered=\"{numbered}\" />",
                cents / 100,
                cents % 100,
                zone % 40
            )?;
        }
        writeln!(text, "      </{noun}>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed() -> Feed {
        let none = 0;
        Feed {
            plans: 1000,
            zones: 3,
            dialect: Dialect::Plan,
            seed: 7,
            bad_dates: none,
            duplicates: none,
            changes: none,
            leaving: none,
        }
    }

    fn text(feed: &Feed, version: u64) -> String {
        let mut text = Vec::new();
        feed.write(version, u64::MAX, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn the_same_settings_make_the_same_feed_and_another_seed_another() {
        assert_eq!(text(&feed(), 0), text(&feed(), 9));
        assert_ne!(text(&feed(), 0), text(&Feed { seed: 8, ..feed() }, 0));
        assert_eq!(text(&feed(), 0).matches("<plan ").count(), 1000);
        assert_eq!(text(&feed(), 0).matches("<zone ").count(), 3000);
    }

    #[test]
    fn percentages_are_kept_about() {
        let about = |count: usize| (30..=75).contains(&count);
        let bad = text(&Feed { bad_dates: 5, ..feed() }, 0);
        assert!(about(bad.matches("plan_start_date=\"2026-09-31T").count()));
        let twice = text(&Feed { duplicates: 5, ..feed() }, 0);
        assert!(about(twice.matches("<plan ").count() - 1000));
        let fewer = text(&Feed { leaving: 5, ..feed() }, 3);
        assert!(about(1000 - fewer.matches("<plan ").count()));
        let changing = Feed { changes: 5, ..feed() };
        let (one, two) = (text(&changing, 1), text(&changing, 2));
        let plans = |text: &str| text.split("<base_plan").map(str::to_owned).collect::<Vec<_>>();
        let changed = plans(&one).iter().zip(plans(&two)).filter(|(one, two)| *one != two).count();
        assert!(about(changed), "{changed}");
    }

    #[test]
    fn each_dialect_has_its_names() {
        assert!(
            text(&Feed { dialect: Dialect::Event, ..feed() }, 0)
                .contains("<event event_id=\"1\" event_start_date=")
        );
        let older = text(&Feed { dialect: Dialect::Older, ..feed() }, 0);
        assert!(older.contains("<event event_id=\"1\" event_date=") && older.contains(" max_price="));
        assert!(!older.contains("plan"));
    }

    #[test]
    fn a_feed_that_breaks_off_does_not_end() {
        let mut text = Vec::new();
        feed().write(0, 500, &mut text).unwrap();
        assert!(!String::from_utf8(text).unwrap().contains("</output>"));
    }
}
