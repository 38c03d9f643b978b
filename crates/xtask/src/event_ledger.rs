//! What a drill knows, from outside, of the events that it sent.

use std::collections::HashMap;
use std::fmt;

/// The events that were sent and what became of each, by id.
#[derive(Debug, Default)]
pub struct EventLedger {
    known: HashMap<u128, Known>,
    /// The highest sequence seen so far; there is no gap below.
    last_sequence: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// No answer came: it may be stored, or not.
    Sent,
    /// It must be there, at this sequence.
    Promised(u64),
    /// It was there, at this sequence, in the walk that is going on or the last one.
    Seen(u64),
}

/// A promise that is broken; `id` is the event's 128 bits, `sequence` where it stands, or stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are said above and in each fault's own words")]
pub enum EventFault {
    /// It was acknowledged, or seen before, and is gone.
    Lost { id: u128, sequence: u64 },
    /// It stands at a sequence other than the one acknowledged or seen: it was stored twice, or moved.
    Elsewhere { id: u128, expected: u64, found: u64 },
    /// It is there, and was never sent, or had been seen to be absent.
    Phantom { id: u128, sequence: u64 },
    /// Its content is not what was sent.
    Altered { id: u128, sequence: u64 },
    /// The sequences don't go up by one.
    Gap { expected: u64, found: u64 },
}

impl fmt::Display for EventFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { id, sequence } => write!(f, "event {id:032x}, sequence {sequence}, is lost"),
            Self::Elsewhere { id, expected, found } => {
                write!(f, "event {id:032x} stands at sequence {found}, not (only) at {expected}")
            }
            Self::Phantom { id, sequence } => {
                write!(f, "event {id:032x}, sequence {sequence}, was never sent")
            }
            Self::Altered { id, sequence } => {
                write!(f, "event {id:032x}, sequence {sequence}, is not as it was sent")
            }
            Self::Gap { expected, found } => write!(f, "sequence {found} stands where {expected} should"),
        }
    }
}

impl EventLedger {
    /// An event was put on the wire.
    pub fn sent(&mut self, id: u128) {
        self.known.entry(id).or_insert(Known::Sent);
    }

    /// An event was acknowledged with this sequence.
    pub fn acknowledged(&mut self, id: u128, sequence: u64) {
        self.known.insert(id, Known::Promised(sequence));
    }

    /// How many events must be there.
    #[must_use]
    pub fn promised(&self) -> usize {
        self.known.values().filter(|known| **known != Known::Sent).count()
    }

    /// The acknowledged event with the highest sequence among those not yet seen.
    #[must_use]
    pub fn newest_promised(&self) -> Option<(u128, u64)> {
        let promised = self.known.iter().filter_map(|(id, known)| match known {
            Known::Promised(sequence) => Some((*id, *sequence)),
            Known::Sent | Known::Seen(_) => None,
        });
        promised.max_by_key(|(_, sequence)| *sequence)
    }

    /// Begins a walk over what is stored, from the first event on.
    pub fn walk_all(&mut self) -> EventWalk<'_> {
        for known in self.known.values_mut() {
            if let Known::Seen(sequence) = *known {
                *known = Known::Promised(sequence);
            }
        }
        self.last_sequence = 0;
        self.walk_new()
    }

    /// Begins a walk over what is stored behind the last event of the walk before.
    pub fn walk_new(&mut self) -> EventWalk<'_> {
        EventWalk { ledger: self, faults: Vec::new() }
    }

    /// The highest sequence that the last walk has seen.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        self.last_sequence
    }
}

/// A walk over the stored events in the order of their sequences.
#[derive(Debug)]
pub struct EventWalk<'a> {
    ledger: &'a mut EventLedger,
    faults: Vec<EventFault>,
}

