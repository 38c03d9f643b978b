//! The adapter against a real memcached.

mod contract;
mod fault;
mod open;
