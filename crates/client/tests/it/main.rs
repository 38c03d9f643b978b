//! The client against a server of the tests' own. That it fits the real one is tested with the app.

#![expect(clippy::unwrap_used, reason = "a test that does not find what it needs has failed")]

mod bounds;
mod events;
mod lists;
mod lost_answers;
mod problems;
mod requests;
mod retries;
mod support;
