//! Numbers that look random and can be had again: every run prints its seed.

use std::time::{SystemTime, UNIX_EPOCH};

/// `SplitMix64` (Steele, Lea and Flood, 2014): small, quick, and good enough to choose keys and moments.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A sequence of its own for the `number`th part of a run.
    #[must_use]
    pub fn part(seed: u64, number: u64) -> Self {
        Self(Self(seed ^ number.wrapping_mul(0xA24B_AED4_963E_E407)).number())
    }

    /// The next 64 bits.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.number()) * u128::from(bound)) >> 64) as u64
    }

    /// A UUID, version 4 (RFC 9562, section 5.4), as its 128 bits.
    pub fn uuid(&mut self) -> u128 {
        let bits = (u128::from(self.number()) << 64) | u128::from(self.number());
        (bits & !(0xF000 << 64) & !(0b11 << 62)) | (0x4000 << 64) | (0b10 << 62)
    }
}

/// Spreads 64 bits over 64 bits, one to one.
#[must_use]
pub fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// A seed that no run had before: from the clock.
#[must_use]
pub fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Short enough to be typed again.
    mix(now.as_nanos() as u64) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_sequence_and_another_part_another() {
        let take = |mut random: Random| [random.number(), random.number(), random.number()];
        assert_eq!(take(Random::new(7)), take(Random::new(7)));
        assert_ne!(take(Random::part(7, 0)), take(Random::part(7, 1)));
        // The reference implementation's first number for seed 0.
        assert_eq!(Random::new(0).number(), 0xE220_A839_7B1D_CDAF);
    }

    #[test]
    fn numbers_below_a_bound_reach_both_ends_and_never_the_bound() {
        let mut random = Random::new(1);
        let mut seen = [false; 3];
        for _ in 0..100 {
            seen[random.below(3) as usize] = true;
        }
        assert_eq!(seen, [true; 3]);
    }

    #[test]
    fn uuids_say_that_they_are_version_4() {
        let text = format!("{:032x}", Random::new(3).uuid());
        assert_eq!(&text[12..13], "4");
        assert!(matches!(&text[16..17], "8" | "9" | "a" | "b"));
    }
}
