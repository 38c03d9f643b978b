//! Two nodes of the product as one: on one PostgreSQL and one shared cache, all of them the drill's own.

use std::net::SocketAddr;
use std::path::Path;

use xtask::servers;

use crate::Result;
use crate::database;
use crate::private::{PrivateServer, PrivateServers};
use crate::product;
use crate::psql;
use crate::server::Server;

/// Both nodes, running, and what they stand on.
pub(super) struct Pair {
    // Dropped in this order: the nodes before what they stand on.
    nodes: [Server; 2],
    /// A tenant's key, good on both.
    pub(super) key: String,
    pub(super) postgres: PrivateServer,
    pub(super) cache: PrivateServer,
    /// With what the first node runs.
    pub(super) settings: Vec<(&'static str, String)>,
    /// The cache of the second node, where the two are apart.
    _other_cache: Option<PrivateServer>,
}

/// What the nodes have of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bond {
    /// One shared cache, as it must be.
    Whole,
    /// A planted fault: each has a cache of its own, so neither hears of the other.
    Broken,
}

impl Pair {
    /// Starts them; `cache` is Redis or memcached, `settings` are the product's beside its servers.
    pub(super) fn start(
        scratch: &Path,
        cache: servers::Server,
        bond: Bond,
        settings: &product::Settings,
    ) -> Result<Self> {
        let all = PrivateServers::new(scratch)?;
        let postgres = all.start(servers::Server::Postgres, "postgres")?;
        // What is called how often is asked afterwards; from the next connection on.
        psql::query(&postgres, "ALTER DATABASE postgres SET track_functions = 'pl'")?;
        let data_dirs = ["a", "b"].map(|node| scratch.join(node));
        let database = database::prepare(&postgres, &data_dirs[0])?;
        let kind = cache;
        let cache = all.start(kind, "cache")?;
        let other_cache = match bond {
            Bond::Whole => None,
            Bond::Broken => Some(all.start(kind, "other-cache")?),
        };
        let with = |cache: &PrivateServer| {
            let key = if kind == servers::Server::Redis { "cache.redis_url" } else { "cache.memcached_url" };
            [&database[..], &[(key, cache.url(""))], settings].concat()
        };
        let start = |data_dir: &Path, settings: &product::Settings| {
            let server = product::start(data_dir, settings)?;
            product::wait_until_ready(server.address())?;
            Ok::<_, crate::Failure>(server)
        };
        let settings = with(&cache);
        let first = start(&data_dirs[0], &settings)?;
        let second = start(&data_dirs[1], &with(other_cache.as_ref().unwrap_or(&cache)))?;
        let key = product::make_tenant(first.address(), &data_dirs[0])?;
        Ok(Self { nodes: [first, second], key, postgres, cache, settings, _other_cache: other_cache })
    }

    /// Where the nodes listen.
    pub(super) fn addresses(&self) -> [SocketAddr; 2] {
        [self.nodes[0].address(), self.nodes[1].address()]
    }
}
