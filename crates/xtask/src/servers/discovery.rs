//! Where the programs of the servers are.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Server;

/// The oldest PostgreSQL that Tenantry works with.
const OLDEST_POSTGRES: u32 = 14;

/// Directories outside `PATH` in which packages put servers: Debian's, Red Hat's, PostgreSQL's own, Homebrew's
/// and MacPorts'. A star stands for any characters of a name.
const USUAL: [&str; 15] = [
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "usr/local/pgsql/bin",
    "usr/lib/rabbitmq/bin",
    "usr/bin",
    "usr/sbin",
    "usr/local/bin",
    "usr/local/sbin",
    "usr/local/opt/*/bin",
    "opt/homebrew/bin",
    "opt/homebrew/opt/*/bin",
    "home/linuxbrew/.linuxbrew/bin",
    "home/linuxbrew/.linuxbrew/opt/*/bin",
    "opt/local/bin",
    "opt/local/lib/postgresql*/bin",
];

/// A server that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub server: Server,
    /// The program that serves.
    pub program: PathBuf,
}

impl Found {
    /// Where the program is.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.program.parent().unwrap_or(Path::new("/"))
    }

    /// Another program of the same directory.
    #[must_use]
    pub fn beside(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }
}

/// The directories in which programs are looked for.
#[derive(Debug, Clone)]
pub struct Places {
    path: Vec<PathBuf>,
    root: PathBuf,
}

impl Places {
    /// Those of `PATH`, then the usual ones.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        Self { path: env::split_paths(&path).collect(), root: PathBuf::from("/") }
    }

    /// None, where nothing is found.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self { path: Vec::new(), root: PathBuf::from("/nowhere") }
    }

    /// Where the server is installed, if it is: of several PostgreSQLs the newest, of others the first.
    #[must_use]
    pub fn find(&self, server: Server) -> Option<Found> {
        match server {
            Server::Postgres => self.find_postgres(version_of),
            Server::Redis => self.find_first(server, &["redis-server", "valkey-server"]),
            Server::Memcached => self.find_first(server, &["memcached"]),
            Server::RabbitMq => self.find_rabbitmq(),
        }
    }

    /// Whether there is such a program.
    #[must_use]
    pub fn has(&self, program: &str) -> bool {
        self.directories().any(|directory| is_program(&directory.join(program)))
    }

    fn find_first(&self, server: Server, names: &[&str]) -> Option<Found> {
        let mut programs =
            names.iter().flat_map(|name| self.directories().map(move |directory| directory.join(name)));
        programs.find(|program| is_program(program)).map(|program| Found { server, program })
    }

    /// Debian's program in `PATH` serves root and its own user alone; the one that it calls serves anybody.
    fn find_rabbitmq(&self) -> Option<Found> {
        let debian = self.root.join("usr/lib/rabbitmq/bin/rabbitmq-server");
        if is_program(&debian) {
            return Some(Found { server: Server::RabbitMq, program: debian });
        }
        self.find_first(Server::RabbitMq, &["rabbitmq-server"])
    }

    fn find_postgres(&self, version_of: impl Fn(&Path) -> Option<u32>) -> Option<Found> {
        let mut newest: Option<(u32, PathBuf)> = None;
        for directory in self.directories() {
            let is_whole =
                ["postgres", "initdb", "pg_ctl"].iter().all(|name| is_program(&directory.join(name)));
            if !is_whole {
                continue;
            }
            let program = directory.join("postgres");
            let Some(version) = version_of(&program).filter(|version| *version >= OLDEST_POSTGRES) else {
                continue;
            };
            if newest.as_ref().is_none_or(|(standing, _)| version > *standing) {
                newest = Some((version, program));
            }
        }
        newest.map(|(_, program)| Found { server: Server::Postgres, program })
    }

    fn directories(&self) -> impl Iterator<Item = PathBuf> {
        let usual = USUAL.into_iter().flat_map(|pattern| expand(&self.root, pattern));
        self.path.iter().cloned().chain(usual)
    }
}

/// The directories that a pattern stands for, in the order of their names.
fn expand(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![root.to_path_buf()];
    for part in pattern.split('/') {
        found = match part.split_once('*') {
            None => found.into_iter().map(|place| place.join(part)).collect(),
            Some((start, end)) => found.iter().flat_map(|place| matching(place, start, end)).collect(),
        };
    }
    found
}

fn matching(directory: &Path, start: &str, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let fits = |name: &str| name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end));
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(fits))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// What a `postgres` says of itself: `postgres (PostgreSQL) 15.14 (Debian 15.14-1)` is 15.
fn version_of(postgres: &Path) -> Option<u32> {
    let output = Command::new(postgres).arg("--version").output().ok()?;
    major_version(&String::from_utf8_lossy(&output.stdout))
}

