//! The cache inside the process: [`MemoryCache`], a [`NearCache`](tenantry_ports::NearCache) over
//! [quick_cache](https://docs.rs/quick_cache), bounded in bytes.
//!
//! What belongs here: how values are held, and why none is ever older than the last change that the cache
//! was told of. What never will: which values there are, what they weigh, or who tells of changes; those
//! are the business of whoever makes the cache.

mod memory_cache;
mod slots;

pub use memory_cache::MemoryCache;
