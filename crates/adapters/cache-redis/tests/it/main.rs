//! The adapter against a real Redis.

#![expect(clippy::expect_used, reason = "a panic is how a test says that something is wrong")]

mod cluster;
mod contract;
mod fault;
mod node;
mod open;
mod password;
mod private_cluster;
mod private_sentinel;
mod sentinel;
mod server;
mod tls;
mod whole_contract;
