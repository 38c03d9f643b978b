//! How a job looks as a message: its text, and in the headers what became of it so far.

use std::time::Duration;

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable};
use tenantry_ports::Job;

/// How often the job was delivered before it was put back.
const DELIVERIES: &str = "tenantry-deliveries";
/// How long it is to wait beyond the time of the queue that it waits in.
const LEFT_MS: &str = "tenantry-left-ms";
/// Why it was set aside.
const REASON: &str = "tenantry-reason";
/// How often RabbitMQ has delivered this message in vain: a quorum queue's own.
const RETURNED: &str = "x-delivery-count";

/// A message is to survive a crash of the broker.
const PERSISTENT: u8 = 2;

/// The most bytes of a reason.
const MAX_REASON: usize = 1000;

/// What is told of a job beside itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// How often it was delivered before this message.
    pub(crate) deliveries: u32,
    /// How long it is still to wait.
    pub(crate) left: Duration,
    /// Why it was set aside.
    pub(crate) reason: Option<String>,
}

impl Notes {
    pub(crate) fn properties(&self) -> BasicProperties {
        let mut headers = FieldTable::default();
        if self.deliveries > 0 {
            headers.insert(DELIVERIES.into(), AMQPValue::LongLongInt(i64::from(self.deliveries)));
        }
        if !self.left.is_zero() {
            let left = i64::try_from(self.left.as_millis()).unwrap_or(i64::MAX);
            headers.insert(LEFT_MS.into(), AMQPValue::LongLongInt(left));
        }
        if let Some(reason) = &self.reason {
            let end = reason.floor_char_boundary(MAX_REASON);
            headers.insert(REASON.into(), AMQPValue::LongString(reason[..end].into()));
        }
        BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type("text/plain".into())
            .with_headers(headers)
    }
}

/// The job of a message, how often it was delivered by now, and how long it is still to wait; nothing where the
/// message is no job.
pub(crate) fn read(delivery: &Delivery) -> Option<(Job, u32, Duration)> {
    let job = Job::parse(std::str::from_utf8(&delivery.data).ok()?)?;
    let number = |name: &str| {
        let headers = delivery.properties.headers().as_ref();
        headers.and_then(|headers| headers.inner().get(name)).and_then(integer).unwrap_or(0)
    };
    let before = number(DELIVERIES).saturating_add(number(RETURNED)).saturating_add(1);
    let left = Duration::from_millis(u64::try_from(number(LEFT_MS)).unwrap_or(0));
    Some((job, u32::try_from(before).unwrap_or(u32::MAX), left))
}

fn integer(value: &AMQPValue) -> Option<i64> {
    match value {
        AMQPValue::ShortShortInt(number) => Some(i64::from(*number)),
        AMQPValue::ShortShortUInt(number) => Some(i64::from(*number)),
        AMQPValue::ShortInt(number) => Some(i64::from(*number)),
        AMQPValue::ShortUInt(number) => Some(i64::from(*number)),
        AMQPValue::LongInt(number) => Some(i64::from(*number)),
        AMQPValue::LongUInt(number) => Some(i64::from(*number)),
        AMQPValue::LongLongInt(number) => Some(*number),
        _ => None,
    }
}
