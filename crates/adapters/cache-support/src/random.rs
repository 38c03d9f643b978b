//! Numbers by chance.

use std::hash::{BuildHasher as _, RandomState};

/// A number that nobody else has: for leases and nodes.
#[must_use]
pub fn random_u64() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_ne_bytes(bytes),
        // Seeded when the process began, and another for each call.
        Err(_) => RandomState::new().hash_one(std::time::Instant::now()),
    }
}
