//! The adapter against a real Redis.

mod contract;
