//! How long.

use std::fmt;
use std::time::Duration;

use xtask::arguments::Arguments;
use xtask::random::fresh_seed;

use crate::Result;
use crate::drill::settings::expect_none_left;

/// The settings of the drill.
#[derive(Debug)]
pub(in crate::drill) struct Settings {
    /// How long the good feed is watched while the hostile ones are fetched.
    pub(super) watched: Duration,
    /// What the feeds are made from.
    pub(super) seed: u64,
    /// Whether to plant a fault that must be found.
    pub(super) is_self_test: bool,
}

impl Settings {
    /// Reads `[--seconds N] [--seed N] [--self-test]`.
    pub(in crate::drill) fn read(mut arguments: Arguments) -> Result<Self> {
        let seconds = arguments.value("--seconds")?.unwrap_or(40);
        let seed = arguments.value("--seed")?.unwrap_or_else(fresh_seed);
        let is_self_test = arguments.switch("--self-test");
        expect_none_left(arguments)?;
        if !(30..=3600).contains(&seconds) {
            return Err("--seconds is 30 to 3600: in less the good feed is hardly fetched".into());
        }
        Ok(Self { watched: Duration::from_secs(seconds), seed, is_self_test })
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { watched, seed, is_self_test } = self;
        write!(f, "cargo xtask drill provider --seconds {} --seed {seed}", watched.as_secs())?;
        f.write_str(if *is_self_test { " --self-test" } else { "" })
    }
}
