//! Plans: what is on, when and for how much, as a provider has told it.

use std::fmt;

use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::feed::FeedId;
use crate::price::PriceRange;
use crate::text::text_type;
use crate::timestamp::Timestamp;
use crate::zone::ZoneList;

/// A plan's id, the same in every fetch and after every import: made of the feed and the two ids that the
/// provider gave it. Only a plan that came from another system keeps the id that it had there
/// ([`PastPlan`](crate::PastPlan)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanId(Uuid);

impl PlanId {
    /// The id of the plan that has these ids in that feed: a UUIDv5 in the feed's own namespace.
    #[must_use]
    pub fn of(feed: FeedId, key: &PlanKey) -> Self {
        // The length keeps ("1", "23") apart from ("12", "3").
        let base = key.base_plan_id.as_str();
        let name = format!("{}:{base}{}", base.len(), key.plan_id.as_str());
        Self(Uuid::new_v5(&feed.get(), name.as_bytes()))
    }

    /// Wraps an id that was stored.
    #[must_use]
    pub fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Reads a UUID in its usual form with hyphens.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 36).then(|| Uuid::try_parse(text).ok().map(Self)).flatten()
    }

    /// The UUID.
    #[must_use]
    pub fn get(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_type! {
    /// A provider's id of a base plan, or of a plan, or of whoever organizes it: 1 to 255 characters.
    ProviderId
}
text_type! {
    /// A plan's title, for a person: 1 to 1,000 characters.
    PlanTitle
}

impl ProviderId {
    /// Takes 1 to 255 characters without U+0000.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        fits(text, 255).then(|| Self(text.into()))
    }
}

impl PlanTitle {
    /// Takes 1 to 1,000 characters without U+0000.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        fits(text, 1000).then(|| Self(text.into()))
    }
}

fn fits(text: &str, max_characters: usize) -> bool {
    !text.is_empty()
        && text.chars().take(max_characters + 1).count() <= max_characters
        && !text.contains('\0')
}

/// What a provider knows a plan by. The same `plan_id` occurs under several base plans, so it is the pair.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanKey {
    /// The base plan: what is on.
    pub base_plan_id: ProviderId,
    /// Its dated occurrence.
    pub plan_id: ProviderId,
}

/// How a base plan is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SellMode {
    /// On the web: these are offered.
    Online,
    /// Elsewhere.
    Offline,
}

impl SellMode {
    /// As a word: `online` or `offline`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
        }
    }

    /// The mode of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Online, Self::Offline].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// When a plan takes place: it never ends before it starts, and lasts at most [`PlanTime::MAX_DAYS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanTime {
    starts_at: Timestamp,
    ends_at: Timestamp,
}

impl PlanTime {
    /// The longest that a plan may last: about ten years.
    pub const MAX_DAYS: i64 = 3660;

    /// A time from `starts_at` to `ends_at`; nothing where it ends before it starts, or lasts too long.
    #[must_use]
    pub fn new(starts_at: Timestamp, ends_at: Timestamp) -> Option<Self> {
        let lasts = ends_at - starts_at;
        (TimeDelta::zero()..=TimeDelta::days(Self::MAX_DAYS))
            .contains(&lasts)
            .then_some(Self { starts_at, ends_at })
    }

    /// When it starts.
    #[must_use]
    pub fn starts_at(self) -> Timestamp {
        self.starts_at
    }

    /// When it ends.
    #[must_use]
    pub fn ends_at(self) -> Timestamp {
        self.ends_at
    }
}

/// Everything that a provider tells of a plan, but for its ids. Where any of it differs, it is another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanContent {
    /// The title of its base plan.
    pub title: PlanTitle,
    /// How its base plan is sold.
    pub sell_mode: SellMode,
    /// Who organizes it, where that is told.
    pub organizer_company_id: Option<ProviderId>,
    /// When it takes place.
    pub time: PlanTime,
    /// When its sale begins, where that is told.
    pub sell_from: Option<Timestamp>,
    /// When its sale ends, where that is told.
    pub sell_to: Option<Timestamp>,
    /// Whether nothing is left.
    pub sold_out: bool,
    /// The lowest and the highest price of its zones. Where it has no zone there is none, unless another system has
    /// kept the prices alone.
    pub prices: Option<PriceRange>,
    /// Its zones, as the feed has them.
    pub zones: ZoneList,
}

impl PlanContent {
    /// A SHA-256 over all of it: the same exactly where the content is the same.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut text = |text: Option<&str>| {
            // A length before each text, and one that no text has where there is none, keep them apart.
            hash.update(text.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
            hash.update(text.unwrap_or_default());
        };
        text(Some(self.title.as_str()));
        text(Some(self.sell_mode.as_str()));
        text(self.organizer_company_id.as_ref().map(ProviderId::as_str));
        text(Some(self.zones.as_json()));
        let mut number = |number: Option<i64>| hash.update(number.unwrap_or(i64::MIN).to_le_bytes());
        // The prices follow from the zones, but where they are told without any.
        if let Some(prices) = self.prices.filter(|_| self.zones.is_empty()) {
            number(Some(prices.min.as_cents()));
            number(Some(prices.max.as_cents()));
        }
        number(Some(self.time.starts_at.as_micros()));
        number(Some(self.time.ends_at.as_micros()));
        number(self.sell_from.map(Timestamp::as_micros));
        number(self.sell_to.map(Timestamp::as_micros));
        number(Some(i64::from(self.sold_out)));
        hash.finalize().into()
    }
}

