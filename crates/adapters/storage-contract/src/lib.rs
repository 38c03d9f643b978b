//! The suite that every storage adapter passes: one small named case for each promise that the ports'
//! documentation makes, over the traits alone. Embedders run it on their own adapters.
//!
//! What belongs here: what a caller of the ports can see. What never will: an adapter, SQL, or anything
//! that only some engines can keep.
//!
//! An adapter's integration test is a function that opens one fresh, empty storage, and one line:
//!
//! ```text
//! //! SQLite passes the storage contract.
//!
//! async fn fresh(clock: Arc<dyn Clock>, listener: Arc<dyn CommitListener>) -> Storage { … }
//!
//! tenantry_storage_contract::storage_contract_tests!(fresh);
//! ```
//!
//! It becomes one test a case, in a module a noun: `event_append::the_first_event_takes_sequence_1`, ….
//! The cases stand in `src/cases/`, their one list in `src/list.rs`; a case that is missing in the list
//! is dead code, which does not compile.

#![deny(dead_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test library: a panic is how a case says that a promise is broken"
)]

mod cases;
mod catalog;
mod fixture;
mod list;
mod recorded_commits;
mod samples;
mod test_clock;
mod wait;
mod walk;

#[doc(hidden)]
pub use list::listed;

pub use fixture::{Fixture, Storage, run};
pub use recorded_commits::{Commit, RecordedCommits};
pub use test_clock::TestClock;
