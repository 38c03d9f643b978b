//! Servers of a run's own: PostgreSQL, Redis, memcached, RabbitMQ. Each can be killed, started again, frozen and thawed, and
//! what it stores is on a disk and synced, as in production.

mod guard;
mod instance;
mod process_tree;

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FsWord, statfs};
use rustix::process::getuid;
use xtask::servers::unprivileged::Unprivileged;
use xtask::servers::{Server, find_or_install};

use crate::Result;
use guard::Guard;

pub(crate) use guard::{TASK as GUARD_TASK, run as run_guard};
pub(crate) use instance::PrivateServer;
pub(crate) use process_tree::processor_ticks;

/// `statfs`'s number for a file system in memory (Linux, `linux/magic.h`).
const TMPFS: FsWord = 0x0102_1994;

/// Starts servers, and sees to it that none of them outlives this process.
pub(crate) struct PrivateServers {
    folder: PathBuf,
    user: Option<Unprivileged>,
    guard: Arc<Guard>,
}

impl PrivateServers {
    /// Their data will stand in this folder.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let user = getuid().is_root().then(Unprivileged::of_this_machine).transpose()?;
        if user.is_some() {
            expect_open(folder)?;
        }
        if statfs(folder)?.f_type == TMPFS {
            return Err(
                format!("{} is in memory: what is to be durable needs a disk", folder.display()).into()
            );
        }
        Ok(Self { folder: folder.to_path_buf(), user, guard: Arc::new(Guard::start()?) })
    }

    /// Starts a server with nothing stored, in a folder of that name, on a free port.
    pub(crate) fn start(&self, server: Server, name: &str) -> Result<PrivateServer> {
        let found = find_or_install(&[server])?.into_iter().next().ok_or("nothing was found")?;
        let directory = self.folder.join(name);
        DirBuilder::new().mode(0o700).create(&directory)?;
        if let Some(user) = self.user {
            chown(&directory, Some(user.uid), Some(user.gid))?;
        }
        PrivateServer::make(found, directory, self.user, Arc::clone(&self.guard))
    }
}

/// Fails where a user without privileges can't reach this folder.
fn expect_open(folder: &Path) -> Result<()> {
    for place in folder.ancestors() {
        if fs::metadata(place)?.mode() & 0o001 == 0 {
            let place = place.display();
            return Err(format!(
                "run as root, the servers run as another user, who can't enter {place}: set CARGO_TARGET_DIR to a \
                 folder that all can enter"
            )
            .into());
        }
    }
    Ok(())
}
