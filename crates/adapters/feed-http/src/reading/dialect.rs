//! The two dialects of the feed, which differ in names alone.

/// Which names a feed has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `planList`, `base_plan`, `plan`.
    Plan,
    /// `eventList`, `base_event`, `event`.
    Event,
}

/// The element in which base plans stand, in either dialect.
pub(crate) const OUTPUT: &str = "output";
/// The element of a zone, in either dialect.
pub(crate) const ZONE: &str = "zone";

/// The names of a base plan's attributes.
pub(crate) const BASE_IN_PLANS: [&str; 4] = ["base_plan_id", "title", "sell_mode", "organizer_company_id"];
const BASE_IN_EVENTS: [&str; 4] = ["base_event_id", "title", "sell_mode", "organizer_company_id"];
/// The names of a plan's attributes. The last is an older feed's, in place of the two dates.
const PLAN_IN_PLANS: [&str; 7] =
    ["plan_id", "plan_start_date", "plan_end_date", "sell_from", "sell_to", "sold_out", "plan_date"];
const PLAN_IN_EVENTS: [&str; 7] =
    ["event_id", "event_start_date", "event_end_date", "sell_from", "sell_to", "sold_out", "event_date"];
/// The names of a zone's attributes, in either dialect. The last is an older feed's, in place of the price.
pub(crate) const IN_ZONES: [&str; 6] = ["zone_id", "capacity", "price", "name", "numbered", "max_price"];

impl Dialect {
    pub(crate) const ALL: [Self; 2] = [Self::Plan, Self::Event];

    /// The dialect whose feeds have this root element.
    pub(crate) fn of_root(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.root() == name)
    }

    /// The dialect whose base plans have this name.
    pub(crate) fn of_base(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.base() == name)
    }

    pub(crate) fn root(self) -> &'static str {
        match self {
            Self::Plan => "planList",
            Self::Event => "eventList",
        }
    }

    pub(crate) fn base(self) -> &'static str {
        match self {
            Self::Plan => "base_plan",
            Self::Event => "base_event",
        }
    }

    pub(crate) fn plan(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Event => "event",
        }
    }

    pub(crate) fn base_attributes(self) -> &'static [&'static str; 4] {
        match self {
            Self::Plan => &BASE_IN_PLANS,
            Self::Event => &BASE_IN_EVENTS,
        }
    }

    pub(crate) fn plan_attributes(self) -> &'static [&'static str; 7] {
        match self {
            Self::Plan => &PLAN_IN_PLANS,
            Self::Event => &PLAN_IN_EVENTS,
        }
    }
}
