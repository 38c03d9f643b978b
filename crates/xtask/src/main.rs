//! `cargo xtask`: the project's own tasks.

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use xtask::servers::{self, supervise};
use xtask::{continuous_integration, load_tool, test_run};

const USAGE: &str = "\
Usage: cargo xtask <task>

  test [--embedded] [ARGUMENTS]
                       run every test of the workspace, with the servers that some of them need: PostgreSQL,
                       Redis and memcached; with --embedded, those that need none. Arguments go to `cargo test`
  servers COMMAND      run a command with the addresses of such servers in its environment
  ci                   run everything that continuous integration checks
  bench [P1 P3 …] [--seconds N] [--rounds N] [--threads N] [--seed N]
                       [--write | --no-write]
                       measure against the bare server and pgbench; a run of everything writes
                       docs/benchmarks.md
  drill crash [--storage sqlite|postgres] [--rounds N] [--seconds N] [--seed N] [--minimum N] [--self-test]
                       kill -9 under load, and check that nothing acknowledged is lost
  drill nodes [--probes N] [--seed N] [--minimum N] [--self-test]
                       two nodes on one PostgreSQL and one Redis: read on either what one has acknowledged
  drill outage --server postgres|redis|memcached [--freeze] [--seconds N] [--seed N] [--minimum N] [--self-test]
                       kill, or freeze, a server under two nodes under load, and let it come back
  drill provider [--seconds N] [--seed N] [--self-test]
                       fetch from hostile providers, while another feed is to be fetched on time
  provider [--port N] [--plans N] [--zones N] [--dialect plan|event|older] [--seed N] [FAULTS]
                       serve a provider's feed, with the faults that docs/development.md lists
";

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let task = arguments.next().unwrap_or_default();
    let rest: Vec<OsString> = arguments.collect();
    let done = match task.to_str() {
        Some("test") => test_run::run(&rest),
        Some("servers") => servers::run(&rest),
        Some(supervise::TASK) => supervise::run(&rest),
        Some("ci") => continuous_integration::run(&rest),
        Some("bench" | "drill") => load_tool::run_on_product(&task, &rest),
        Some("provider") => load_tool::run(&task, &rest),
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
