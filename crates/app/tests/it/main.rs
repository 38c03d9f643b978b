//! Tenantry from outside: the real application in process on port 0, and the real binary.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that does not find what it needs has failed"
)]

mod api;
mod catalog_import;
mod check;
mod cli;
mod client;
mod command_line;
mod compat;
mod configuration;
mod crash;
mod demo;
mod feed_jobs;
mod first_start;
mod health;
mod import;
mod ledger;
mod maintenance;
mod postgres;
mod process;
mod provider;
mod seed;
mod stack;
mod stopping;
mod support;
mod unusable;
mod write_queue;
