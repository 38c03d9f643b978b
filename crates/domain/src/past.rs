//! What another system kept before, to be kept here from now on: with its numbers and times, as far as
//! the rules allow.

use crate::event::NewEvent;
use crate::plan::{PlanId, PlanRecord};
use crate::tenant::{NewTenant, TenantNumber};
use crate::timestamp::Timestamp;

/// An event that another system stored, at a time that is to stay.
#[derive(Debug, Clone, PartialEq)]
pub struct PastEvent {
    /// The event.
    pub event: NewEvent,
    /// When it was stored there.
    pub created_at: Timestamp,
}

impl PastEvent {
    /// The `created_at` that it has here, stored at `now` behind the tenant's event of `last`: its own.
    ///
    /// Never earlier than `last`, since `created_at` does not fall as `sequence` grows. And never later than
    /// `now` (unless `last` is): an event from the future would raise every one behind it.
    #[must_use]
    pub fn time_behind(&self, last: Option<Timestamp>, now: Timestamp) -> Timestamp {
        let time = self.created_at.min(now);
        last.map_or(time, |last| last.max(time))
    }
}

/// A plan that another system has seen in its feed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastPlan {
    /// What was told of it there last.
    pub record: PlanRecord,
    /// The id that it had there, and that its clients know. A plan that the catalog has keeps the one that it has, and so
    /// does the first of several.
    pub id: Option<PlanId>,
}

/// A tenant that another system kept under a number that its clients know.
#[derive(Debug, Clone, PartialEq)]
pub struct PastTenant {
    /// The number that it had there.
    pub number: TenantNumber,
    /// Its name and info.
    pub tenant: NewTenant,
    /// When it was created there, if that is known.
    pub created_at: Option<Timestamp>,
    /// When it last changed there, if that is known.
    pub updated_at: Option<Timestamp>,
}

impl PastTenant {
    /// The `created_at` and `updated_at` that it has here, stored at `now`: its own where they are known, none of
    /// them later than `now`, and the second not before the first.
    #[must_use]
    pub fn times(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let created_at = self.created_at.or(self.updated_at).map_or(now, |time| time.min(now));
        let updated_at = self.updated_at.map_or(created_at, |time| time.min(now));
        (created_at, updated_at.max(created_at))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::event::EventDraft;
    use crate::tenant::TenantDraft;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn a_past_event_keeps_its_time_unless_that_would_fall_or_lie_ahead() {
        let draft = EventDraft {
            component: Some("c".to_owned()),
            environment: Some("e".to_owned()),
            message: Some("m".to_owned()),
            ..EventDraft::default()
        };
        let event = NewEvent::parse(draft, Uuid::nil).unwrap();
        let time = |own, last: Option<i64>, now| {
            let past = PastEvent { event: event.clone(), created_at: at(own) };
            past.time_behind(last.map(at), at(now)).as_micros()
        };
        assert_eq!(time(5, None, 9), 5);
        assert_eq!(time(5, Some(4), 9), 5);
        assert_eq!(time(5, Some(5), 9), 5);
        assert_eq!(time(5, Some(7), 9), 7);
        assert_eq!(time(12, Some(7), 9), 9);
        assert_eq!(time(12, Some(10), 9), 10, "the clock was set back");
    }

    #[test]
    fn a_past_tenants_times_are_its_own_and_in_order() {
        let tenant = NewTenant::parse(TenantDraft { name: Some("a".to_owned()), tenant_info: None }).unwrap();
        let times = |created_at: Option<i64>, updated_at: Option<i64>| {
            let number = TenantNumber::new(1).unwrap();
            let (tenant, created_at, updated_at) = (tenant.clone(), created_at.map(at), updated_at.map(at));
            let (created_at, updated_at) = PastTenant { number, tenant, created_at, updated_at }.times(at(9));
            (created_at.as_micros(), updated_at.as_micros())
        };
        assert_eq!(times(Some(3), Some(5)), (3, 5));
        assert_eq!(times(Some(3), None), (3, 3));
        assert_eq!(times(None, Some(5)), (5, 5));
        assert_eq!(times(None, None), (9, 9));
        assert_eq!(times(Some(5), Some(3)), (5, 5));
        assert_eq!(times(Some(11), Some(12)), (9, 9));
    }
}
