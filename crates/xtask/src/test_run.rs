//! `cargo xtask test`: every test of the workspace, and one line at the end that says how it went.

mod arguments;
mod suite;

use std::ffi::OsString;
use std::io::{self, Write};

use crate::python;
use crate::servers::{Server, Servers};
use crate::test_summary::TestSummary;
use arguments::TestArguments;

/// The variable that says on which engines the tests of the app run; without it, on SQLite.
const STACK: &str = "TENANTRY_TEST_STACK";

/// The engines that the HTTP suite runs on once more, and the servers that each of them is.
const STACKS: [(&str, [Server; 2]); 2] = [
    ("postgres-redis", [Server::Postgres, Server::Redis]),
    ("postgres-memcached", [Server::Postgres, Server::Memcached]),
];

/// What the test program of the app has for any stack; the rest is about SQLite's file, or about no engine.
const OF_ANY_STACK: [&str; 3] = ["api::", "compat::", "maintenance::"];

/// What other crates than the adapters have that needs servers: the modules of these tests.
const NEED_SERVERS: [&str; 2] = ["postgres::", "needs_servers::"];

/// Runs `cargo test --workspace --no-fail-fast` with these arguments behind it: unit, integration and
/// documentation tests; examples are built. The servers that they need are brought, and a Python with requests. Unless the arguments pick
/// some of the tests, the HTTP suite follows on each stack. With `--embedded`, only what needs no server is run.
///
/// Output is passed on as it comes; the last line is the summary of it all, alone. Whether tests ran and none
/// failed.
///
/// # Errors
/// When the servers can't be had, cargo could not be started, or its output not be passed on.
pub fn run(arguments: &[OsString]) -> io::Result<bool> {
    let arguments = TestArguments::read(arguments);
    let needed = Server::needed()?;
    let servers = if arguments.embedded { None } else { Some(Servers::bring(&needed)?) };
    let mut environment = servers.as_ref().map_or(Vec::new(), |servers| servers.environment().to_vec());
    environment.extend(python::bring());

    let mut summary = TestSummary::default();
    let excluded = needed.iter().filter(|_| arguments.embedded);
    let excluded = excluded.flat_map(|server| ["--exclude".into(), server.adapter().into()]);
    let skipped = NEED_SERVERS.iter().filter(|_| arguments.embedded);
    let skipped: Vec<_> = skipped.flat_map(|module| ["--skip", module]).collect();
    let mut is_success = suite::run(
        command(&arguments, excluded, &skipped),
        &with(&environment, STACK, "sqlite"),
        &mut summary,
    )?;
    for (stack, servers) in STACKS {
        let is_here = servers.iter().all(|server| needed.contains(server));
        if arguments.embedded || arguments.pick_tests() || !is_here {
            continue;
        }
        println!("\nThe HTTP suite on {stack}\n");
        let program = ["--test".into(), "it".into()];
        is_success &= suite::run(
            command(&arguments, program, &OF_ANY_STACK),
            &with(&environment, STACK, stack),
            &mut summary,
        )?;
    }
    // The last line is the summary: whatever the servers may say comes before it.
    drop(servers);
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{summary}")?;
    stdout.flush()?;
    Ok(is_success)
}

/// `cargo test`'s arguments: the whole workspace is built each time, so that the features of shared libraries are
/// the same and nothing is compiled twice.
fn command(
    arguments: &TestArguments,
    more: impl IntoIterator<Item = OsString>,
    filters: &[&str],
) -> Vec<OsString> {
    let mut command: Vec<OsString> = ["test", "--workspace", "--no-fail-fast"].map(Into::into).to_vec();
    command.extend(more);
    command.extend(arguments.cargo.iter().cloned());
    if !arguments.programs.is_empty() || !filters.is_empty() {
        command.push("--".into());
        command.extend(filters.iter().map(Into::into));
        command.extend(arguments.programs.iter().cloned());
    }
    command
}

fn with(environment: &[(OsString, OsString)], name: &str, value: &str) -> Vec<(OsString, OsString)> {
    let mut environment = environment.to_vec();
    environment.push((name.into(), value.into()));
    environment
}
