//! Money: decimal, exact to the cent, never a binary float.

use std::fmt;

/// An amount of money in hundredths of the provider's currency: 0 to 9,999,999,999.99.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(i64);

/// Why a text is not a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// It is not digits, with at most one point between them.
    #[error("is not a decimal number such as 15.00")]
    NotDecimal,
    /// It is not a whole number of cents.
    #[error("has more than two decimals")]
    PartsOfCents,
    /// It is larger than [`Price::MAX`].
    #[error("is larger than {}", Price::MAX)]
    TooLarge,
}

impl Price {
    /// The largest price.
    pub const MAX: Self = Self(999_999_999_999);

    /// So many hundredths; nothing below zero or above [`Price::MAX`].
    #[must_use]
    pub fn from_cents(cents: i64) -> Option<Self> {
        (0..=Self::MAX.0).contains(&cents).then_some(Self(cents))
    }

    /// The price in hundredths.
    #[must_use]
    pub fn as_cents(self) -> i64 {
        self.0
    }

    /// Reads `15`, `15.5` or `15.00`. Further decimals must be zero; there is no sign, exponent or separator.
    ///
    /// # Errors
    /// When it is anything else, or too large.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimals) {
            return Err(PriceError::NotDecimal);
        }
        let (cents, rest) = decimals.split_at(decimals.len().min(2));
        if rest.bytes().any(|b| b != b'0') {
            return Err(PriceError::PartsOfCents);
        }
        let whole: i64 = whole.parse().map_err(|_| PriceError::TooLarge)?;
        let cents: i64 = format!("{cents:0<2}").parse().map_err(|_| PriceError::NotDecimal)?;
        let all = whole.checked_mul(100).and_then(|all| all.checked_add(cents));
        all.and_then(Self::from_cents).ok_or(PriceError::TooLarge)
    }
}

/// As a JSON number: `15.0`, `15.5`, `15.25`.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, cents) = (self.0 / 100, self.0 % 100);
        match cents % 10 {
            0 => write!(f, "{whole}.{}", cents / 10),
            _ => write!(f, "{whole}.{cents:02}"),
        }
    }
}

/// The lowest and the highest price of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PriceRange {
    /// The lowest.
    pub min: Price,
    /// The highest.
    pub max: Price,
}

impl PriceRange {
    /// The range of these prices; nothing where there is none.
    #[must_use]
    pub fn of(prices: impl IntoIterator<Item = Price>) -> Option<Self> {
        prices.into_iter().fold(None, |range: Option<Self>, price| {
            Some(range.map_or(Self { min: price, max: price }, |range| Self {
                min: range.min.min(price),
                max: range.max.max(price),
            }))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_price_is_read_to_the_cent_and_printed_as_a_number() {
        for (text, cents, printed) in [
            ("15.00", 1500, "15.0"),
            ("15", 1500, "15.0"),
            ("15.5", 1550, "15.5"),
            ("0.05", 5, "0.05"),
            ("20.000", 2000, "20.0"),
            ("007.10", 710, "7.1"),
            ("9999999999.99", 999_999_999_999, "9999999999.99"),
        ] {
            let price = Price::parse(text).unwrap();
            assert_eq!((price.as_cents(), price.to_string().as_str()), (cents, printed), "{text}");
        }
    }

    #[test]
    fn what_is_no_price_is_refused_with_its_reason() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", " 1", "1 ", "NaN", "١", "1.2.3", "0x1"] {
            assert_eq!(Price::parse(text), Err(PriceError::NotDecimal), "{text}");
        }
        assert_eq!(Price::parse("1.005"), Err(PriceError::PartsOfCents));
        for text in ["10000000000", "99999999999999999999999"] {
            assert_eq!(Price::parse(text), Err(PriceError::TooLarge), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_price_is_read_back_from_its_text(cents in 0..=Price::MAX.as_cents()) {
            let price = Price::from_cents(cents).unwrap();
            prop_assert_eq!(Price::parse(&price.to_string()), Ok(price));
        }
    }
}
