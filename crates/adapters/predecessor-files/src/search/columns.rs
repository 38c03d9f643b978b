//! The names that columns of the search's tables have, by what they mean.

/// What a table of the search holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Dated occurrences, perhaps with all that there is.
    Plans,
    /// What plans share: a title, and how it is sold.
    BasePlans,
    /// Prices of plans.
    Zones,
}

impl Role {
    pub(crate) const ALL: [Self; 3] = [Self::Plans, Self::BasePlans, Self::Zones];

    /// The fields of its rows, each with the names that its column may have, the likeliest first. Base plans have the first
    /// fields of plans.
    pub(crate) fn fields(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Plans => &PLAN_FIELDS,
            Self::BasePlans => &PLAN_FIELDS[..START],
            Self::Zones => &ZONE_FIELDS,
        }
    }

    /// Its place among all.
    pub(crate) fn place(self) -> usize {
        match self {
            Self::Plans => 0,
            Self::BasePlans => 1,
            Self::Zones => 2,
        }
    }

    /// The number that stands for it where rows wait.
    pub(crate) fn number(self) -> i32 {
        match self {
            Self::Plans => 0,
            Self::BasePlans => 1,
            Self::Zones => 2,
        }
    }
}

// The places of the fields.
pub(crate) const TITLE: usize = 0;
pub(crate) const SELL_MODE: usize = 1;
pub(crate) const EVER_ONLINE: usize = 2;
pub(crate) const ORGANIZER: usize = 3;
pub(crate) const PROVIDER: usize = 4;
pub(crate) const START: usize = 5;
pub(crate) const START_TIME: usize = 6;
pub(crate) const END: usize = 7;
pub(crate) const END_TIME: usize = 8;
pub(crate) const SELL_FROM: usize = 9;
pub(crate) const SELL_TO: usize = 10;
pub(crate) const SOLD_OUT: usize = 11;
pub(crate) const MIN_PRICE: usize = 12;
pub(crate) const MAX_PRICE: usize = 13;

/// The most fields of a role.
pub(crate) const MAX_FIELDS: usize = 14;

const PLAN_FIELDS: [&[&str]; MAX_FIELDS] = [
    &["title", "name"],
    &["sellmode", "isonline", "online"],
    &["everonline", "waseveronline", "wasonline"],
    &["organizercompanyid", "providerorganizercompanyid", "organizerid"],
    &["providerid", "providersid", "providername", "provider"],
    &[
        "startsat",
        "startat",
        "planstartdate",
        "eventstartdate",
        "planstartdatetime",
        "eventstartdatetime",
        "startdatetime",
        "startdate",
        "eventdate",
    ],
    &["planstarttime", "eventstarttime", "starttime"],
    &[
        "endsat",
        "endat",
        "planenddate",
        "eventenddate",
        "planenddatetime",
        "eventenddatetime",
        "enddatetime",
        "enddate",
        "eventdate",
    ],
    &["planendtime", "eventendtime", "endtime"],
    &["sellfrom"],
    &["sellto"],
    &["soldout", "issoldout"],
    &["minprice", "pricemin", "pricerangemin", "minimumprice"],
    &["maxprice", "pricemax", "pricerangemax", "maximumprice"],
];

pub(crate) const NAME: usize = 0;
pub(crate) const PRICE: usize = 1;
pub(crate) const CAPACITY: usize = 2;
pub(crate) const NUMBERED: usize = 3;

const ZONE_FIELDS: [&[&str]; 4] =
    [&["name", "zonename"], &["price", "maxprice"], &["capacity"], &["numbered", "isnumbered"]];

/// The names of the provider's id of a base plan, of a plan and of a zone. Where there is none, it is the table's `id`.
pub(crate) const BASE_PLAN_IDS: [&str; 11] = [
    "providerbaseplanid",
    "providerbaseeventid",
    "baseplanproviderid",
    "baseeventproviderid",
    "baseplanid",
    "baseeventid",
    "planbaseid",
    "eventbaseid",
    "externalbaseplanid",
    "externalbaseeventid",
    "baseid",
];
pub(crate) const PLAN_IDS: [&str; 11] = [
    "providerplanid",
    "providereventid",
    "planproviderid",
    "eventproviderid",
    "eventplanid",
    "planeventid",
    "planid",
    "eventid",
    "externalplanid",
    "externaleventid",
    "externalid",
];
pub(crate) const ZONE_IDS: [&str; 6] =
    ["providerzoneid", "zoneproviderid", "eventzoneid", "planzoneid", "zoneid", "externalid"];

/// The names of the id that the search itself gave to a plan, and showed.
pub(crate) const OWN_IDS: [&str; 6] = ["uuid", "planuuid", "eventuuid", "id", "plansid", "eventsid"];

/// A name without case and underscores: `plan_start_date`, `planStartDate`.
pub(crate) fn plain(name: &str) -> String {
    name.to_lowercase().replace('_', "")
}

/// A table's name without its schema and the `s` of the plural.
pub(crate) fn bare(name: &str) -> String {
    let name = plain(name.rsplit('.').next().unwrap_or(name));
    name.strip_suffix('s').unwrap_or(&name).to_owned()
}
