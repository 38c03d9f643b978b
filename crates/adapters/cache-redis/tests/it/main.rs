//! The adapter against a real Redis.

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
