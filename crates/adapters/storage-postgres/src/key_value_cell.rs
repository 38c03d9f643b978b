//! What stands under one key while the operations of a batch go by in memory.

use std::sync::Arc;

use bytes::Bytes;
use tenantry_domain::{ContentType, Entry, EntryMeta, Key, Precondition, Revision, Timestamp, incremented};
use tenantry_ports::{KeyValueWriteError, NewValue, PutOutcome};

use crate::key_value_write::{Answer, Operation, Outcome};
use crate::row_place::RowPlace;

/// What stands under a key that is written in a batch, as the operations go by.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    /// Where its row stands in the table, if there is one.
    pub(crate) place: Option<RowPlace>,
    pub(crate) standing: Option<Standing>,
    /// What is stored has ended, and nothing has taken its place yet.
    pub(crate) has_ended: bool,
    pub(crate) is_changed: bool,
    /// An operation asks for the value that stands.
    pub(crate) needs_value: bool,
}

/// An entry that stands.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) meta: EntryMeta,
    /// Nothing where it was not asked for.
    pub(crate) value: Option<Bytes>,
    /// As it was put by an operation of the batch.
    pub(crate) entry: Option<Arc<Entry>>,
}

impl Cell {
    /// Carries an operation out, which takes that revision if it changes anything.
    pub(crate) fn apply(
        &mut self,
        key: &Key,
        precondition: &Precondition,
        operation: Operation,
        revision: Revision,
        now: Timestamp,
    ) -> Answer {
        let current = self.standing.as_ref().map(|standing| standing.meta.revision);
        if !precondition.holds(current.map(Revision::get)) {
            return Err(KeyValueWriteError::PreconditionFailed { current });
        }
        match operation {
            Operation::Put(NewValue { bytes, content_type, ttl }) => {
                let expires_at = ttl.map(|ttl| ttl.ends_at(now));
                Ok(Outcome::Put(self.put(key, content_type, expires_at, bytes, revision, now)))
            }
            Operation::Increment { by, initial } => {
                let (number, content_type, expires_at) = match (&self.standing, initial) {
                    (None, None) => return Err(KeyValueWriteError::KeyNotFound),
                    (None, Some(initial)) => (initial, ContentType::plain_text(), None),
                    (Some(Standing { meta, value, .. }), _) => {
                        let number = incremented(value.as_deref().unwrap_or_default(), by)?;
                        (number, meta.content_type.clone(), meta.expires_at)
                    }
                };
                let value = Bytes::from(number.to_string());
                let outcome = self.put(key, content_type, expires_at, value, revision, now);
                Ok(Outcome::Incremented(outcome, number))
            }
            Operation::Delete if self.standing.is_none() => Err(KeyValueWriteError::KeyNotFound),
            Operation::Delete => Ok(self.remove(revision)),
            Operation::Sweep if self.has_ended => Ok(self.remove(revision)),
            Operation::Sweep => Ok(Outcome::Nothing),
        }
    }

    fn put(
        &mut self,
        key: &Key,
        content_type: ContentType,
        expires_at: Option<Timestamp>,
        value: Bytes,
        revision: Revision,
        now: Timestamp,
    ) -> PutOutcome {
        let before = self.standing.as_ref().map(|standing| &standing.meta);
        let created = before.is_none();
        let meta = EntryMeta {
            key: key.clone(),
            content_type,
            size: value.len() as u64,
            version: before.map_or(0, |before| before.version) + 1,
            revision,
            created_at: before.map_or(now, |before| before.created_at),
            updated_at: now,
            expires_at,
        };
        let entry = Arc::new(Entry { meta: meta.clone(), value: value.clone() });
        self.stand(Some(Standing { meta, value: Some(value), entry: Some(Arc::clone(&entry)) }));
        PutOutcome { entry, created }
    }

    fn remove(&mut self, revision: Revision) -> Outcome {
        self.stand(None);
        Outcome::Removed(revision)
    }

    fn stand(&mut self, standing: Option<Standing>) {
        self.standing = standing;
        self.has_ended = false;
        self.is_changed = true;
    }

    /// The bytes that are to be stored; none where nothing is to stand.
    pub(crate) fn value(&self) -> &[u8] {
        self.standing.as_ref().and_then(|standing| standing.value.as_deref()).unwrap_or_default()
    }

    /// What is to become of its row.
    pub(crate) fn fate(&self) -> Fate {
        match (&self.standing, self.place) {
            (Some(_), Some(_)) => Fate::Replaced,
            (Some(_), None) => Fate::New,
            (None, _) => Fate::Removed,
        }
    }
}

/// What is to become of a key's row, in the order in which the rows of a tenant are brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    Replaced,
    New,
    Removed,
}
