//! The storage from outside: the contract of the ports, and what is SQLite's own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic is how a test says that something is wrong"
)]

mod contract;
mod crash;
mod job_queue;
mod open;
mod open_errors;
mod support;
