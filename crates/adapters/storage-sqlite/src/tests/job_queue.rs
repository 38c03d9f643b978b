//! The queue of jobs, by a clock that is set by hand.

use std::sync::atomic::Ordering;
use std::time::Duration;

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl};
use tenantry_domain::{FeedId, RunId};
use tenantry_ports::{Job, JobQueue, RunKey};
use uuid::Uuid;

use super::rig::Rig;

const LEASE: Duration = Duration::from_secs(30);

fn job(rig: &Rig) -> Job {
    let feed = FeedId::new(Uuid::now_v7());
    Job::FeedRun(RunKey { tenant: rig.tenant, feed, run: RunId::new(Uuid::now_v7()) })
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_workers_who_see_one_due_job_the_other_gets_none_that_is_not_due() {
    let rig = Rig::new().await;
    let queue = rig.storage.job_queue(LEASE);
    let later = job(&rig);
    queue.publish(later).await.unwrap();
    let delivery = queue.next(Duration::ZERO).await.unwrap().unwrap();
    queue.put_back(&delivery.tag, Duration::from_secs(10)).await.unwrap();
    let due = job(&rig);
    queue.publish(due).await.unwrap();
    let (one, other) = tokio::join!(queue.next(Duration::ZERO), queue.next(Duration::ZERO));
    let jobs = [one, other].map(|next| next.unwrap().map(|delivery| delivery.job));
    assert!(jobs == [Some(due), None] || jobs == [None, Some(due)], "{jobs:?}");
    rig.clock.0.fetch_add(10_000_000, Ordering::SeqCst);
    assert_eq!(queue.next(Duration::ZERO).await.unwrap().unwrap().job, later);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_ends_with_its_time_and_not_before() {
    let rig = Rig::new().await;
    let queue = rig.storage.job_queue(LEASE);
    queue.publish(job(&rig)).await.unwrap();
    let first = queue.next(Duration::ZERO).await.unwrap().unwrap();
    rig.clock.0.fetch_add(29_999_999, Ordering::SeqCst);
    assert_eq!(queue.next(Duration::ZERO).await, Ok(None));
    queue.keep(&first.tag).await.unwrap();
    rig.clock.0.fetch_add(29_999_999, Ordering::SeqCst);
    assert_eq!(queue.next(Duration::ZERO).await, Ok(None));
    rig.clock.0.fetch_add(1, Ordering::SeqCst);
    assert_eq!(queue.next(Duration::ZERO).await.unwrap().unwrap().job, first.job);
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[tokio::test(flavor = "multi_thread")]
async fn of_jobs_that_were_set_aside_a_tenant_keeps_the_last_hundred() {
    let rig = Rig::new().await;
    let queue = rig.storage.job_queue(LEASE);
    let mut jobs = Vec::new();
    for _ in 0..102 {
        rig.clock.0.fetch_add(1, Ordering::SeqCst);
        jobs.push(job(&rig));
        queue.publish(jobs[jobs.len() - 1]).await.unwrap();
        let delivery = queue.next(Duration::ZERO).await.unwrap().unwrap();
        queue.set_aside(&delivery.tag, "it can't be done").await.unwrap();
    }
    let path = rig.folder.path().join("tenantry.db");
    let mut other =
        <diesel::SqliteConnection as diesel::Connection>::establish(path.to_str().unwrap()).unwrap();
    let count = diesel::sql_query("SELECT count(*) AS count FROM jobs WHERE set_aside_reason IS NOT NULL");
    assert_eq!(count.get_result::<Count>(&mut other).unwrap().count, 100);
}
