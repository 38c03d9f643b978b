//! The attributes of a tag that are known by name.

use std::borrow::Cow;

use quick_xml::events::BytesStart;
use tenantry_domain::{ProviderId, RejectCode, RejectReason, TimeZone, Timestamp};

use super::attribute_scan::{AttributeScan, RawAttribute};
use super::error::ReadError;
use super::reject;
use super::value::decode;

/// The attributes of one tag, by their place in a list of names. All others are passed over.
pub(crate) struct Attributes<'a, const N: usize> {
    names: &'static [&'static str; N],
    values: [Option<RawAttribute<'a>>; N],
    /// The first that stands in the tag a second time.
    twice: Option<&'static str>,
}

impl<'a, const N: usize> Attributes<'a, N> {
    /// Finds them in a tag, which stands at that byte of the feed.
    ///
    /// # Errors
    /// When the tag is no XML, or has more than `max` attributes.
    pub(crate) fn find(
        tag: &'a BytesStart<'_>,
        names: &'static [&'static str; N],
        max: usize,
        offset: u64,
    ) -> Result<Self, ReadError> {
        let mut found = Self { names, values: [const { None }; N], twice: None };
        let mut expected = 0;
        for (number, attribute) in AttributeScan::new(tag.attributes_raw()).enumerate() {
            let attribute = attribute.map_err(|error| ReadError::of_tag(error, offset))?;
            if number == max {
                let text = format!("the tag at byte {offset} has more than {max} attributes");
                return Err(ReadError::Unreadable(text));
            }
            let Some(place) = place_of(attribute.name, names, expected) else { continue };
            expected = place + 1;
            if found.values[place].is_some() {
                found.twice.get_or_insert(names[place]);
            }
            found.values[place] = Some(attribute);
        }
        Ok(found)
    }

    /// Refuses a tag in which one of them stands twice: nobody knows which is meant.
    pub(crate) fn each_once(&self) -> Result<(), RejectReason> {
        self.twice.map_or(Ok(()), |name| Err(reject::text(name, "stands there twice")))
    }

    /// Whether the value at that place is there, and not empty.
    pub(crate) fn has(&self, place: usize) -> bool {
        self.values[place].is_some_and(|found| !found.value.is_empty())
    }

    pub(crate) fn name(&self, place: usize) -> &'static str {
        self.names[place]
    }

    /// The value at that place; nothing where it is not there, or empty.
    pub(crate) fn get(&self, place: usize) -> Result<Option<Cow<'a, str>>, RejectReason> {
        match self.values[place] {
            None => Ok(None),
            Some(found) if found.value.is_empty() => Ok(None),
            Some(found) if found.is_plain => Ok(Some(Cow::Borrowed(found.value))),
            Some(found) => match decode(found.value) {
                Ok(text) => Ok(Some(Cow::Owned(text))),
                Err(fault) => Err(reject::text(self.names[place], fault)),
            },
        }
    }

    /// The value at that place, which must be there.
    pub(crate) fn require(&self, place: usize) -> Result<Cow<'a, str>, RejectReason> {
        self.get(place)?.ok_or_else(|| reject::missing(self.names[place]))
    }

    /// The text at that place for a person: for where a record stands.
    pub(crate) fn hint(&self, place: usize) -> Option<String> {
        let text = self.get(place).ok().flatten()?;
        // A provider's id is no longer than this, and what is longer is none.
        Some(text.chars().take(255).collect())
    }

    /// The time at that place.
    pub(crate) fn time(&self, place: usize, zone: TimeZone) -> Result<Option<Timestamp>, RejectReason> {
        self.time_by(place, |text| zone.read(text))
    }

    /// The time at that place, at which something ends that starts at `starts_at`.
    pub(crate) fn end_time(
        &self,
        place: usize,
        zone: TimeZone,
        starts_at: Timestamp,
    ) -> Result<Option<Timestamp>, RejectReason> {
        self.time_by(place, |text| zone.read_end(text, starts_at))
    }

    fn time_by(
        &self,
        place: usize,
        read: impl FnOnce(&str) -> Option<Timestamp>,
    ) -> Result<Option<Timestamp>, RejectReason> {
        let Some(text) = self.get(place)? else { return Ok(None) };
        let time = read(&text);
        let wrong = || {
            let why = "is no date and time such as 2021-06-30T21:00:00";
            reject::wrong(RejectCode::Time, self.names[place], &text, why)
        };
        time.map(Some).ok_or_else(wrong)
    }

    /// The id at that place.
    pub(crate) fn id(&self, place: usize) -> Result<Option<ProviderId>, RejectReason> {
        let Some(text) = self.get(place)? else { return Ok(None) };
        let id = ProviderId::new(&text);
        id.map(Some).ok_or_else(|| reject::text(self.names[place], "is longer than 255 characters"))
    }

    /// The yes or no at that place; no where it is not there. The words are those of XML Schema's `boolean`.
    pub(crate) fn flag(&self, place: usize) -> Result<bool, RejectReason> {
        match self.get(place)?.as_deref() {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(other) => {
                Err(reject::wrong(RejectCode::Word, self.names[place], other, "is neither true nor false"))
            }
        }
    }
}

/// The place of a name. Providers write their attributes in the same order each time, so it is mostly the expected one.
fn place_of(name: &str, names: &[&str], expected: usize) -> Option<usize> {
    if names.get(expected).is_some_and(|next| *next == name) {
        return Some(expected);
    }
    names.iter().position(|known| *known == name)
}
