//! The adapter against a real memcached.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is wrong")]

mod contract;
mod fault;
mod open;
