//! The storage from outside: the contract of the ports, and what is PostgreSQL's own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic is how a test says that something is wrong"
)]

mod bus;
mod cluster;
mod contract;
mod contract_without_conditions;
mod event_data;
mod faults;
mod full_disk;
mod job_queue;
mod node_clocks;
mod open_errors;
mod passwords;
mod plans;
mod proxy;
mod replica;
mod row_level_security;
mod small_disk;
mod stripping;
mod stripping_proxy;
mod support;
mod twins;
