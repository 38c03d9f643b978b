//! Where the workspace is, and how its cargo is called.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace's root. Found when run, not when built, so that a checkout may be moved.
///
/// # Errors
/// When this was not started by cargo and not in the root either.
pub fn root() -> io::Result<PathBuf> {
    if let Some(package) = env::var_os("CARGO_MANIFEST_DIR")
        && let Some(root) = Path::new(&package).ancestors().nth(2)
    {
        return Ok(root.to_path_buf());
    }
    let here = env::current_dir()?;
    if here.join("crates/xtask").is_dir() {
        return Ok(here);
    }
    Err(io::Error::other("start this as `cargo xtask`, or in the root of the workspace"))
}

/// The cargo that started this, to be run in the workspace's root.
///
/// # Errors
/// As [`root`].
pub fn cargo() -> io::Result<Command> {
    command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program to be run in the workspace's root, and not as a part of this package: what `cargo run` told of
/// this package is taken out of its environment, since build scripts that watch those variables would
/// otherwise run anew.
///
/// # Errors
/// As [`root`].
pub fn command(program: impl AsRef<OsStr>) -> io::Result<Command> {
    let mut command = Command::new(program);
    command.current_dir(root()?);
    for (name, _) in env::vars_os() {
        let is_of_package = name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
        if is_of_package {
            command.env_remove(name);
        }
    }
    Ok(command)
}
