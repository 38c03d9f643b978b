//! The shared cache over one or several memcached servers: [`MemcachedCache`].
//!
//! What belongs here: how the port is kept with memcached's meta commands (memcached 1.6 and later). What never
//! will: what a value means, and when to read or change one. memcached has no bus; one comes from elsewhere.
//!
//! memcached has no scripts. A change is a loop of *read with its CAS value* and *write if that is still the
//! CAS value*, which decides by versions as Redis's scripts do.

mod cache;
mod client;
mod place;
mod server;
mod url;

pub use cache::{MemcachedCache, MemcachedOptions};
pub use url::{MemcachedUrl, MemcachedUrlError};
