//! `cargo xtask test`: every test of the workspace, and one line at the end that says how it went.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::process::Stdio;

use crate::test_summary::TestSummary;
use crate::workspace::cargo;

/// Runs `cargo test --workspace --no-fail-fast` with these arguments behind it: unit, integration and
/// documentation tests; examples are built. Its output is passed on as it comes; the last line is the
/// summary, alone. Whether tests ran and none failed.
///
/// # Errors
/// When cargo could not be started, or its output not be passed on.
pub fn run(arguments: &[OsString]) -> io::Result<bool> {
    let mut child = cargo()?
        .args(["test", "--workspace", "--no-fail-fast"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or_else(|| io::Error::other("cargo test has no output"))?;

    let mut summary = TestSummary::default();
    let mut stdout = io::stdout().lock();
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        stdout.write_all(&line)?;
        stdout.flush()?;
        summary.read_line(&String::from_utf8_lossy(&line));
        line.clear();
    }
    let status = child.wait()?;

    if !status.success() && summary.failed == 0 {
        // A build that failed or a test program that died has no result line of its own.
        eprintln!("xtask: cargo test itself failed ({status}); it counts as one failure");
        summary.failed = 1;
    } else if !summary.anything_ran() {
        eprintln!("xtask: no test ran, which is no success");
    }
    writeln!(stdout, "{summary}")?;
    stdout.flush()?;
    Ok(status.success() && summary.is_success())
}
