//! `cargo xtask bench` and `cargo xtask drill`: builds the product and the load tool, and runs the latter.

use std::ffi::{OsStr, OsString};
use std::io;

use crate::workspace::cargo;

/// Builds the product for release, then builds and runs `xtask-load TASK ARGUMENTS`; whether it succeeded.
///
/// # Errors
/// When cargo could not be started.
pub fn run(task: &OsStr, arguments: &[OsString]) -> io::Result<bool> {
    if !cargo()?.args(["build", "--release", "--package", "tenantry"]).status()?.success() {
        return Ok(false);
    }
    let tool = ["run", "--release", "--package", "xtask", "--features", "load", "--bin", "xtask-load", "--"];
    Ok(cargo()?.args(tool).arg(task).args(arguments).status()?.success())
}
