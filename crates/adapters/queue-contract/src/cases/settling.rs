//! What workers say of their jobs.

use std::time::{Duration, Instant};

use crate::fixture::QueueFixture;

pub(crate) async fn a_job_that_is_done_is_not_delivered_again(fixture: &QueueFixture) {
    fixture.published().await;
    let delivery = fixture.worker.takes().await;
    fixture.worker.completes(&delivery).await;
    fixture.worker.gets_nothing().await;
    fixture.another_worker().await.gets_nothing().await;
}

pub(crate) async fn a_job_whose_worker_dies_is_delivered_to_another(fixture: &QueueFixture) {
    let other = fixture.another_worker().await;
    let job = fixture.job();
    other.publish(job).await;
    // Whoever of the two gets it lives; the other one's death must not matter.
    let delivery = other.queue.next(Duration::from_secs(60));
    let delivery = tokio::select! {
        delivery = delivery => delivery.unwrap().unwrap(),
        mine = fixture.worker.takes() => {
            fixture.worker.queue.put_back(&mine.tag, Duration::ZERO).await.unwrap();
            other.takes().await
        }
    };
    assert_eq!(delivery.job, job);
    drop(other);
    let again = fixture.worker.takes().await;
    assert_eq!(again.job, job);
    assert!(again.deliveries > delivery.deliveries, "{again:?} after {delivery:?}");
    fixture.worker.completes(&again).await;
    fixture.worker.gets_nothing().await;
}

pub(crate) async fn a_job_that_is_put_back_comes_again_and_not_too_early(fixture: &QueueFixture) {
    for delay in [Duration::ZERO, Duration::from_millis(1500)] {
        let job = fixture.published().await;
        let delivery = fixture.worker.takes().await;
        let put_back_at = Instant::now();
        fixture.worker.queue.put_back(&delivery.tag, delay).await.expect("put back");
        let again = fixture.worker.takes().await;
        assert!(put_back_at.elapsed() >= delay, "{:?}", put_back_at.elapsed());
        assert_eq!(again.job, job);
        assert!(again.deliveries > delivery.deliveries, "{again:?} after {delivery:?}");
        fixture.worker.completes(&again).await;
    }
    fixture.worker.gets_nothing().await;
}

pub(crate) async fn a_job_that_is_set_aside_is_not_delivered_again(fixture: &QueueFixture) {
    fixture.published().await;
    let delivery = fixture.worker.takes().await;
    fixture.worker.queue.set_aside(&delivery.tag, "it can't be done: 'no' \0").await.expect("set aside");
    fixture.worker.gets_nothing().await;
    let next = fixture.published().await;
    assert_eq!(fixture.worker.takes().await.job, next);
}

pub(crate) async fn a_job_that_was_set_aside_may_be_published_once_more(fixture: &QueueFixture) {
    let job = fixture.published().await;
    let delivery = fixture.worker.takes().await;
    fixture.worker.queue.set_aside(&delivery.tag, "not yet").await.expect("set aside");
    fixture.worker.publish(job).await;
    let again = fixture.worker.takes().await;
    assert_eq!((again.job, again.deliveries), (job, 1));
}

pub(crate) async fn a_job_that_is_published_while_a_worker_has_it_is_delivered_once_more(
    fixture: &QueueFixture,
) {
    let job = fixture.published().await;
    let delivery = fixture.worker.takes().await;
    fixture.worker.publish(job).await;
    fixture.worker.completes(&delivery).await;
    let again = fixture.worker.takes().await;
    assert_eq!(again.job, job);
    fixture.worker.completes(&again).await;
    fixture.worker.gets_nothing().await;
}

pub(crate) async fn a_delivery_that_was_settled_takes_the_job_from_nobody(fixture: &QueueFixture) {
    let job = fixture.published().await;
    let delivery = fixture.worker.takes().await;
    fixture.worker.queue.put_back(&delivery.tag, Duration::from_secs(1)).await.expect("put back");
    // Passed over, or refused.
    let _ = fixture.worker.queue.complete(&delivery.tag).await;
    let _ = fixture.worker.queue.set_aside(&delivery.tag, "late").await;
    let again = fixture.worker.takes().await;
    assert_eq!(again.job, job);
    fixture.worker.completes(&again).await;
    fixture.worker.gets_nothing().await;
}

pub(crate) async fn what_is_no_delivery_cannot_be_settled(fixture: &QueueFixture) {
    let tag = tenantry_ports::DeliveryTag("nonsense".to_owned());
    assert!(fixture.worker.queue.complete(&tag).await.is_err());
    assert!(fixture.worker.queue.keep(&tag).await.is_err());
}
