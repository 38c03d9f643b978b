//! The two servers of a comparison.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::servers;

use crate::Result;
use crate::database;
use crate::engine::Engine;
use crate::private::{PrivateServer, PrivateServers};
use crate::product;
use crate::server::Server;

/// Both servers, running, and the key that the product takes.
pub(super) struct Sides {
    // Dropped in this order: the product before what it stands on.
    pub(super) product: Server,
    pub(super) bare: Server,
    pub(super) key: String,
    /// PostgreSQL, where it is the engine.
    pub(super) postgres: Option<PrivateServer>,
    /// Where the run may keep what it needs.
    pub(super) folder: PathBuf,
}

impl Sides {
    /// Starts both; the product on a fresh engine, in a folder of that name, with these settings beside it.
    pub(super) fn start(
        scratch: &Path,
        name: &str,
        engine: Engine,
        settings: &product::Settings,
    ) -> Result<Self> {
        let folder = scratch.join(format!("{name}-{engine}"));
        fs::create_dir_all(&folder)?;
        let data_dir = folder.join("data");
        let (postgres, database) = match engine {
            Engine::Sqlite => (None, Vec::new()),
            Engine::Postgres => {
                let postgres = PrivateServers::new(&folder)?.start(servers::Server::Postgres, "postgres")?;
                let database = database::prepare(&postgres, &data_dir)?;
                (Some(postgres), database)
            }
        };
        let product = product::start(&data_dir, &[&database, settings].concat())?;
        product::wait_until_ready(product.address())?;
        let key = product::make_tenant(product.address(), &data_dir)?;
        let bare = Server::start(Command::new(env::current_exe()?).args(["bare", "--port", "0"]))?;
        Ok(Self { product, bare, key, postgres, folder })
    }
}
