//! Whether each run was carried out once, and left what it must.

use std::collections::HashSet;
use std::fmt;

use super::feeds::STEADY;
use super::stories::{Run, Story};

/// What is wrong with a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) feed: usize,
    pub(super) what: What,
}

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// This run was answered to somebody, and is not there.
    Lost(String),
    /// It has not come to its end.
    Open(String),
    /// It ended in another way, and why.
    Ended(String, String),
    /// It did not bring what one run brings: new, changed, unchanged and left.
    Counts(String, [u64; 4]),
    /// So many runs have left so many versions, and so many plans of their own.
    Effects { runs: usize, versions: usize, once: usize },
    /// Versions of another order than their fetches, or of others than have left plans.
    Order,
    /// So many plans are known of those that each fetch holds.
    Steady(u64),
    /// Two fetched it at once, so often.
    AtOnce(u64),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "feed {}: ", self.feed)?;
        match &self.what {
            What::Lost(run) => write!(f, "run {run}, which was asked for, is not there"),
            What::Open(run) => write!(f, "run {run} has not ended"),
            What::Ended(run, how) => write!(f, "run {run} ended otherwise: {how}"),
            What::Counts(run, [new, changed, unchanged, left]) => {
                write!(f, "run {run} says {new} new, {changed} changed, {unchanged} unchanged, {left} left")
            }
            What::Effects { runs, versions, once } => {
                write!(f, "{runs} runs have left {versions} versions and {once} plans of their own")
            }
            What::Order => f.write_str("its versions are not those of its fetches, in order"),
            What::Steady(found) => write!(f, "{found} plans of {STEADY} that each fetch holds"),
            What::AtOnce(times) => write!(f, "it was fetched by two at once, {times} times"),
        }
    }
}

/// All that is wrong.
pub(super) fn wrong(stories: &[Story]) -> Vec<Wrong> {
    stories
        .iter()
        .flat_map(|story| of(story).into_iter().map(|what| Wrong { feed: story.feed, what }))
        .collect()
}

fn of(story: &Story) -> Vec<What> {
    let there: HashSet<&str> = story.runs.iter().map(|run| run.id.as_str()).collect();
    let lost: HashSet<&String> = story.asked.iter().filter(|run| !there.contains(run.as_str())).collect();
    let mut wrong: Vec<What> = lost.into_iter().map(|run| What::Lost(run.clone())).collect();
    wrong.extend(story.runs.iter().enumerate().filter_map(|(place, run)| of_run(run, place == 0)));
    let (runs, versions, once) = (story.runs.len(), story.versions.len(), story.once.len());
    if versions != runs || once != runs {
        wrong.push(What::Effects { runs, versions, once });
    } else if !story.versions.is_sorted_by(|a, b| a < b) || story.versions != story.once {
        wrong.push(What::Order);
    }
    if runs > 0 && story.steady != STEADY {
        wrong.push(What::Steady(story.steady));
    }
    if story.at_once > 0 {
        wrong.push(What::AtOnce(story.at_once));
    }
    wrong
}

fn of_run(run: &Run, is_first: bool) -> Option<What> {
    let id = run.id.clone();
    match run.outcome.as_deref() {
        None => return Some(What::Open(id)),
        Some("succeeded") => {}
        Some(other) => {
            return Some(What::Ended(id, format!("{other}, {}", run.detail.as_deref().unwrap_or_default())));
        }
    }
    let counts = [run.plans_new, run.plans_changed, run.plans_unchanged, run.plans_left_sale];
    let expected = if is_first { [STEADY + 2, 0, 0, 0] } else { [1, 1, STEADY, 1] };
    (counts != expected).then_some(What::Counts(id, counts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str, [plans_new, plans_changed, plans_unchanged, plans_left_sale]: [u64; 4]) -> Run {
        Run {
            id: id.to_owned(),
            outcome: Some("succeeded".to_owned()),
            queued_at: String::new(),
            finished_at: None,
            detail: None,
            plans_new,
            plans_changed,
            plans_unchanged,
            plans_left_sale,
        }
    }

    type Spoil = fn(&mut Story);

    /// Two runs; the second fetch of three was given up.
    fn good() -> Story {
        Story {
            feed: 7,
            asked: vec!["b".to_owned(), "b".to_owned()],
            runs: vec![run("a", [STEADY + 2, 0, 0, 0]), run("b", [1, 1, STEADY, 1])],
            versions: vec![1, 3],
            once: vec![1, 3],
            steady: STEADY,
            fetches: 3,
            at_once: 0,
        }
    }

    #[test]
    fn a_feed_whose_runs_were_carried_out_once_is_as_it_should_be() {
        assert_eq!(wrong(&[good(), Story::default()]), []);
    }

    #[test]
    fn each_thing_that_can_be_wrong_is_told() {
        let effects = |runs, versions, once| What::Effects { runs, versions, once };
        let cases: [(Spoil, What); 10] = [
            (|story| story.asked.push("c".to_owned()), What::Lost("c".to_owned())),
            (|story| story.runs[1].outcome = None, What::Open("b".to_owned())),
            (
                |story| story.runs[1].outcome = Some("failed".to_owned()),
                What::Ended("b".to_owned(), "failed, ".to_owned()),
            ),
            (|story| story.runs[1].plans_new = 2, What::Counts("b".to_owned(), [2, 1, STEADY, 1])),
            (|story| story.versions.push(3), effects(2, 3, 2)),
            (|story| story.once = vec![3], effects(2, 2, 1)),
            (|story| story.versions = vec![3, 1], What::Order),
            (|story| story.once = vec![1, 2], What::Order),
            (|story| story.steady += 1, What::Steady(STEADY + 1)),
            (|story| story.at_once = 1, What::AtOnce(1)),
        ];
        for (spoil, what) in cases {
            let mut story = good();
            spoil(&mut story);
            assert_eq!(wrong(&[story]), [Wrong { feed: 7, what }]);
        }
    }
}
