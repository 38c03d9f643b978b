//! Providers' feeds: [`HttpFeedSource`] fetches them over HTTP, [`FileFeedSource`] takes one from a file. Both read
//! them in bounded memory.
//!
//! What belongs here: HTTP as a client, compression, XML, and the feed's dialects. What never will: when a feed is
//! fetched, and what becomes of its records.

mod address;
mod delivery;
mod file_source;
mod http_source;
mod options;
mod reading;
mod turns;

pub use file_source::FileFeedSource;
pub use http_source::HttpFeedSource;
pub use options::{FeedHttpOptions, FeedLimits};
