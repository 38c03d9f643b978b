//! The queue from outside, on a real RabbitMQ: the contract, and what becomes of jobs when it is killed or frozen.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is wrong")]

mod contract;
mod faults;
mod queues;
mod support;
