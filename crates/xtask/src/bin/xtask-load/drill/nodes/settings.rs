//! How many probes.

use std::fmt;

use xtask::arguments::Arguments;
use xtask::random::fresh_seed;

use crate::Result;
use crate::drill::settings::expect_none_left;

/// The settings of the drill.
#[derive(Debug)]
pub(in crate::drill) struct Settings {
    /// Writes, each with a read on either node.
    pub(super) probes: u64,
    /// Probes a second below which the nodes were not under load.
    pub(super) minimum: u64,
    /// What keys and directions are made from.
    pub(super) seed: u64,
    /// Whether to plant faults that must be found.
    pub(super) is_self_test: bool,
}

impl Settings {
    /// Reads `[--probes N] [--minimum N] [--seed N] [--self-test]`.
    pub(in crate::drill) fn read(mut arguments: Arguments) -> Result<Self> {
        let probes = arguments.value("--probes")?.unwrap_or(1_000_000);
        let minimum = arguments.value("--minimum")?.unwrap_or(500);
        let seed = arguments.value("--seed")?.unwrap_or_else(fresh_seed);
        let is_self_test = arguments.switch("--self-test");
        expect_none_left(arguments)?;
        if !(1000..=1_000_000_000).contains(&probes) {
            return Err("--probes is 1000 to 1000000000: fewer prove nothing".into());
        }
        Ok(Self { probes, minimum, seed, is_self_test })
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { probes, minimum, seed, is_self_test } = self;
        write!(f, "cargo xtask drill nodes --probes {probes} --minimum {minimum} --seed {seed}")?;
        f.write_str(if *is_self_test { " --self-test" } else { "" })
    }
}
