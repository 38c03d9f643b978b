//! The arguments of `cargo xtask test`: its own, and those that go to `cargo test`.

use std::ffi::OsString;

/// What is to be tested, and how.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TestArguments {
    /// Only what needs no server.
    pub(super) embedded: bool,
    /// For `cargo test`, before `--`.
    pub(super) cargo: Vec<OsString>,
    /// For the test programs, behind `--`.
    pub(super) programs: Vec<OsString>,
}

/// Arguments that say how to test, and leave open what; with whether a value follows.
const HOW: [(&str, bool); 16] = [
    ("--release", false),
    ("--locked", false),
    ("--offline", false),
    ("--frozen", false),
    ("--verbose", false),
    ("-v", false),
    ("--quiet", false),
    ("-q", false),
    ("--jobs", true),
    ("-j", true),
    ("--profile", true),
    ("--color", true),
    ("--test-threads", true),
    ("--nocapture", false),
    ("--no-capture", false),
    ("--show-output", false),
];

impl TestArguments {
    pub(super) fn read(arguments: &[OsString]) -> Self {
        let mut parts = arguments.splitn(2, |argument| argument == "--");
        let mut cargo = parts.next().unwrap_or_default().to_vec();
        let programs = parts.next().unwrap_or_default().to_vec();
        let before = cargo.len();
        cargo.retain(|argument| argument != "--embedded");
        Self { embedded: cargo.len() < before, cargo, programs }
    }

    /// Whether they pick some of the tests, so that it is not all that is wanted.
    pub(super) fn pick_tests(&self) -> bool {
        picks(&self.cargo) || picks(&self.programs)
    }
}

fn picks(arguments: &[OsString]) -> bool {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let text = argument.to_string_lossy();
        let (name, has_value) = text.split_once('=').map_or((&*text, false), |(name, _)| (name, true));
        let Some((_, takes_value)) = HOW.iter().find(|(how, _)| *how == name) else { return true };
        if *takes_value && !has_value {
            rest.next();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> TestArguments {
        TestArguments::read(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_for_cargo_and_for_the_test_programs_is_told_apart() {
        let read = read("--release --embedded -p xtask -- servers -- --embedded");
        assert!(read.embedded);
        assert_eq!(read.cargo, ["--release", "-p", "xtask"]);
        assert_eq!(read.programs, ["servers", "--", "--embedded"]);
    }

    #[test]
    fn how_to_test_picks_nothing() {
        for line in ["", "--embedded", "--release -j 1 --locked", "--jobs=1 -- --test-threads 2 --nocapture"]
        {
            assert!(!read(line).pick_tests(), "{line}");
        }
    }

    #[test]
    fn what_to_test_does() {
        for line in
            ["kv", "-p xtask", "--lib", "--release kv", "-- kv", "-- --test-threads 2 kv", "-- --skip kv"]
        {
            assert!(read(line).pick_tests(), "{line}");
        }
    }
}
