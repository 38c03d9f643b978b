//! The suite that every job queue passes: one small named case for each promise of
//! [`JobQueue`](tenantry_ports::JobQueue), over the trait alone. Embedders run it on their own adapters.
//!
//! What belongs here: what workers can see through the port, and a broker for tests that kill one
//! ([`PrivateRabbitMq`]). What never will: an adapter, or anything that only some queues can keep.
//!
//! An adapter's integration test is a function that opens an empty queue, and one line:
//!
//! ```text
//! async fn open() -> Queue { … }
//!
//! tenantry_queue_contract::job_queue_contract_tests!(open);
//! ```
//!
//! Queues that know by a lease whether a worker lives run `leased_jobs_contract_tests!` too. A case that is missing in
//! its list is dead code, which does not compile.

#![deny(dead_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test library: a panic is how a case says that a promise is broken"
)]

mod cases;
mod fixture;
mod list;
mod private_rabbitmq;

#[doc(hidden)]
pub use list::listed;

pub use fixture::{OpenWorker, Queue, QueueFixture, job, run};
pub use private_rabbitmq::PrivateRabbitMq;
