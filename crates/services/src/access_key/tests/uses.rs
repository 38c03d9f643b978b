//! When keys were last used.

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::FutureExt as _;
use tenantry_domain::KeyId;
use tenantry_ports::MockClock;

use super::*;
use crate::access_key::CachedGrant;
use crate::access_key::uses::NotedUses;
use crate::samples::knowing;

type Uses = Vec<(KeyId, Timestamp)>;

/// A service that knows one key, and what it writes of its uses.
struct Used {
    service: AccessService,
    secret: SecretKey,
    id: KeyId,
    now: Arc<AtomicI64>,
    written: Arc<Mutex<Vec<Uses>>>,
    answers: Arc<Mutex<Vec<StorageError>>>,
}

fn used(last_used_at: Option<Timestamp>, tenant_status: TenantStatus) -> Used {
    let (secret, key) = tenants_key();
    let key = AccessKey { last_used_at, ..key };
    let (id, now) = (key.id, Arc::new(AtomicI64::new(NOW)));
    let mut clock = MockClock::new();
    let time_now = Arc::clone(&now);
    clock.expect_now().returning(move || time(time_now.load(Ordering::Relaxed)));
    let (written, answers) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<Vec<_>>>::default());
    let (writes, fails) = (Arc::clone(&written), Arc::clone(&answers));
    let mut keys = MockAccessKeyRepository::new();
    keys.expect_record_use().returning(move |uses| match fails.lock().unwrap().pop() {
        Some(error) => Err(error),
        None => {
            writes.lock().unwrap().push(uses);
            Ok(())
        }
    });
    let known = CachedGrant::from(Some(AccessGrant { key, tenant_status: Some(tenant_status) }));
    let service = AccessService::new(Arc::new(keys), knowing(known), Arc::new(clock));
    Used { service, secret, id, now, written, answers }
}

impl Used {
    fn use_at(&self, seconds: i64) {
        self.now.store(seconds, Ordering::Relaxed);
        let _ = self.service.authenticate_cached(self.secret.expose()).unwrap();
    }

    async fn flushed(&self) -> Vec<Uses> {
        self.service.flush_uses().await.unwrap();
        std::mem::take(&mut self.written.lock().unwrap())
    }
}

#[tokio::test]
async fn a_use_is_written_by_the_next_flush_once() {
    let used = used(None, TenantStatus::Active);
    used.use_at(NOW);
    assert_eq!(used.flushed().await, [[(used.id, time(NOW))]]);
    assert!(used.flushed().await.is_empty(), "there is nothing to write");
}

#[tokio::test]
async fn uses_within_a_minute_of_the_one_that_was_noted_are_not_noted() {
    let used = used(None, TenantStatus::Active);
    used.use_at(NOW);
    used.use_at(NOW + 59);
    assert_eq!(used.flushed().await, [[(used.id, time(NOW))]]);
    used.use_at(NOW + 59);
    assert!(used.flushed().await.is_empty());
    used.use_at(NOW + 60);
    assert_eq!(used.flushed().await, [[(used.id, time(NOW + 60))]]);
}

#[tokio::test]
async fn the_minute_counts_from_what_storage_knows() {
    let used = used(Some(time(NOW)), TenantStatus::Active);
    used.use_at(NOW + 59);
    assert!(used.flushed().await.is_empty());
    used.use_at(NOW + 60);
    assert_eq!(used.flushed().await, [[(used.id, time(NOW + 60))]]);
}

#[tokio::test]
async fn a_key_that_is_refused_is_not_used() {
    let suspended = used(None, TenantStatus::Suspended);
    suspended.use_at(NOW);
    assert!(suspended.flushed().await.is_empty());
    let forged = SecretKey::from_entropy(KeyKind::Tenant, [7; 16], [10; 32]);
    let used = Used { secret: forged, ..used(None, TenantStatus::Active) };
    used.use_at(NOW);
    assert!(used.flushed().await.is_empty());
}

#[tokio::test]
async fn uses_that_could_not_be_written_are_written_by_the_next_flush() {
    let used = used(None, TenantStatus::Active);
    used.use_at(NOW);
    used.answers.lock().unwrap().push(down());
    assert_eq!(used.service.flush_uses().await, Err(down()));
    assert_eq!(used.flushed().await, [[(used.id, time(NOW))]]);
}

#[test]
fn a_clock_that_jumps_back_does_not_make_a_last_use_earlier() {
    let (_, key) = tenants_key();
    let (uses, last_noted) = (NotedUses::default(), AtomicI64::new(i64::MIN));
    uses.note(key.id, &last_noted, time(NOW));
    uses.note(key.id, &last_noted, time(NOW - 500));
    // Another copy of the grant, read anew from storage, which knows of no use.
    uses.note(key.id, &AtomicI64::new(i64::MIN), time(NOW - 500));
    let mut keys = MockAccessKeyRepository::new();
    keys.expect_record_use().once().withf(move |uses| *uses == [(key.id, time(NOW))]).return_const(Ok(()));
    uses.flush(&keys).now_or_never().unwrap().unwrap();
}

#[tokio::test]
async fn uses_survive_a_flush_that_does_not_come_to_its_end() {
    let (_, key) = tenants_key();
    let uses = NotedUses::default();
    uses.note(key.id, &AtomicI64::new(i64::MIN), time(NOW));
    let mut broken = MockAccessKeyRepository::new();
    broken.expect_record_use().returning(|_| std::panic::resume_unwind(Box::new("on purpose")));
    assert!(AssertUnwindSafe(uses.flush(&broken)).catch_unwind().await.is_err());
    let mut keys = MockAccessKeyRepository::new();
    keys.expect_record_use().once().withf(move |uses| *uses == [(key.id, time(NOW))]).return_const(Ok(()));
    uses.flush(&keys).await.unwrap();
}

#[tokio::test]
async fn of_a_use_that_was_not_written_and_one_noted_meanwhile_the_later_is_kept() {
    let (_, key) = tenants_key();
    let uses = Arc::new(NotedUses::default());
    let last_noted = AtomicI64::new(i64::MIN);
    uses.note(key.id, &last_noted, time(NOW));
    let noting = Arc::clone(&uses);
    let mut failing = MockAccessKeyRepository::new();
    failing.expect_record_use().once().returning(move |_| {
        noting.note(key.id, &last_noted, time(NOW + 60));
        Err(down())
    });
    assert_eq!(uses.flush(&failing).await, Err(down()));
    let mut keys = MockAccessKeyRepository::new();
    let later = [(key.id, time(NOW + 60))];
    keys.expect_record_use().once().withf(move |uses| *uses == later).return_const(Ok(()));
    uses.flush(&keys).await.unwrap();
}
