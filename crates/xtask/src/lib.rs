//! The project's own tasks, for `cargo xtask …` and for its load tool, `xtask-load`.
//!
//! What belongs in this library: what can be had with the standard library alone, since a newcomer's first
//! `cargo xtask test` builds it on a bare machine. What never will: a dependency, or anything of the product.
//! The product is watched from outside, as its users see it. What is heavy (the load generator, the bare
//! server, the bench, the drills) is in `src/bin/xtask-load`, behind the feature `load`.

pub mod arguments;
pub mod continuous_integration;
pub mod event_ledger;
pub mod key_value_ledger;
pub mod load_tool;
pub mod median;
mod python;
pub mod random;
pub mod servers;
pub mod test_run;
pub mod test_summary;
pub mod workspace;
pub mod write_ahead_log;
