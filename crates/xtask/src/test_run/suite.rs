//! One run of `cargo test`.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use crate::test_summary::TestSummary;
use crate::workspace;

/// Runs its arguments with room for more open files, as far as the system gives it: tests with hundreds of
/// connections, both ends in one process, run beside each other. Where it gives none, it is tried without.
const WITH_OPEN_FILES: &str = r#"
open=$(ulimit -S -n)
[ "$open" = unlimited ] || [ "$open" -ge 8192 ] ||
    ulimit -S -n 8192 2>/dev/null || ulimit -S -n "$(ulimit -H -n)" 2>/dev/null || true
exec "$@"
"#;

/// Runs `cargo test` with these arguments and variables. Its output is passed on as it comes, and its results
/// are added to `summary`. Whether tests ran and none failed.
pub(super) fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &[(OsString, OsString)],
    summary: &mut TestSummary,
) -> io::Result<bool> {
    let cargo = workspace::cargo()?;
    let mut child = in_shell(&cargo)
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or_else(|| io::Error::other("cargo test has no output"))?;

    let mut own = TestSummary::default();
    let mut stdout = io::stdout().lock();
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        stdout.write_all(&line)?;
        stdout.flush()?;
        own.read_line(&String::from_utf8_lossy(&line));
        line.clear();
    }
    let status = child.wait()?;

    if !status.success() && own.failed == 0 {
        // A build that failed or a test program that died has no result line of its own.
        eprintln!("xtask: cargo test itself failed ({status}); it counts as one failure");
        own.failed = 1;
    } else if !own.anything_ran() {
        eprintln!("xtask: no test ran, which is no success");
    }
    summary.add(own);
    Ok(status.success() && own.is_success())
}

/// The same command, started by [`WITH_OPEN_FILES`].
fn in_shell(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", WITH_OPEN_FILES, "sh"]).arg(command.get_program()).args(command.get_args());
    if let Some(directory) = command.get_current_dir() {
        shell.current_dir(directory);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}
