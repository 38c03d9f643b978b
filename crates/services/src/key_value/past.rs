//! Key-values of another system.

use tenantry_domain::{Key, Precondition, TenantNumber};
use tenantry_ports::{KeyValueWriteError, NewValue};

use super::{KeyValueError, KeyValueService};
use crate::past_outcome::PastOutcome;
use crate::propagation::settled;

impl KeyValueService {
    /// Stores a value of another system, unless the key holds these bytes already. A key that holds others, which may
    /// be newer, keeps them unless they are to be replaced. What somebody writes at the same time is not lost.
    ///
    /// # Errors
    /// [`KeyValueError::TenantNotFound`], [`KeyValueError::Storage`]. A value that is too large is an outcome.
    pub async fn import(
        &self,
        tenant: TenantNumber,
        key: Key,
        value: NewValue,
        replaces: bool,
    ) -> Result<PastOutcome, KeyValueError> {
        if value.bytes.len() > self.max_value_bytes {
            let limit = self.max_value_bytes;
            return Ok(PastOutcome::Refused(format!("the value is longer than {limit} bytes")));
        }
        let outcome = self.put_unless_held(tenant, key, value, replaces).await?;
        settled(self.propagation.as_ref()).await;
        Ok(outcome)
    }

    async fn put_unless_held(
        &self,
        tenant: TenantNumber,
        key: Key,
        value: NewValue,
        replaces: bool,
    ) -> Result<PastOutcome, KeyValueError> {
        // Anew if somebody writes in between: then what stands is compared again.
        loop {
            let held = self.entries.find(tenant, key.clone()).await?;
            let held = held.filter(|held| held.meta.is_live(self.clock.now()));
            let (precondition, outcome) = match held {
                None => (Precondition::absent(), PastOutcome::Stored),
                Some(held) if held.value == value.bytes => return Ok(PastOutcome::AlreadyThere),
                Some(held) if replaces => {
                    (Precondition::revision(held.meta.revision.get()), PastOutcome::Replaced)
                }
                Some(_) => return Ok(PastOutcome::Differs),
            };
            match self.entries.put(tenant, key.clone(), value.clone(), precondition).await {
                Ok(_) => return Ok(outcome),
                Err(KeyValueWriteError::PreconditionFailed { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use tenantry_domain::{ContentType, Entry};
    use tenantry_ports::{MockKeyValueRepository, PutOutcome};

    use super::*;
    use crate::samples::{clock_at, entry, forgetful, key, number, time};

    /// Storage that holds this under the key, and takes one write under this precondition, if any.
    fn storage(held: Option<Arc<Entry>>, write: Option<Precondition>) -> MockKeyValueRepository {
        let mut entries = MockKeyValueRepository::new();
        entries.expect_find().returning(move |_, _| Ok(held.clone()));
        if let Some(wanted) = write {
            entries
                .expect_put()
                .once()
                .withf(move |_, _, _, precondition| *precondition == wanted)
                .returning(|_, _, _, _| Ok(PutOutcome { entry: entry(9, None), created: true }));
        }
        entries
    }

    async fn import(entries: MockKeyValueRepository, bytes: &'static [u8], replaces: bool) -> PastOutcome {
        let service = KeyValueService::new(Arc::new(entries), forgetful(), clock_at(time(100)), 8);
        let value =
            NewValue { bytes: Bytes::from_static(bytes), content_type: ContentType::plain_text(), ttl: None };
        service.import(number(7), key("k"), value, replaces).await.unwrap()
    }

    #[tokio::test]
    async fn a_value_that_is_absent_or_has_ended_is_stored() {
        for held in [None, Some(entry(3, Some(time(100))))] {
            let entries = storage(held, Some(Precondition::absent()));
            assert_eq!(import(entries, b"value", false).await, PastOutcome::Stored);
        }
    }

    #[tokio::test]
    async fn the_same_bytes_are_not_written_again() {
        let entries = storage(Some(entry(3, None)), None);
        assert_eq!(import(entries, b"value", true).await, PastOutcome::AlreadyThere);
    }

    #[tokio::test]
    async fn other_bytes_are_kept_unless_they_are_to_be_replaced() {
        let entries = storage(Some(entry(3, None)), None);
        assert_eq!(import(entries, b"other", false).await, PastOutcome::Differs);
        let entries = storage(Some(entry(3, None)), Some(Precondition::revision(3)));
        assert_eq!(import(entries, b"other", true).await, PastOutcome::Replaced);
    }

    #[tokio::test]
    async fn a_value_that_is_too_long_is_refused_without_asking_storage() {
        let outcome = import(MockKeyValueRepository::new(), b"123456789", false).await;
        assert!(matches!(outcome, PastOutcome::Refused(_)), "{outcome:?}");
    }

    #[tokio::test]
    async fn what_somebody_writes_meanwhile_is_compared_anew() {
        let mut entries = MockKeyValueRepository::new();
        entries.expect_find().once().returning(|_, _| Ok(None));
        entries
            .expect_put()
            .once()
            .returning(|_, _, _, _| Err(KeyValueWriteError::PreconditionFailed { current: None }));
        entries.expect_find().once().returning(|_, _| Ok(Some(entry(3, None))));
        assert_eq!(import(entries, b"value", false).await, PastOutcome::AlreadyThere);
    }
}