fn major_version(line: &str) -> Option<u32> {
    let number = line.split_once("(PostgreSQL)")?.1.trim_start();
    let digits = number.find(|character: char| !character.is_ascii_digit()).unwrap_or(number.len());
    number.get(..digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::fs::{File, Permissions};
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A machine with nothing but these programs, gone when it is dropped.
    struct Machine(PathBuf);

    impl Machine {
        fn with(programs: &[&str]) -> Self {
            static NUMBER: AtomicU32 = AtomicU32::new(0);
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let root = env::temp_dir().join(format!("xtask-machine-{}-{number}", std::process::id()));
            for program in programs {
                let program = root.join(program);
                fs::create_dir_all(program.parent().unwrap()).unwrap();
                File::create(&program).unwrap().set_permissions(Permissions::from_mode(0o755)).unwrap();
            }
            Self(root)
        }

        fn places(&self, path: &[&str]) -> Places {
            Places { path: path.iter().map(|part| self.0.join(part)).collect(), root: self.0.clone() }
        }

        fn postgres_of(&self, path: &[&str]) -> Option<String> {
            // The version stands in the path.
            let version = |program: &Path| {
                let path = program.strip_prefix(&self.0).unwrap().to_str().unwrap();
                path.split(|character: char| !character.is_ascii_digit()).find_map(|part| part.parse().ok())
            };
            let found = self.places(path).find_postgres(version)?;
            Some(found.program.strip_prefix(&self.0).unwrap().to_str().unwrap().to_owned())
        }
    }

    impl Drop for Machine {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn postgres(directory: &str) -> Vec<String> {
        ["postgres", "initdb", "pg_ctl"].map(|name| format!("{directory}/{name}")).to_vec()
    }

    fn machine(directories: &[&str]) -> Machine {
        let programs: Vec<String> = directories.iter().flat_map(|place| postgres(place)).collect();
        Machine::with(&programs.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[test]
    fn of_several_postgresqls_the_newest_is_taken() {
        let machine =
            machine(&["usr/lib/postgresql/9/bin", "usr/lib/postgresql/15/bin", "usr/lib/postgresql/17/bin"]);
        assert_eq!(machine.postgres_of(&[]).as_deref(), Some("usr/lib/postgresql/17/bin/postgres"));
        let older_in_path = machine.postgres_of(&["usr/lib/postgresql/15/bin"]);
        assert_eq!(older_in_path.as_deref(), Some("usr/lib/postgresql/17/bin/postgres"));
    }

    #[test]
    fn a_postgresql_in_the_path_goes_before_another_of_the_same_version() {
        let machine = machine(&["usr/lib/postgresql/16/bin", "own16"]);
        assert_eq!(machine.postgres_of(&["own16"]).as_deref(), Some("own16/postgres"));
    }

    #[test]
    fn a_postgresql_that_is_too_old_or_not_whole_is_passed_over() {
        assert_eq!(machine(&["usr/lib/postgresql/13/bin"]).postgres_of(&[]), None);
        let client_only = Machine::with(&["usr/lib/postgresql/15/bin/psql"]);
        assert_eq!(client_only.postgres_of(&[]), None);
        let no_initdb =
            Machine::with(&["usr/lib/postgresql/15/bin/postgres", "usr/lib/postgresql/15/bin/pg_ctl"]);
        assert_eq!(no_initdb.postgres_of(&[]), None);
    }

    #[test]
    fn homebrews_directories_are_known() {
        let machine = machine(&["opt/homebrew/opt/postgresql@17/bin"]);
        let found = machine.postgres_of(&[]);
        assert_eq!(found.as_deref(), Some("opt/homebrew/opt/postgresql@17/bin/postgres"));
    }

    #[test]
    fn a_cache_in_the_path_goes_before_one_elsewhere() {
        let machine =
            Machine::with(&["usr/bin/redis-server", "mine/redis-server", "usr/local/bin/memcached"]);
        let found = |server, path: &[&str]| machine.places(path).find(server).map(|found| found.program);
        assert_eq!(found(Server::Redis, &["mine"]), Some(machine.0.join("mine/redis-server")));
        assert_eq!(found(Server::Redis, &[]), Some(machine.0.join("usr/bin/redis-server")));
        assert_eq!(found(Server::Memcached, &[]), Some(machine.0.join("usr/local/bin/memcached")));
    }

    #[test]
    fn of_debians_two_rabbitmqs_the_one_for_anybody_is_taken() {
        let machine = Machine::with(&["usr/sbin/rabbitmq-server", "usr/lib/rabbitmq/bin/rabbitmq-server"]);
        let found = machine.places(&["usr/sbin"]).find(Server::RabbitMq).map(|found| found.program);
        assert_eq!(found, Some(machine.0.join("usr/lib/rabbitmq/bin/rabbitmq-server")));
        let elsewhere = Machine::with(&["usr/local/sbin/rabbitmq-server"]);
        assert!(elsewhere.places(&[]).find(Server::RabbitMq).is_some());
    }

    #[test]
    fn valkey_is_taken_where_there_is_no_redis() {
        let machine = Machine::with(&["usr/bin/valkey-server"]);
        let found = machine.places(&[]).find(Server::Redis);
        assert_eq!(found.map(|found| found.program), Some(machine.0.join("usr/bin/valkey-server")));
    }

    #[test]
    fn what_cannot_be_run_is_no_program() {
        let machine = Machine::with(&["usr/bin/memcached/inside"]);
        fs::write(machine.0.join("usr/bin/redis-server"), "").unwrap();
        assert_eq!(machine.places(&["absent"]).find(Server::Memcached), None);
        assert_eq!(machine.places(&["absent"]).find(Server::Redis), None);
        assert!(!machine.places(&[]).has("redis-server"));
    }

    #[test]
    fn the_version_is_read_from_what_postgresql_says() {
        assert_eq!(major_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_version("postgres (PostgreSQL) 9.6.24\n"), Some(9));
        assert_eq!(major_version("postgres\n"), None);
        assert_eq!(major_version(""), None);
    }
}
