//! The adapter against a real Redis.

mod contract;
mod fault;
mod open;
