//! From whoever has a job to whoever does it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join;

use crate::fixture::QueueFixture;

pub(crate) async fn a_job_that_was_published_is_delivered(fixture: &QueueFixture) {
    let job = fixture.published().await;
    let delivery = fixture.worker.takes().await;
    assert_eq!((delivery.job, delivery.deliveries), (job, 1));
}

pub(crate) async fn an_empty_queue_delivers_nothing(fixture: &QueueFixture) {
    fixture.worker.gets_nothing().await;
}

pub(crate) async fn a_worker_that_waits_hears_of_a_job(fixture: &QueueFixture) {
    let (delivery, job) = join(fixture.worker.takes(), fixture.published()).await;
    assert_eq!(delivery.job, job);
}

pub(crate) async fn each_job_goes_to_one_of_the_workers(fixture: &QueueFixture) {
    let other = fixture.another_worker().await;
    let mut published = BTreeMap::new();
    for _ in 0..20 {
        published.insert(fixture.published().await.to_string(), 1);
    }
    let mut delivered = BTreeMap::new();
    for _ in 0..10 {
        let (one, another) = join(fixture.worker.takes(), other.takes()).await;
        fixture.worker.completes(&one).await;
        other.completes(&another).await;
        for delivery in [one, another] {
            *delivered.entry(delivery.job.to_string()).or_insert(0) += 1;
        }
    }
    assert_eq!(delivered, published);
    fixture.worker.gets_nothing().await;
}

/// Each worker of a case does one job at a time.
pub(crate) async fn what_a_busy_worker_cannot_do_goes_to_others(fixture: &QueueFixture) {
    let other = fixture.another_worker().await;
    let mut published = BTreeSet::new();
    for _ in 0..6 {
        published.insert(fixture.published().await.to_string());
    }
    let mut delivered = BTreeSet::from([fixture.worker.takes().await.job.to_string()]);
    for _ in 0..5 {
        let delivery = other.takes().await;
        other.completes(&delivery).await;
        delivered.insert(delivery.job.to_string());
    }
    assert_eq!(delivered, published);
}

pub(crate) async fn who_stops_waiting_loses_no_job(fixture: &QueueFixture) {
    let job = fixture.job();
    for polls in 0..50 {
        if polls == 10 {
            fixture.worker.publish(job).await;
        }
        // Given up wherever it stands after so many milliseconds.
        let next = fixture.worker.queue.next(Duration::from_secs(60));
        let given_up = tokio::time::timeout(Duration::from_millis(polls % 5), next).await;
        if let Ok(delivery) = given_up {
            assert_eq!(delivery.unwrap().unwrap().job, job);
            return;
        }
    }
    assert_eq!(fixture.worker.queue.next(Duration::from_secs(60)).now_or_never(), None);
    assert_eq!(fixture.worker.takes().await.job, job);
}
