//! The contracts of the predecessors, as their clients see them: the real application on port 0, called over TCP.
//! On which engines it stands is all one: these tests run on each stack (`crate::stack`).
//!
//! A module a predecessor; what holds for all of them is in `access`, `anonymous` and `conventions`. Each answer is
//! held against the OpenAPI document (`crate::api::openapi`). `python` uses Python's own client, as their users did.

mod access;
mod activity;
mod anonymous;
mod conventions;
mod key_values;
mod python;
mod search;
mod switch;
mod tenants;
mod world;
