//! Nodes whose clocks are wrong: claims and leases end by the server's.

use std::sync::Arc;
use std::time::Duration;

use tenantry_domain::{PageLimit, Precondition, RunId, RunTrigger, TenantNumber, Timestamp};
use tenantry_ports::{ClaimOutcome, Clock, FeedRunRepository, JobQueue, RunClaim, RunKey, SystemClock};
use tenantry_storage_postgres::PostgresStorage;
use uuid::Uuid;

use crate::support::{Schema, feed, open, opened_by, tenant};

const MINUTE: Duration = Duration::from_secs(60);

/// The system's clock, so many minutes ahead, or behind where negative.
struct Wrong {
    minutes: i64,
}

impl Clock for Wrong {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_seconds(60 * self.minutes)
    }
}

/// Another node on the schema, whose clock is that wrong.
fn node(schema: &Schema, minutes: i64) -> PostgresStorage {
    opened_by(schema.options(), Arc::new(Wrong { minutes })).unwrap()
}

async fn queued(storage: &PostgresStorage, tenant: TenantNumber) -> RunKey {
    let (feed, run) = (feed(storage, tenant, "feed").await, RunId::new(Uuid::from_u128(1)));
    storage.request(tenant, feed, run, RunTrigger::Request, Precondition::default()).await.unwrap();
    RunKey { tenant, feed, run }
}

async fn claimed(storage: &PostgresStorage, key: RunKey) -> RunClaim {
    match storage.claim(key, MINUTE).await.unwrap() {
        ClaimOutcome::Claimed(claimed) => claimed.claim,
        other => panic!("nobody has the run: {other:?}"),
    }
}

/// Insists that each node finds the run claimed, and nothing stranded.
async fn assert_busy(nodes: &[&PostgresStorage], key: RunKey) {
    for node in nodes {
        let outcome = node.claim(key, MINUTE).await.unwrap();
        let ClaimOutcome::Busy { remaining } = outcome else { panic!("another has the run: {outcome:?}") };
        assert!(!remaining.is_zero() && remaining <= MINUTE, "{remaining:?}");
        let long_ago = Timestamp::from_micros(0);
        assert_eq!(node.stranded(long_ago, PageLimit::MAX).await, Ok(vec![]));
    }
}

#[tokio::test]
async fn a_living_claim_is_taken_by_no_node_whatever_its_clock_says() {
    let schema = Schema::new();
    let right = open(&schema).unwrap();
    let (ahead, behind) = (node(&schema, 10), node(&schema, -10));
    let nodes = [&right, &ahead, &behind];
    for holder in nodes {
        let key = queued(holder, tenant(holder).await).await;
        let claim = claimed(holder, key).await;
        assert_busy(&nodes, key).await;
        holder.extend(&claim, MINUTE).await.unwrap();
        assert_busy(&nodes, key).await;
    }
}

#[tokio::test]
async fn a_claim_that_has_ended_is_taken_by_any_node_whatever_its_clock_says() {
    let schema = Schema::new();
    let right = open(&schema).unwrap();
    let (ahead, behind) = (node(&schema, 10), node(&schema, -10));
    for (holder, other) in [(&ahead, &behind), (&behind, &ahead), (&ahead, &right)] {
        let key = queued(&right, tenant(&right).await).await;
        let claim = claimed(holder, key).await;
        holder.extend(&claim, Duration::ZERO).await.unwrap();
        let stranded = other.stranded(Timestamp::from_micros(0), PageLimit::MAX).await;
        assert_eq!(stranded, Ok(vec![key]));
        assert_eq!(claimed(other, key).await.number, 2);
    }
}

#[tokio::test]
async fn a_leased_job_is_delivered_to_no_other_node_whatever_its_clock_says() {
    let schema = Schema::new();
    let right = open(&schema).unwrap();
    let (ahead, behind) = (node(&schema, 10), node(&schema, -10));
    for (holder, others) in
        [(&right, [&ahead, &behind]), (&behind, [&right, &ahead]), (&ahead, [&right, &behind])]
    {
        let queue = holder.job_queue(MINUTE);
        queue.publish(tenantry_queue_contract::job(tenant(&right).await)).await.unwrap();
        let delivery = queue.next(Duration::ZERO).await.unwrap().expect("the job is due at once");
        queue.keep(&delivery.tag).await.unwrap();
        for other in others {
            assert_eq!(other.job_queue(MINUTE).next(Duration::ZERO).await, Ok(None));
        }
        queue.complete(&delivery.tag).await.unwrap();
    }
}
