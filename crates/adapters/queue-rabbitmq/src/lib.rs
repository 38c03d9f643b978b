//! The job queue over RabbitMQ, 3.10 or newer: [`RabbitMqQueue`].
//!
//! What belongs here: how the port is kept with RabbitMQ's queues. What never will: what a job means, and when one is
//! to be published.
//!
//! Jobs stand in a quorum queue, which a cluster keeps on several nodes and on disk before it confirms. What is put back
//! waits in one of a few further queues, each with its time, and is led back from there by RabbitMQ; what is set aside
//! stands in one more, for an operator. Start with `queue.rs`; `link.rs` is how the connection comes and goes. Neither
//! does anything until [`RabbitMqQueue::run`] is polled.

mod link;
mod message;
mod queue;
mod topology;
mod url;

pub use queue::{RabbitMqOptions, RabbitMqQueue};
pub use url::{RabbitMqUrl, RabbitMqUrlError};
