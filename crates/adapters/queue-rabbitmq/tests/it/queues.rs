//! What becomes of jobs where RabbitMQ's queues are not as they should be, or hold what nobody has published.

use std::time::{Duration, Instant};

use lapin::message::BasicGetMessage;
use lapin::options::{BasicGetOptions, BasicPublishOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tenantry_ports::{JobQueue, QueueError};
use tenantry_queue_contract::{PrivateRabbitMq, job};

use crate::support::{Process, namespace, options, server, tenant};

/// What must come comes within this time.
const COMES: Duration = Duration::from_secs(60);

/// A connection past the product.
async fn channel(url: &str) -> (Connection, Channel) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

async fn put(channel: &Channel, queue: &str, payload: &str, headers: FieldTable) {
    let properties = BasicProperties::default().with_headers(headers);
    let options = BasicPublishOptions::default();
    let put = channel.basic_publish("".into(), queue.into(), options, payload.as_bytes(), properties);
    put.await.unwrap().await.unwrap();
}

/// The first message of a queue, once there is one.
async fn first_of(channel: &Channel, queue: &str) -> BasicGetMessage {
    let queue = ShortString::from(queue);
    let wait = async {
        loop {
            let got = channel.basic_get(queue.clone(), BasicGetOptions { no_ack: true }).await.unwrap();
            if let Some(message) = got {
                return message;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(COMES, wait).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_full_queue_does_not_take_was_not_taken() {
    let (server, namespace) = (PrivateRabbitMq::start(), namespace());
    let publisher = Process::start(options(&server.url(), &namespace, 0)).await;
    let policy = ["set_policy", "few", r"jobs$", r#"{"max-length":3}"#, "--apply-to", "queues"];
    let _ = server.control(&policy);
    let mut taken = 0;
    let refused = loop {
        match publisher.queue.publish(job(tenant())).await {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 1000, "it takes any number");
    };
    assert!(matches!(&refused, QueueError::Unavailable(text) if text.contains("no more")), "{refused}");
    let worker = Process::start(options(&server.url(), &namespace, 1)).await;
    for _ in 0..taken {
        let delivery = worker.queue.next(COMES).await.unwrap().unwrap();
        worker.queue.complete(&delivery.tag).await.unwrap();
    }
    assert_eq!(worker.queue.next(Duration::from_millis(700)).await, Ok(None));
    publisher.queue.publish(job(tenant())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_was_deleted_takes_nothing_and_is_made_again() {
    let (server, namespace) = (PrivateRabbitMq::start(), namespace());
    let publisher = Process::start(options(&server.url(), &namespace, 0)).await;
    let _ = server.control(&["delete_queue", &format!("{namespace}.jobs")]);
    assert!(publisher.queue.publish(job(tenant())).await.is_err(), "there is nowhere for it to stand");
    publisher.is_up(true).await;
    let job = job(tenant());
    while publisher.queue.publish(job).await.is_err() {
        publisher.is_up(true).await;
    }
    let worker = Process::start(options(&server.url(), &namespace, 1)).await;
    assert_eq!(worker.queue.next(COMES).await.unwrap().unwrap().job, job);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_cannot_be_moved_to_another_queue_stays_where_it_is() {
    let (server, namespace) = (PrivateRabbitMq::start(), namespace());
    let worker = Process::start(options(&server.url(), &namespace, 1)).await;
    let job = job(tenant());
    worker.queue.publish(job).await.unwrap();
    for queue in ["after-1s", "aside"] {
        let delivery = worker.queue.next(COMES).await.unwrap().unwrap();
        let _ = server.control(&["delete_queue", &format!("{namespace}.jobs.{queue}")]);
        let moved = match queue {
            "aside" => worker.queue.set_aside(&delivery.tag, "it can't be done").await,
            _ => worker.queue.put_back(&delivery.tag, Duration::from_secs(1)).await,
        };
        assert!(moved.is_err(), "there is no {queue}");
        // The connection is made anew, and the queue with it.
        while worker.queue.keep(&delivery.tag).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        worker.is_up(true).await;
    }
    assert_eq!(worker.queue.next(COMES).await.unwrap().unwrap().job, job);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_waits_for_what_is_left_of_its_time() {
    let namespace = namespace();
    let worker = Process::start(options(&server(), &namespace, 1)).await;
    let (_connection, channel) = channel(&server()).await;
    let job = job(tenant());
    let (published_at, left) = (Instant::now(), 1500);
    let mut headers = FieldTable::default();
    headers.insert("tenantry-left-ms".into(), AMQPValue::LongLongInt(left));
    headers.insert("tenantry-deliveries".into(), AMQPValue::LongLongInt(4));
    put(&channel, &format!("{namespace}.jobs"), &job.to_string(), headers).await;
    let delivery = worker.queue.next(COMES).await.unwrap().unwrap();
    assert!(published_at.elapsed() >= Duration::from_millis(1500), "{:?}", published_at.elapsed());
    assert_eq!((delivery.job, delivery.deliveries), (job, 5), "that was no delivery to a worker");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_job_is_set_aside_and_so_is_what_cannot_be_done_each_with_its_reason() {
    let namespace = namespace();
    let worker = Process::start(options(&server(), &namespace, 1)).await;
    let (_connection, channel) = channel(&server()).await;
    let (jobs, aside) = (format!("{namespace}.jobs"), format!("{namespace}.jobs.aside"));
    put(&channel, &jobs, "feed-run/of another version", FieldTable::default()).await;
    let job = job(tenant());
    worker.queue.publish(job).await.unwrap();
    let delivery = worker.queue.next(COMES).await.unwrap().unwrap();
    assert_eq!(delivery.job, job, "what is no job holds nobody up");
    worker.queue.set_aside(&delivery.tag, "it can't be done").await.unwrap();
    for (payload, reason) in
        [("feed-run/of another version", "it cannot be read"), (&*job.to_string(), "it can't be done")]
    {
        let message = first_of(&channel, &aside).await;
        assert_eq!(String::from_utf8_lossy(&message.data), payload);
        let headers = message.properties.headers().clone().unwrap_or_default();
        let told = headers.inner().get("tenantry-reason").cloned();
        assert_eq!(told, Some(AMQPValue::LongString(reason.into())));
    }
}
