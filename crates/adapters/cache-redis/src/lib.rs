//! The shared cache and the invalidation bus over Redis: [`RedisCache`] and [`RedisBus`].
//!
//! What belongs here: how the two ports are kept with Redis's commands. What never will: what a value means, and
//! when to read or change one.
//!
//! Every command and script names one key, so that Redis Cluster is served as well. Connections are made anew by
//! this crate and not by a connection manager, since each new connection must begin a new generation: see
//! [`SharedCache`](tenantry_ports::SharedCache).

mod bus;
mod ca;
mod cache;
mod cluster;
mod connection;
mod scripts;
mod servers;
mod url;

pub use bus::RedisBus;
pub use ca::RedisCa;
pub use cache::{RedisCache, RedisOptions};
pub use url::{RedisUrl, RedisUrlError};
