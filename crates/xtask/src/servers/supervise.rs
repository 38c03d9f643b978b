//! The hidden task `supervise`: the process whose children the servers are.
//!
//! It says each server's variable and URL on its standard output, a line each, then an empty line, and ends them
//! all when its standard input ends. So it needs no signals; and it is not in the foreground process group of
//! a terminal, so that Ctrl-C ends those who use the servers first, and then by that the servers.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use super::Server;
use super::discovery::Found;
use super::instance::Instance;
use super::scratch::Scratch;
use super::watch::Watch;

/// The task's name.
pub const TASK: &str = "supervise";

/// What tells the task of a server.
pub(super) fn arguments(found: &Found) -> [OsString; 2] {
    [found.server.word().into(), found.program.clone().into()]
}

fn read_arguments(arguments: &[OsString]) -> Option<Vec<Found>> {
    let (pairs, []) = arguments.as_chunks::<2>() else { return None };
    let found = |[word, program]: &[OsString; 2]| {
        let server = Server::ALL.into_iter().find(|server| word == server.word())?;
        Some(Found { server, program: PathBuf::from(program) })
    };
    pairs.iter().map(found).collect()
}

/// Runs the servers that the arguments name until standard input ends.
///
/// # Errors
/// When one of them does not start. None is left then.
pub fn run(arguments: &[OsString]) -> io::Result<bool> {
    let unreadable = || io::Error::other("this task is for xtask itself: see `cargo xtask servers`");
    let wanted = read_arguments(arguments).ok_or_else(unreadable)?;
    let watch = Watch::standard_input();
    let scratch = Scratch::make()?;
    // Dropped before the directory, which they use.
    let mut instances = Vec::new();
    for found in &wanted {
        instances.push(Instance::start(found, &scratch, &watch)?);
    }
    let lines = instances.iter().zip(&wanted);
    let mut said: String =
        lines.map(|(instance, found)| format!("{}={}\n", found.server.variable(), instance.url())).collect();
    said.push('\n');
    let mut output = io::stdout().lock();
    output.write_all(said.as_bytes())?;
    output.flush()?;
    drop(output);
    watch.wait();
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_understood() {
        let found = [
            Found { server: Server::Postgres, program: "/usr/lib/postgresql/15/bin/postgres".into() },
            Found { server: Server::Memcached, program: "/a b/memcached".into() },
        ];
        let told: Vec<OsString> = found.iter().flat_map(arguments).collect();
        assert_eq!(read_arguments(&told).as_deref(), Some(&found[..]));
        assert_eq!(read_arguments(&told[..3]), None);
        assert_eq!(read_arguments(&["mysql".into(), "/usr/bin/mysqld".into()]), None);
    }
}
