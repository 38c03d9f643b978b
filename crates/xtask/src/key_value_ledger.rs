//! What a drill knows, from outside, of the key-values that it wrote. A key's writes are numbered from 1 on,
//! the value says its number, and a key has one write under way at most.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

/// The keys that were written and what became of the writes, by the key's number.
#[derive(Debug, Default)]
pub struct KeyValueLedger {
    keys: BTreeMap<u64, Known>,
    /// Every revision given so far: each belongs to one write.
    revisions: HashSet<u64>,
    faults: Vec<KeyValueFault>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Known {
    sent: u64,
    acknowledged: u64,
    revision: u64,
}

/// A promise that is broken; writes are told by their numbers, a key's first being 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are said above and in each fault's own words")]
pub enum KeyValueFault {
    /// The key is absent although a write of it was acknowledged.
    Lost { key: u64, acknowledged: u64 },
    /// The value is that of a write before the last acknowledged one.
    Stale { key: u64, acknowledged: u64, found: u64 },
    /// The value was never sent.
    Phantom { key: u64, sent: u64, found: u64 },
    /// The revision is not the one acknowledged, or does not grow with the key's writes.
    Revision { key: u64, before: u64, found: u64 },
    /// The revision was given to another write already.
    Shared { key: u64, revision: u64 },
}

impl fmt::Display for KeyValueFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { key, acknowledged } => {
                write!(f, "key {key} is lost; its write {acknowledged} was acknowledged")
            }
            Self::Stale { key, acknowledged, found } => {
                write!(f, "key {key} has the value of write {found}; {acknowledged} was acknowledged")
            }
            Self::Phantom { key, sent, found } => {
                write!(f, "key {key} has the value of write {found}; only {sent} were sent")
            }
            Self::Revision { key, before, found } => {
                write!(f, "key {key} has revision {found}; known was {before}")
            }
            Self::Shared { key, revision } => {
                write!(f, "key {key} has revision {revision}, which belongs to another write")
            }
        }
    }
}

impl KeyValueLedger {
    /// The key's write of that number was put on the wire.
    pub fn sent(&mut self, key: u64, number: u64) {
        self.keys.entry(key).or_default().sent = number;
    }

    /// The key's write of that number was acknowledged with this revision.
    pub fn acknowledged(&mut self, key: u64, number: u64, revision: u64) {
        self.take(key, number, revision);
    }

    /// The number of the key's last write that was sent.
    #[must_use]
    pub fn last_sent(&self, key: u64) -> u64 {
        self.keys.get(&key).map_or(0, |known| known.sent)
    }

    /// Every key that was written.
    #[must_use]
    pub fn keys(&self) -> Vec<u64> {
        self.keys.keys().copied().collect()
    }

    /// The key stands at the value of this write with this revision, or is absent.
    pub fn found(&mut self, key: u64, stored: Option<(u64, u64)>) {
        let Known { sent, acknowledged, revision: before } = self.keys.get(&key).copied().unwrap_or_default();
        match stored {
            None if acknowledged > 0 => self.faults.push(KeyValueFault::Lost { key, acknowledged }),
            None => {}
            Some((found, _)) if found < acknowledged => {
                self.faults.push(KeyValueFault::Stale { key, acknowledged, found });
            }
            Some((found, _)) if found > sent => {
                self.faults.push(KeyValueFault::Phantom { key, sent, found });
            }
            Some((found, revision)) if found > acknowledged => self.take(key, found, revision),
            Some((_, revision)) if revision == before => {}
            Some((_, found)) => self.faults.push(KeyValueFault::Revision { key, before, found }),
        }
    }

    /// Every fault since the last time.
    pub fn take_faults(&mut self) -> Vec<KeyValueFault> {
        std::mem::take(&mut self.faults)
    }

    /// A write became known to have happened.
    fn take(&mut self, key: u64, number: u64, revision: u64) {
        let known = self.keys.entry(key).or_default();
        if revision <= known.revision {
            self.faults.push(KeyValueFault::Revision { key, before: known.revision, found: revision });
        } else if !self.revisions.insert(revision) {
            self.faults.push(KeyValueFault::Shared { key, revision });
        }
        known.acknowledged = number;
        known.revision = revision;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Key 5: writes 1 to 3 acknowledged, the third with revision 30; the fourth sent.
    fn ledger() -> KeyValueLedger {
        let mut ledger = KeyValueLedger::default();
        for number in 1..=3 {
            ledger.sent(5, number);
            ledger.acknowledged(5, number, number * 10);
        }
        ledger.sent(5, 4);
        ledger
    }

    fn faults_when(stored: Option<(u64, u64)>) -> Vec<KeyValueFault> {
        let mut ledger = ledger();
        ledger.found(5, stored);
        ledger.take_faults()
    }

    #[test]
    fn the_value_may_be_the_acknowledged_one_or_the_one_under_way() {
        assert_eq!(faults_when(Some((3, 30))), []);
        assert_eq!(faults_when(Some((4, 31))), []);
    }

    #[test]
    fn a_key_that_is_absent_is_lost_unless_no_write_was_acknowledged() {
        assert_eq!(faults_when(None), [KeyValueFault::Lost { key: 5, acknowledged: 3 }]);
        let mut ledger = KeyValueLedger::default();
        ledger.sent(6, 1);
        ledger.found(6, None);
        assert_eq!(ledger.take_faults(), []);
    }

    #[test]
    fn an_older_value_and_one_never_sent_are_found() {
        assert_eq!(faults_when(Some((2, 20))), [KeyValueFault::Stale { key: 5, acknowledged: 3, found: 2 }]);
        assert_eq!(faults_when(Some((5, 40))), [KeyValueFault::Phantom { key: 5, sent: 4, found: 5 }]);
    }

    #[test]
    fn a_revision_that_changed_or_fell_is_found() {
        assert_eq!(faults_when(Some((3, 29))), [KeyValueFault::Revision { key: 5, before: 30, found: 29 }]);
        assert_eq!(faults_when(Some((4, 30))), [KeyValueFault::Revision { key: 5, before: 30, found: 30 }]);
    }

    #[test]
    fn a_revision_belongs_to_one_write() {
        let mut ledger = ledger();
        ledger.sent(6, 1);
        ledger.acknowledged(6, 1, 20);
        assert_eq!(ledger.take_faults(), [KeyValueFault::Shared { key: 6, revision: 20 }]);
    }

    #[test]
    fn what_was_found_once_must_stay() {
        let mut ledger = ledger();
        ledger.found(5, Some((4, 31)));
        ledger.found(5, Some((3, 30)));
        assert_eq!(ledger.take_faults(), [KeyValueFault::Stale { key: 5, acknowledged: 4, found: 3 }]);
        assert_eq!(ledger.last_sent(5), 4);
        assert_eq!(ledger.keys(), [5]);
    }
}
