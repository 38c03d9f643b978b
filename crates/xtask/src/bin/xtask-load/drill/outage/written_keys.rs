//! What readers must see of the keys that are being written.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longer than any bound that is asked for.
const REMEMBERED: Duration = Duration::from_secs(5);

/// The writes of each key that were acknowledged lately, and when.
pub(super) struct WrittenKeys(Vec<Mutex<VecDeque<(Instant, u64)>>>);

impl WrittenKeys {
    /// So many keys, none of them written.
    pub(super) fn new(keys: u64) -> Self {
        Self((0..keys).map(|_| Mutex::default()).collect())
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// The key's write of that number was acknowledged just now.
    pub(super) fn acknowledged(&self, key: u64, number: u64) {
        let Some(writes) = self.0.get(key as usize) else { return };
        let mut writes = writes.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        writes.push_back((now, number));
        // The last one before that time is what had to be seen then.
        while writes.get(1).is_some_and(|(at, _)| now - *at > REMEMBERED) {
            writes.pop_front();
        }
    }

    /// The least write that a read must show which is sent now, by a node that may be so much behind.
    pub(super) fn least(&self, key: u64, behind: Duration) -> u64 {
        let Some(writes) = self.0.get(key as usize) else { return 0 };
        let writes = writes.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let seen = writes.iter().rev().find(|(at, _)| now.duration_since(*at) >= behind);
        seen.map_or(0, |(_, number)| *number)
    }
}

#[test]
fn a_node_may_be_behind_by_the_bound_and_no_more() {
    let keys = WrittenKeys::new(1);
    assert_eq!(keys.least(0, Duration::ZERO), 0);
    keys.acknowledged(0, 7);
    assert_eq!(keys.least(0, Duration::ZERO), 7);
    assert_eq!(keys.least(0, Duration::from_secs(3600)), 0);
}
