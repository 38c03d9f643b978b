//! `cargo xtask bench`, `cargo xtask drill` and `cargo xtask provider`: builds the load tool, and runs it.

use std::ffi::{OsStr, OsString};
use std::io;

use crate::workspace::cargo;

/// Builds the product for release, then builds and runs `xtask-load TASK ARGUMENTS`; whether it succeeded.
///
/// # Errors
/// When cargo could not be started.
pub fn run_on_product(task: &OsStr, arguments: &[OsString]) -> io::Result<bool> {
    let is_built = cargo()?.args(["build", "--release", "--package", "tenantry"]).status()?.success();
    Ok(is_built && run(task, arguments)?)
}

/// Builds and runs `xtask-load TASK ARGUMENTS`; whether it succeeded.
///
/// # Errors
/// When cargo could not be started.
pub fn run(task: &OsStr, arguments: &[OsString]) -> io::Result<bool> {
    let tool = ["run", "--release", "--package", "xtask", "--features", "load", "--bin", "xtask-load", "--"];
    Ok(cargo()?.args(tool).arg(task).args(arguments).status()?.success())
}
