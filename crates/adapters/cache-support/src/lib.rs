//! What the adapters of shared caches share: the form of what they store ([`Stored`]), and how they lose touch
//! with their server and come back with a new generation ([`Link`], [`keep`]).
//!
//! What belongs here: what holds for any cache that forgets. What never will: a protocol, or what a value means.

mod keeper;
mod link;
mod random;
mod stored;

pub use keeper::{Peer, Times, keep, look};
pub use link::{Link, Touch};
pub use random::random_u64;
pub use stored::{Content, HEAD_BYTES, LEASE_BYTES, Stored};
