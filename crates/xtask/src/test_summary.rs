//! The sum of what the test programs of one `cargo test` say.

use std::fmt;

/// How many tests passed, failed and were skipped, over all test programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TestSummary {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests that are marked as ignored, or have said that they skip themselves.
    pub skipped: u64,
    /// Tests of the program that runs that have said that they skip themselves.
    announced: u64,
}

/// Whether a test says in this line that it skips itself. With one thread its name stands before it.
fn says_skipped(line: &str) -> bool {
    line.starts_with("skipped: ") || (line.starts_with("test ") && line.contains(" ... skipped: "))
}

impl TestSummary {
    /// Adds what a line of output says, if it is a test program's result. A test that skips itself, since something that it
    /// needs is not there, passes for libtest; it says so by a line of its own, `skipped: …`.
    pub fn read_line(&mut self, line: &str) {
        if says_skipped(line) {
            self.announced += 1;
        }
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let Some(counts) = result.strip_prefix("ok. ").or_else(|| result.strip_prefix("FAILED. ")) else {
            return;
        };
        for count in counts.split(';') {
            let mut words = count.split_whitespace();
            let (Some(number), Some(what)) = (words.next(), words.next()) else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => {
                    let skipped = self.announced.min(number);
                    self.announced = 0;
                    self.passed += number - skipped;
                    self.skipped += skipped;
                }
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }

    /// Adds what another run came to.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Whether at least one test ran.
    #[must_use]
    pub fn anything_ran(&self) -> bool {
        self.passed + self.failed > 0
    }

    /// Whether tests ran and none of them failed.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.anything_ran() && self.failed == 0
    }
}

impl fmt::Display for TestSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, skipped, .. } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> TestSummary {
        let mut summary = TestSummary::default();
        for line in lines {
            summary.read_line(line);
        }
        summary
    }

    #[test]
    fn the_results_of_all_test_programs_are_added() {
        let summary = of(&[
            "running 3 tests\n",
            "test a ... ok\n",
            "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.00s\n",
            "test result: FAILED. 4 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.25s\n",
        ]);
        assert_eq!(summary.to_string(), "6 passed, 3 failed, 1 skipped");
        assert!(!summary.is_success());
    }

    #[test]
    fn a_test_that_skips_itself_counts_as_skipped_and_not_as_passed() {
        let summary = of(&[
            "skipped: there is no curl\n",
            "test a ... ok\n",
            "test b ... skipped: there is no python3\n",
            "ok\n",
            "test c ... ok\n",
            "test skipped: ... ok\n",
            "test result: ok. 4 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n",
            "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
        ]);
        assert_eq!(summary.to_string(), "4 passed, 0 failed, 3 skipped");
    }

    #[test]
    fn no_test_at_all_is_no_success() {
        let none = "test result: ok. 0 passed; 0 failed; 2 ignored; 0 measured; 9 filtered out\n";
        assert!(!of(&[none]).is_success());
        assert!(!TestSummary::default().is_success());
    }

    #[test]
    fn only_a_result_line_counts() {
        let summary =
            of(&["  test result: ok. 5 passed\n", "test result: unknown. 5 passed\n", "5 passed\n"]);
        assert_eq!(summary, TestSummary::default());
    }

    #[test]
    fn several_runs_come_to_one_sum() {
        let mut summary = of(&["test result: ok. 2 passed; 0 failed; 1 ignored\n"]);
        summary.add(of(&["test result: FAILED. 4 passed; 3 failed; 0 ignored\n"]));
        assert_eq!(summary.to_string(), "6 passed, 3 failed, 1 skipped");
    }

    #[test]
    fn passing_tests_are_a_success() {
        assert!(of(&["test result: ok. 1 passed; 0 failed; 0 ignored\n"]).is_success());
    }
}
