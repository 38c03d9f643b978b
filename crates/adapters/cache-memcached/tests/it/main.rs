//! The adapter against a real memcached.

mod contract;