impl EventWalk<'_> {
    /// Behind which sequence the walk is to begin.
    #[must_use]
    pub fn begins_after(&self) -> u64 {
        self.ledger.last_sequence
    }

    /// The next stored event, and whether its content is what an event of that id was sent with.
    pub fn found(&mut self, id: u128, sequence: u64, is_as_sent: bool) {
        let expected = self.ledger.last_sequence + 1;
        if sequence != expected {
            self.faults.push(EventFault::Gap { expected, found: sequence });
        }
        self.ledger.last_sequence = sequence;
        match self.ledger.known.get_mut(&id) {
            None => self.faults.push(EventFault::Phantom { id, sequence }),
            Some(known @ Known::Sent) => *known = Known::Seen(sequence),
            Some(known) => {
                let (Known::Promised(expected) | Known::Seen(expected)) = *known else { return };
                if expected == sequence && matches!(known, Known::Promised(_)) {
                    *known = Known::Seen(sequence);
                } else {
                    self.faults.push(EventFault::Elsewhere { id, expected, found: sequence });
                }
            }
        }
        if !is_as_sent {
            self.faults.push(EventFault::Altered { id, sequence });
        }
    }

    /// Everything that was stored has been walked over: every fault. What was sent without an answer and is
    /// not there is forgotten: should it appear later, it would be a phantom.
    #[must_use]
    pub fn finish(self) -> Vec<EventFault> {
        let Self { ledger, mut faults } = self;
        ledger.known.retain(|id, known| match *known {
            Known::Seen(_) => true,
            Known::Sent => false,
            Known::Promised(sequence) => {
                faults.push(EventFault::Lost { id: *id, sequence });
                false
            }
        });
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Event 1 and 2 acknowledged, 3 sent.
    fn ledger() -> EventLedger {
        let mut ledger = EventLedger::default();
        for id in [1, 2, 3] {
            ledger.sent(id);
        }
        ledger.acknowledged(1, 1);
        ledger.acknowledged(2, 2);
        ledger
    }

    fn faults_of(ledger: &mut EventLedger, stored: &[(u128, u64)]) -> Vec<EventFault> {
        let mut walk = ledger.walk_all();
        for (id, sequence) in stored {
            walk.found(*id, *sequence, true);
        }
        walk.finish()
    }

    #[test]
    fn an_event_without_an_answer_may_be_stored_or_not() {
        assert_eq!(faults_of(&mut ledger(), &[(1, 1), (2, 2)]), []);
        assert_eq!(faults_of(&mut ledger(), &[(1, 1), (2, 2), (3, 3)]), []);
    }

    #[test]
    fn an_acknowledged_event_that_is_absent_is_lost() {
        assert_eq!(faults_of(&mut ledger(), &[(1, 1)]), [EventFault::Lost { id: 2, sequence: 2 }]);
    }

    #[test]
    fn an_event_once_seen_must_stay() {
        let mut ledger = ledger();
        assert_eq!(faults_of(&mut ledger, &[(1, 1), (2, 2), (3, 3)]), []);
        assert_eq!(faults_of(&mut ledger, &[(1, 1), (2, 2)]), [EventFault::Lost { id: 3, sequence: 3 }]);
    }

    #[test]
    fn an_event_once_seen_to_be_absent_must_not_appear_later() {
        let mut ledger = ledger();
        assert_eq!(faults_of(&mut ledger, &[(1, 1), (2, 2)]), []);
        assert_eq!(
            faults_of(&mut ledger, &[(1, 1), (2, 2), (3, 3)]),
            [EventFault::Phantom { id: 3, sequence: 3 }]
        );
    }

    #[test]
    fn an_event_that_was_never_sent_is_a_phantom() {
        assert_eq!(
            faults_of(&mut ledger(), &[(1, 1), (2, 2), (9, 3)]),
            [EventFault::Phantom { id: 9, sequence: 3 }]
        );
    }

    #[test]
    fn an_event_stored_twice_is_found() {
        let twice = EventFault::Elsewhere { id: 1, expected: 1, found: 3 };
        assert_eq!(faults_of(&mut ledger(), &[(1, 1), (2, 2), (1, 3)]), [twice]);
        let mut ledger = ledger();
        assert_eq!(faults_of(&mut ledger, &[(1, 1), (2, 2)]), []);
        let mut walk = ledger.walk_new();
        walk.found(1, 3, true);
        assert_eq!(walk.finish(), [twice]);
    }

    #[test]
    fn a_gap_and_another_content_are_found() {
        let mut ledger = ledger();
        let mut walk = ledger.walk_all();
        walk.found(1, 1, false);
        walk.found(2, 2, true);
        walk.found(3, 4, true);
        assert_eq!(
            walk.finish(),
            [EventFault::Altered { id: 1, sequence: 1 }, EventFault::Gap { expected: 3, found: 4 }]
        );
    }

    #[test]
    fn the_newest_promise_is_the_one_not_seen_with_the_highest_sequence() {
        let mut ledger = ledger();
        assert_eq!(ledger.newest_promised(), Some((2, 2)));
        assert_eq!(ledger.promised(), 2);
        assert_eq!(faults_of(&mut ledger, &[(1, 1), (2, 2)]), []);
        assert_eq!(ledger.newest_promised(), None);
        assert_eq!(ledger.promised(), 2);
    }
}
