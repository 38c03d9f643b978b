//! A disk that gets full: a file system in memory, which only the server that stands on it and what it starts see.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cluster::unprivileged;

/// Room for an empty database and some more.
const SIZE: &str = "96m";

/// What is left of it to those who write.
const ROOM_BYTES: u64 = 4 << 20;

/// Takes the place of the directory `$0`, with what was in it, and becomes the program.
const SCRIPT: &str = r#"
set -e
copy=$(mktemp -d)
cp -a "$0/." "$copy"
mount -t tmpfs -o size="$SIZE",mode=700,uid="$USER_ID",gid="$GROUP_ID" tmpfs "$0"
cp -a "$copy/." "$0"
rm -rf "$copy"
exec setpriv --reuid "$USER_ID" --regid "$GROUP_ID" --clear-groups "$@"
"#;

/// The disk, and the file that takes its room.
pub(crate) struct SmallDisk {
    ballast: PathBuf,
}

/// What runs `server` on a small disk in place of the directory. Where this is not possible, why not.
pub(crate) fn command(programs: &Path, data: &Path, server: &Command) -> Result<Command, String> {
    let Some((user, group)) = unprivileged() else {
        return Err("only root may mount a small disk".to_owned());
    };
    let mut trial = Command::new("unshare");
    trial.args(["--mount", "sh", "-c", "mount -t tmpfs tmpfs \"$0\" && setpriv --version"]).arg(data);
    trial.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if !trial.status().is_ok_and(|ended| ended.success()) {
        return Err("a small disk cannot be mounted here".to_owned());
    }
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", SCRIPT]).arg(data).arg(server.get_program());
    command.envs([("SIZE", SIZE.to_owned()), ("USER_ID", user.to_string()), ("GROUP_ID", group.to_string())]);
    command.current_dir(programs).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command)
}

impl SmallDisk {
    /// That on which this process stands, in place of the directory.
    pub(crate) fn of(process: u32, data: &Path) -> Self {
        let seen = Path::new("/proc").join(process.to_string()).join("root");
        Self { ballast: seen.join(data.strip_prefix("/").unwrap()).join("ballast") }
    }

    /// Leaves only a little room.
    pub(crate) fn fill(&self) {
        let mut file = File::create(&self.ballast).unwrap();
        let block = vec![0; 64 << 10];
        loop {
            match file.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("the ballast is not written: {error}"),
            }
        }
        let taken = file.metadata().unwrap().len();
        file.set_len(taken.checked_sub(ROOM_BYTES).expect("room for the ballast")).unwrap();
    }

    /// Gives the room back.
    pub(crate) fn empty(&self) {
        std::fs::remove_file(&self.ballast).unwrap();
    }
}
