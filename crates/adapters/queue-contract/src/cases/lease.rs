//! Jobs whose worker says nothing of itself. The lease is to be of two seconds.

use std::time::{Duration, Instant};

use crate::fixture::QueueFixture;

pub(crate) async fn a_job_that_is_with_a_worker_is_delivered_to_nobody_else(fixture: &QueueFixture) {
    fixture.published().await;
    fixture.worker.takes().await;
    fixture.another_worker().await.gets_nothing().await;
    fixture.worker.gets_nothing().await;
}

pub(crate) async fn a_job_that_is_kept_is_delivered_to_nobody_else(fixture: &QueueFixture) {
    fixture.published().await;
    let delivery = fixture.worker.takes().await;
    let began = Instant::now();
    let other = fixture.another_worker().await;
    while began.elapsed() < Duration::from_secs(4) {
        fixture.worker.queue.keep(&delivery.tag).await.expect("kept");
        other.gets_nothing().await;
    }
}

pub(crate) async fn a_worker_that_comes_too_late_takes_the_job_from_nobody(fixture: &QueueFixture) {
    let job = fixture.published().await;
    let late = fixture.worker.takes().await;
    let other = fixture.another_worker().await;
    let again = other.takes().await;
    assert_eq!((again.job, again.deliveries), (job, 2));
    // Nothing of this counts.
    fixture.worker.queue.put_back(&late.tag, Duration::ZERO).await.expect("passed over");
    fixture.worker.queue.set_aside(&late.tag, "late").await.expect("passed over");
    fixture.worker.completes(&late).await;
    other.queue.keep(&again.tag).await.expect("kept");
    fixture.worker.gets_nothing().await;
    other.queue.put_back(&again.tag, Duration::ZERO).await.expect("put back");
    assert_eq!(fixture.worker.takes().await.job, job);
}

pub(crate) async fn a_job_that_waits_is_not_doubled(fixture: &QueueFixture) {
    let job = fixture.published().await;
    fixture.worker.publish(job).await;
    let delivery = fixture.worker.takes().await;
    fixture.worker.completes(&delivery).await;
    fixture.worker.gets_nothing().await;
}

pub(crate) async fn a_tenant_that_is_not_there_has_no_jobs(fixture: &QueueFixture) {
    let nobody = tenantry_domain::TenantNumber::new(999_999).expect("a number");
    fixture.worker.publish(crate::fixture::job(nobody)).await;
    fixture.worker.gets_nothing().await;
}