/// A plan as one record of a feed tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRecord {
    /// Which plan.
    pub key: PlanKey,
    /// What is told of it.
    pub content: PlanContent,
}

/// Where a plan came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanSource {
    /// The feed. It may have been deleted since.
    pub feed: FeedId,
    /// What its provider knows it by.
    pub key: PlanKey,
}

/// A plan, as it was last told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// Where it came from.
    pub source: PlanSource,
    /// What was told of it last.
    pub content: PlanContent,
    /// Which version that is: 1 for the first, one more for each that differed.
    pub version: u32,
    /// When a fetch first held it.
    pub first_seen_at: Timestamp,
    /// When a fetch last held it.
    pub last_seen_at: Timestamp,
    /// Whether the last whole fetch of its feed held it, to be sold online.
    pub on_sale: bool,
}

/// A version of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanVersion {
    /// Which: 1 for the first.
    pub version: u32,
    /// When a fetch first held it so. It was so until the next version.
    pub seen_at: Timestamp,
    /// What was told.
    pub content: PlanContent,
}

/// What the search needs of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchablePlan {
    /// Its id.
    pub id: PlanId,
    /// Its title.
    pub title: PlanTitle,
    /// When it takes place.
    pub time: PlanTime,
    /// The lowest and the highest price.
    pub prices: Option<PriceRange>,
}

/// How often a tenant's catalog has changed: 0 for an empty one, one more with each import that changed anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CatalogRevision(u64);

impl CatalogRevision {
    /// The revision of that number; at most 2⁶³ − 1.
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        i64::try_from(number).is_ok().then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for CatalogRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::Price;
    use crate::zone::Zone;

    fn key(base: &str, plan: &str) -> PlanKey {
        PlanKey { base_plan_id: ProviderId::new(base).unwrap(), plan_id: ProviderId::new(plan).unwrap() }
    }

    fn content() -> PlanContent {
        let time = |text| Timestamp::parse_rfc3339(text).unwrap();
        let zones = [Zone {
            zone_id: ProviderId::new("7").unwrap(),
            name: "Pista".to_owned(),
            price: Price::from_cents(1500).unwrap(),
            capacity: Some(0),
            numbered: false,
        }];
        PlanContent {
            title: PlanTitle::new("Camela en concierto").unwrap(),
            sell_mode: SellMode::Online,
            organizer_company_id: None,
            time: PlanTime::new(time("2021-06-30T21:00:00Z"), time("2021-06-30T22:00:00Z")).unwrap(),
            sell_from: None,
            sell_to: None,
            sold_out: false,
            prices: PriceRange::of(zones.iter().map(|zone| zone.price)),
            zones: ZoneList::of(&zones),
        }
    }

    #[test]
    fn a_plan_keeps_its_id_and_shares_it_with_no_other() {
        let (feed, other) = (FeedId::new(Uuid::from_u128(1)), FeedId::new(Uuid::from_u128(2)));
        let id = PlanId::of(feed, &key("291", "1642"));
        assert_eq!(id, PlanId::of(feed, &key("291", "1642")));
        assert_eq!(PlanId::parse(&id.to_string()), Some(id));
        for another in [
            PlanId::of(other, &key("291", "1642")),
            PlanId::of(feed, &key("322", "1642")),
            PlanId::of(feed, &key("29", "11642")),
            PlanId::of(feed, &key("2911", "642")),
        ] {
            assert_ne!(id, another);
        }
    }

    #[test]
    fn any_difference_in_content_is_another_digest() {
        let content = content();
        let time = Timestamp::from_micros(0);
        let dearer = PriceRange::of([1500, 1501].map(|cents| Price::from_cents(cents).unwrap()));
        let others = [
            PlanContent { title: PlanTitle::new("Camela").unwrap(), ..content.clone() },
            PlanContent { sell_mode: SellMode::Offline, ..content.clone() },
            PlanContent { organizer_company_id: ProviderId::new("1"), ..content.clone() },
            PlanContent { time: PlanTime::new(time, time).unwrap(), ..content.clone() },
            PlanContent { sell_from: Some(time), ..content.clone() },
            PlanContent { sell_to: Some(time), ..content.clone() },
            PlanContent { sold_out: true, ..content.clone() },
            PlanContent { zones: ZoneList::of(&[]), ..content.clone() },
            PlanContent { zones: ZoneList::of(&[]), prices: None, ..content.clone() },
            PlanContent { zones: ZoneList::of(&[]), prices: dearer, ..content.clone() },
        ];
        let mut digests: Vec<_> = others.iter().map(PlanContent::digest).collect();
        digests.push(content.digest());
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), 11);
        assert_eq!(content.digest(), self::content().digest());
    }

    #[test]
    fn a_plan_does_not_end_before_it_starts_or_last_for_ever() {
        let at = Timestamp::from_micros;
        assert!(PlanTime::new(at(0), at(0)).is_some());
        assert_eq!(PlanTime::new(at(1), at(0)), None);
        assert!(PlanTime::new(at(0), at(0).plus_seconds(PlanTime::MAX_DAYS * 86_400)).is_some());
        assert_eq!(PlanTime::new(at(0), Timestamp::MAX), None);
    }

    #[test]
    fn ids_and_titles_are_bounded_and_hold_no_nul() {
        assert!(ProviderId::new(&"é".repeat(255)).is_some());
        for text in ["", "a\0b", &"é".repeat(256)] {
            assert_eq!(ProviderId::new(text), None);
        }
        assert!(PlanTitle::new(&"é".repeat(1000)).is_some());
        assert_eq!(PlanTitle::new(&"é".repeat(1001)), None);
    }
}
