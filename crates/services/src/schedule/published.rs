//! Which runs were published again, so that it is not done at each look.

use std::collections::HashMap;
use std::time::Duration;

use tenantry_ports::RunKey;

use super::{AGAIN_AFTER, AGAIN_AT_LEAST};

/// The runs that were stranded at the last look. It holds no more than a look shows.
#[derive(Default)]
pub(super) struct Published(HashMap<RunKey, Again>);

#[derive(Clone, Copy)]
struct Again {
    at: Duration,
    pause: Duration,
}

impl Published {
    /// Those of the stranded runs that are to be published at `now`. What is stranded no more is forgotten.
    pub(super) fn due(&mut self, stranded: Vec<RunKey>, now: Duration) -> Vec<RunKey> {
        let mut held = std::mem::take(&mut self.0);
        stranded
            .into_iter()
            .filter(|run| match held.remove(run) {
                Some(again) => {
                    self.0.insert(*run, again);
                    again.at <= now
                }
                None => true,
            })
            .collect()
    }

    /// The run was published at `now`.
    pub(super) fn note(&mut self, run: RunKey, now: Duration) {
        let pause = match self.0.get(&run) {
            Some(before) => (before.pause * 2).min(AGAIN_AT_LEAST),
            None => AGAIN_AFTER,
        };
        self.0.insert(run, Again { at: now + pause, pause });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::run_key;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// The seconds of the first hour in which a run that stays stranded is published.
    fn moments(published: &mut Published) -> Vec<u64> {
        (0..3600)
            .filter(|now| {
                let due = published.due(vec![run_key(1)], seconds(*now));
                due.iter().for_each(|run| published.note(*run, seconds(*now)));
                !due.is_empty()
            })
            .collect()
    }

    #[test]
    fn a_run_that_stays_stranded_is_published_ever_less_often() {
        let mut published = Published::default();
        assert_eq!(moments(&mut published), [0, 15, 45, 105, 225, 465, 945, 1845, 2745]);
    }

    #[test]
    fn a_run_that_could_not_be_published_is_due_at_the_next_look() {
        let mut published = Published::default();
        for now in 0..3 {
            assert_eq!(published.due(vec![run_key(1)], seconds(now)), [run_key(1)]);
        }
    }

    #[test]
    fn what_is_stranded_no_more_is_forgotten() {
        let mut published = Published::default();
        published.note(run_key(1), seconds(0));
        published.note(run_key(2), seconds(0));
        assert_eq!(published.due(vec![run_key(2)], seconds(1)), []);
        assert_eq!(published.0.len(), 1);
        assert_eq!(published.due(vec![run_key(1)], seconds(2)), [run_key(1)]);
    }
}
