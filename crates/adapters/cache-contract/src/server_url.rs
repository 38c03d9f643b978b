//! The server that the tests use, and the part of it that is one test's own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The URL in this variable of the environment.
///
/// # Panics
/// When there is none: the message says what to do.
#[must_use]
pub fn server_url(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run `cargo xtask test`, which starts a server, or set it to the URL of one")
    })
}

/// A namespace that no other test of this or any other run has.
#[must_use]
pub fn namespace() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let run = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    format!("t{run:x}-{process:x}-{count:x}")
}
