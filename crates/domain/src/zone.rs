//! The zones of a plan: where one may sit or stand, and for how much.

use std::fmt::Write as _;

use serde_json::value::RawValue;

use crate::plan::ProviderId;
use crate::price::Price;

/// A zone of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// The provider's id of it. The same occurs twice in one plan, with other prices.
    pub zone_id: ProviderId,
    /// Its name; may be empty. At most 255 characters.
    pub name: String,
    /// What a place costs.
    pub price: Price,
    /// How many places; may be 0. Nothing where it is not told.
    pub capacity: Option<u32>,
    /// Whether places are numbered.
    pub numbered: bool,
}

/// The zones of a plan, in the feed's order, kept as the JSON text that they are shown as: a plan has hundreds,
/// and most are never looked at one by one.
///
/// Each is `{"zone_id":"…","name":"…","price":15.0,"capacity":200,"numbered":true}`, without spaces, so the
/// same zones are the same text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneList(Box<str>);

impl ZoneList {
    /// The list of these zones.
    #[must_use]
    pub fn of(zones: &[Zone]) -> Self {
        let mut builder = ZoneListBuilder::new();
        for zone in zones {
            builder.push(zone.zone_id.as_str(), &zone.name, zone.price, zone.capacity, zone.numbered);
        }
        builder.finish()
    }

    /// Wraps text that was checked before it was stored. Only for storage adapters.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text.into_boxed_str())
    }

    /// The JSON array.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// Whether there is no zone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        &*self.0 == "[]"
    }

    /// The JSON array, for serialisation without a copy; nothing where what was stored is no JSON.
    #[must_use]
    pub fn to_raw(&self) -> Option<Box<RawValue>> {
        RawValue::from_string(self.0.to_string()).ok()
    }
}

/// Writes a [`ZoneList`] zone by zone, without a [`Zone`] for each.
#[derive(Debug, Default)]
pub struct ZoneListBuilder(String);

impl ZoneListBuilder {
    /// No zone yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a zone. `zone_id` and `name` must keep the bounds of [`Zone`]'s.
    pub fn push(&mut self, zone_id: &str, name: &str, price: Price, capacity: Option<u32>, numbered: bool) {
        self.0.push_str(if self.0.is_empty() { "[" } else { "," });
        self.0.push_str("{\"zone_id\":");
        push_json_string(&mut self.0, zone_id);
        self.0.push_str(",\"name\":");
        push_json_string(&mut self.0, name);
        self.0.push_str(",\"price\":");
        push_price(&mut self.0, price);
        self.0.push_str(",\"capacity\":");
        match capacity {
            Some(places) => push_number(&mut self.0, u64::from(places)),
            None => self.0.push_str("null"),
        }
        self.0.push_str(if numbered { ",\"numbered\":true}" } else { ",\"numbered\":false}" });
    }

    /// How many bytes of text there are.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// The list.
    #[must_use]
    pub fn finish(mut self) -> ZoneList {
        self.0.push_str(if self.0.is_empty() { "[]" } else { "]" });
        ZoneList(self.0.into_boxed_str())
    }
}

/// Writes what the price's `Display` writes, without its machinery: a feed has millions of zones.
fn push_price(to: &mut String, price: Price) {
    let cents = price.as_cents().unsigned_abs();
    push_number(to, cents / 100);
    to.push('.');
    match cents % 100 {
        cents if cents % 10 == 0 => push_number(to, cents / 10),
        cents => {
            push_number(to, cents / 10);
            push_number(to, cents % 10);
        }
    }
}

/// Writes a number in decimal.
fn push_number(to: &mut String, number: u64) {
    // u64::MAX has 20 digits.
    let mut digits = [0; 20];
    let (mut rest, mut from) = (number, digits.len());
    loop {
        from -= 1;
        digits[from] = b"0123456789"[(rest % 10) as usize];
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    to.push_str(std::str::from_utf8(&digits[from..]).unwrap_or_default());
}

/// Escapes what JSON (RFC 8259, section 7) requires to be escaped.
fn push_json_string(to: &mut String, text: &str) {
    to.push('"');
    // No early end, so that it is done for many bytes at once.
    if text.bytes().fold(true, |plain, byte| plain & !must_be_escaped(byte)) {
        to.push_str(text);
        to.push('"');
        return;
    }
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if !must_be_escaped(byte) {
            continue;
        }
        to.push_str(&text[from..at]);
        // Writing to a string does not fail.
        let _ = match byte {
            b'"' | b'\\' => write!(to, "\\{}", char::from(byte)),
            _ => write!(to, "\\u{byte:04x}"),
        };
        from = at + 1;
    }
    to.push_str(&text[from..]);
    to.push('"');
}

fn must_be_escaped(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zone(zone_id: &str, name: &str, cents: i64, capacity: Option<u32>, numbered: bool) -> Zone {
        let price = Price::from_cents(cents).unwrap();
        Zone { zone_id: ProviderId::new(zone_id).unwrap(), name: name.to_owned(), price, capacity, numbered }
    }

    #[test]
    fn zones_are_kept_in_their_order_also_where_an_id_occurs_twice() {
        let zones = [zone("186", "Amfiteatre", 7500, Some(2), true), zone("186", "", 6555, None, false)];
        assert_eq!(
            ZoneList::of(&zones).as_json(),
            r#"[{"zone_id":"186","name":"Amfiteatre","price":75.0,"capacity":2,"numbered":true},{"zone_id":"186","name":"","price":65.55,"capacity":null,"numbered":false}]"#
        );
        assert_eq!(ZoneList::of(&[]).as_json(), "[]");
    }

    proptest! {
        #[test]
        fn a_price_is_written_as_it_is_displayed(cents in 0..=Price::MAX.as_cents(), places: u32) {
            let price = Price::from_cents(cents).unwrap();
            let mut written = String::new();
            push_price(&mut written, price);
            prop_assert_eq!(written, price.to_string());
            let mut written = String::new();
            push_number(&mut written, u64::from(places));
            prop_assert_eq!(written, places.to_string());
        }

        #[test]
        fn any_name_is_read_back_as_it_was(name in any::<String>(), cents in 0..=Price::MAX.as_cents()) {
            let list = ZoneList::of(&[zone("1", &name, cents, Some(u32::MAX), true)]);
            let value: serde_json::Value = serde_json::from_str(list.as_json()).unwrap();
            prop_assert_eq!(value[0]["name"].as_str(), Some(name.as_str()));
            prop_assert!(list.to_raw().is_some());
        }
    }
}
