//! The directory in which the servers keep what is theirs.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::unprivileged::Unprivileged;

/// How long what is in the directory may still change while it is being removed.
const REMOVAL: Duration = Duration::from_secs(10);

/// A directory that is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
    user: Option<Unprivileged>,
}

impl Scratch {
    /// Makes one. Where this runs as root, it belongs to the user that [`Self::user`] names.
    pub(super) fn make() -> io::Result<Self> {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        let path = base().join(format!("tenantry-servers-{}-{nanos}", process::id()));
        DirBuilder::new().mode(0o700).create(&path)?;
        let mut scratch = Self { path, user: None };
        if is_owned_by_root(&scratch.path)? {
            let user = Unprivileged::of_this_machine()?;
            chown(&scratch.path, Some(user.uid), Some(user.gid))?;
            scratch.user = Some(user);
        }
        Ok(scratch)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whom the servers must run as; nobody where they may run as whoever runs this.
    pub(super) fn user(&self) -> Option<Unprivileged> {
        self.user
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A server's last process may still be writing while the first has ended.
        let end = Instant::now() + REMOVAL;
        while let Err(error) = fs::remove_dir_all(&self.path) {
            if error.kind() == io::ErrorKind::NotFound {
                return;
            }
            if Instant::now() > end {
                eprintln!("xtask: {} could not be removed: {error}", self.path.display());
                return;
            }
            std::thread::yield_now();
        }
    }
}

/// Where temporary files go: where an unprivileged user can't go there, to `/tmp`.
fn base() -> PathBuf {
    let configured = env::temp_dir();
    let absolute = std::path::absolute(&configured).unwrap_or(configured);
    let is_open = |place: &Path| fs::metadata(place).is_ok_and(|place| place.mode() & 0o001 != 0);
    let is_ours = !is_owned_by_root(Path::new("/proc/self")).unwrap_or(true);
    if is_ours || absolute.ancestors().all(is_open) { absolute } else { PathBuf::from("/tmp") }
}

fn is_owned_by_root(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.uid() == 0)
}
