//! The servers that some tests need, brought for the time of a run: PostgreSQL, Redis, memcached and
//! RabbitMQ.
//!
//! A server whose variable is set in the environment is used as it is. Any other is started from what is
//! installed, or installed first where that may be done: on a free port of 127.0.0.1, in a temporary directory.
//! It runs under a supervisor, a process that ends it as soon as whoever asked for it is gone, in whatever way.

pub mod discovery;
pub(crate) mod installation;
mod instance;
pub mod rabbitmq;
pub mod readiness;
mod scratch;
pub mod supervise;
mod supervisor;
pub mod unprivileged;
mod watch;

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace;
use discovery::{Found, Places};
use supervisor::Supervisor;

/// A server that tests may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// PostgreSQL, 14 or newer.
    Postgres,
    /// Redis, or Valkey.
    Redis,
    /// memcached.
    Memcached,
    /// RabbitMQ, 3.10 or newer.
    RabbitMq,
}

impl Server {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Postgres, Self::Redis, Self::Memcached, Self::RabbitMq];

    /// The variable of the environment that holds its address: a URL.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "TENANTRY_TEST_POSTGRES_URL",
            Self::Redis => "TENANTRY_TEST_REDIS_URL",
            Self::Memcached => "TENANTRY_TEST_MEMCACHED_URL",
            Self::RabbitMq => "TENANTRY_TEST_RABBITMQ_URL",
        }
    }

    /// The crate whose tests need it.
    #[must_use]
    pub fn adapter(self) -> &'static str {
        match self {
            Self::Postgres => "tenantry-storage-postgres",
            Self::Redis => "tenantry-cache-redis",
            Self::Memcached => "tenantry-cache-memcached",
            Self::RabbitMq => "tenantry-queue-rabbitmq",
        }
    }

    /// Its name in one word of small letters.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Memcached => "memcached",
            Self::RabbitMq => "rabbitmq",
        }
    }

    /// Whether the workspace at `root` has its adapter.
    #[must_use]
    pub fn is_needed_in(self, root: &Path) -> bool {
        let directory = self.adapter().trim_start_matches("tenantry-");
        root.join("crates/adapters").join(directory).join("Cargo.toml").is_file()
    }

    /// Those whose adapters this workspace has.
    ///
    /// # Errors
    /// When the workspace is not found.
    pub fn needed() -> io::Result<Vec<Self>> {
        let root = workspace::root()?;
        Ok(Self::ALL.into_iter().filter(|server| server.is_needed_in(&root)).collect())
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
            Self::Memcached => "memcached",
            Self::RabbitMq => "RabbitMQ",
        })
    }
}

/// Servers that run until this is dropped.
pub struct Servers {
    environment: Vec<(OsString, OsString)>,
    _supervisor: Option<Supervisor>,
}

impl Servers {
    /// Brings these. What had to be done for it is said on standard error.
    ///
    /// # Errors
    /// When one is not installed, and cannot be: the error says what to type. When one does not start.
    pub fn bring(servers: &[Server]) -> io::Result<Self> {
        let is_given = |server: &Server| env::var_os(server.variable()).is_some_and(|url| !url.is_empty());
        let private: Vec<Server> = servers.iter().copied().filter(|server| !is_given(server)).collect();
        if private.is_empty() {
            return Ok(Self { environment: Vec::new(), _supervisor: None });
        }
        let found = find_or_install(&private)?;
        let supervisor = Supervisor::start(&found)?;
        let mut environment = supervisor.environment().to_vec();
        environment.extend(path_with(&found));
        Ok(Self { environment, _supervisor: Some(supervisor) })
    }

    /// What a program that uses them must have in its environment, beside what is there already.
    #[must_use]
    pub fn environment(&self) -> &[(OsString, OsString)] {
        &self.environment
    }
}

/// Where these are installed; what is missing is installed first, where that may be done.
///
/// # Errors
/// When one is not installed, and cannot be: the error says what to type.
pub fn find_or_install(servers: &[Server]) -> io::Result<Vec<Found>> {
    let places = Places::of_this_machine();
    let missing: Vec<Server> =
        servers.iter().copied().filter(|server| places.find(*server).is_none()).collect();
    if !missing.is_empty() {
        installation::install(&missing, &places)?;
    }
    let found = |server: &Server| {
        let why = || io::Error::other(format!("{server} is installed, and is still not found"));
        places.find(*server).ok_or_else(why)
    };
    servers.iter().map(found).collect()
}

/// `PATH` with the directories of what was found behind it: tests that start servers of their own look there.
fn path_with(found: &[Found]) -> Option<(OsString, OsString)> {
    let mut path: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    for directory in found.iter().map(Found::directory) {
        if !path.iter().any(|known| known == directory) {
            path.push(directory.to_path_buf());
        }
    }
    let joined = env::join_paths(path).ok()?;
    Some(("PATH".into(), joined))
}

/// `cargo xtask servers COMMAND …`: runs a command with the servers' addresses in its environment; whether it
/// succeeded.
///
/// # Errors
/// As [`Servers::bring`]; and when the command could not be started.
pub fn run(command: &[OsString]) -> io::Result<bool> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(io::Error::other(
            "say which command is to have the servers: cargo xtask servers COMMAND",
        ));
    };
    let servers = Servers::bring(&Server::ALL)?;
    let environment = servers.environment().iter().map(|(name, value)| (name, value));
    Ok(Command::new(program).args(arguments).envs(environment).status()?.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_needed_where_its_adapter_is() {
        let root = env::temp_dir().join(format!("xtask-needed-{}", std::process::id()));
        let adapter = root.join("crates/adapters/cache-redis");
        std::fs::create_dir_all(&adapter).unwrap();
        std::fs::write(adapter.join("Cargo.toml"), "").unwrap();
        let needed = Server::ALL.map(|server| server.is_needed_in(&root));
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(needed, [false, true, false, false]);
    }
}
