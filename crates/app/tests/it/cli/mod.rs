//! `tenantry tenant | key | event | kv`: the real binary against the real server.

mod connection;
mod events;
mod key_values;
mod output;
mod support;
mod tenants;
mod terminal;
