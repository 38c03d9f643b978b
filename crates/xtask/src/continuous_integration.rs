//! `cargo xtask ci`: what continuous integration runs, run here.

use std::ffi::OsString;
use std::io;

use crate::workspace;

/// Runs `.ci/run`; whether all of it held.
///
/// # Errors
/// When it could not be started.
pub fn run(arguments: &[OsString]) -> io::Result<bool> {
    let script = workspace::root()?.join(".ci/run");
    Ok(workspace::command(script)?.args(arguments).status()?.success())
}
