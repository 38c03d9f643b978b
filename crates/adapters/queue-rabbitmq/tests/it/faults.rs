//! RabbitMQ is killed, and frozen.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use tenantry_ports::{Job, JobQueue, QueueError};
use tenantry_queue_contract::{PrivateRabbitMq, job};

use crate::support::{Process, namespace, options, tenant};

/// What a publish may take, when nobody answers, with some room for a machine that is busy.
const BOUND: Duration = Duration::from_secs(3);

/// Shorter than two heartbeats.
const AT_ONCE: Duration = Duration::from_millis(1500);

/// What must come comes within this time.
const COMES: Duration = Duration::from_secs(60);

/// Publishes until a publish fails, as it must soon; answers the jobs that were taken.
async fn published_until_it_fails(process: &Process) -> HashSet<Job> {
    let mut taken = HashSet::new();
    loop {
        let (job, began) = (job(tenant()), Instant::now());
        let published = process.queue.publish(job).await;
        assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
        match published {
            Ok(()) => taken.insert(job),
            Err(QueueError::Unavailable(_)) => return taken,
            Err(error) => panic!("{error}"),
        };
    }
}

/// Takes and completes until each of these jobs has come.
async fn all_come(process: &Process, mut jobs: HashSet<Job>) {
    while !jobs.is_empty() {
        match process.queue.next(COMES).await {
            Ok(Some(delivery)) => {
                jobs.remove(&delivery.job);
                process.queue.complete(&delivery.tag).await.unwrap();
            }
            Ok(None) => panic!("{} jobs are lost", jobs.len()),
            Err(QueueError::Unavailable(_)) => process.is_up(true).await,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_before_the_broker_was_killed_is_delivered_once_it_is_back() {
    let (mut server, namespace) = (PrivateRabbitMq::start(), namespace());
    let publisher = Process::start(options(&server.url(), &namespace, 0)).await;
    let worker = Process::start(options(&server.url(), &namespace, 2)).await;
    let mut jobs = HashSet::new();
    for _ in 0..20 {
        let job = job(tenant());
        publisher.queue.publish(job).await.unwrap();
        jobs.insert(job);
    }
    // One is with the worker.
    let held = worker.queue.next(COMES).await.unwrap().unwrap();
    server.kill();
    jobs.extend(published_until_it_fails(&publisher).await);
    worker.is_up(false).await;
    assert!(worker.queue.complete(&held.tag).await.is_err(), "nobody heard of it");
    server.restart();
    publisher.is_up(true).await;
    worker.is_up(true).await;
    assert!(worker.queue.complete(&held.tag).await.is_err(), "its connection is gone for ever");
    assert!(worker.queue.keep(&held.tag).await.is_err());
    let later = job(tenant());
    publisher.queue.publish(later).await.unwrap();
    jobs.insert(later);
    all_come(&worker, jobs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_put_back_before_the_broker_was_killed_comes_all_the_same() {
    let (mut server, namespace) = (PrivateRabbitMq::start(), namespace());
    let worker = Process::start(options(&server.url(), &namespace, 1)).await;
    let job = job(tenant());
    worker.queue.publish(job).await.unwrap();
    let delivery = worker.queue.next(COMES).await.unwrap().unwrap();
    worker.queue.put_back(&delivery.tag, Duration::from_secs(2)).await.unwrap();
    server.kill();
    worker.is_up(false).await;
    server.restart();
    worker.is_up(true).await;
    all_come(&worker, HashSet::from([job])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_broker_is_noticed_in_time_and_what_it_has_taken_is_delivered_after() {
    let (server, namespace) = (PrivateRabbitMq::start(), namespace());
    let publisher = Process::start(options(&server.url(), &namespace, 0)).await;
    let worker = Process::start(options(&server.url(), &namespace, 2)).await;
    server.freeze();
    let mut jobs = published_until_it_fails(&publisher).await;
    // From then on nobody waits: not even until a heartbeat is missed.
    let began = Instant::now();
    publisher.is_up(false).await;
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    let began = Instant::now();
    for _ in 0..20 {
        assert!(publisher.queue.publish(job(tenant())).await.is_err());
    }
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    // Who only waits notices too.
    worker.is_up(false).await;
    server.thaw();
    publisher.is_up(true).await;
    let later = job(tenant());
    publisher.queue.publish(later).await.unwrap();
    jobs.insert(later);
    all_come(&worker, jobs).await;
}

#[tokio::test]
async fn a_broker_that_is_not_there_keeps_nobody_waiting() {
    let options = options("amqp://nobody:secret@127.0.0.1:1", &namespace(), 1);
    let queue = tenantry_queue_rabbitmq::RabbitMqQueue::new(options);
    let running = async { queue.run().await };
    let asking = async {
        let refused = queue.publish(job(tenant())).await.unwrap_err();
        assert!(!refused.to_string().contains("secret"), "{refused}");
        assert!(queue.next(Duration::from_millis(50)).await.is_err());
    };
    tokio::select! {
        () = running => panic!("it has ended"),
        () = asking => {}
    }
}
