//! `tenantry tenant | key | event | kv | catalog`: the real binary against the real server.

mod catalog;
mod connection;
mod events;
mod key_values;
mod output;
mod support;
mod tenants;
mod terminal;
