//! The two servers of a comparison.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::product;
use crate::server::Server;

/// Both servers, running, and the key that the product takes.
pub(super) struct Sides {
    pub(super) product: Server,
    pub(super) bare: Server,
    pub(super) key: String,
}

impl Sides {
    /// Starts both; the product on a fresh data directory in a folder of that name.
    pub(super) fn start(scratch: &Path, name: &str) -> Result<Self> {
        let folder = scratch.join(name);
        fs::create_dir_all(&folder)?;
        let data_dir = folder.join("data");
        let product = product::start(&data_dir)?;
        product::wait_until_ready(product.address())?;
        let key = product::make_tenant(product.address(), &data_dir)?;
        let bare = Server::start(Command::new(env::current_exe()?).args(["bare", "--port", "0"]))?;
        Ok(Self { product, bare, key })
    }

    /// The processes of both.
    pub(super) fn processes(&self) -> [u32; 2] {
        [self.product.process_id(), self.bare.process_id()]
    }
}
