//! A PostgreSQL of one test's own, also with a streaming replica, and on a small disk.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tempfile::TempDir;

use crate::small_disk::{self, SmallDisk};

/// How long a server may take to start, on a machine that is busy.
const START: Duration = Duration::from_secs(60);

/// A server, which ends when this is dropped.
pub(crate) struct Server {
    programs: PathBuf,
    data: PathBuf,
    port: u16,
    child: Child,
}

/// A server alone.
pub(crate) struct Alone {
    pub(crate) server: Server,
    /// Only held, to be dropped last.
    _place: TempDir,
}

/// A primary and its replica.
pub(crate) struct Cluster {
    pub(crate) primary: Server,
    pub(crate) replica: Server,
    /// Only held, to be dropped last.
    _place: TempDir,
}

impl Cluster {
    /// Starts both. The replica has all that the primary has.
    pub(crate) fn start() -> Self {
        let (programs, place) = (programs(), place());
        let data = place.path().join("primary");
        init(&programs, &data, &[]);
        let primary = Server::start(&programs, &data, free_port());
        let copy =
            ["-h", "127.0.0.1", "-U", "postgres", "-p", &primary.port.to_string(), "-R", "-c", "fast", "-D"];
        let data = place.path().join("replica");
        finish(command(&programs, "pg_basebackup", place.path()).args(copy).arg(&data));
        let replica = Server::start(&programs, &data, free_port());
        Self { primary, replica, _place: place }
    }
}

impl Alone {
    pub(crate) fn start() -> Self {
        let (programs, place) = (programs(), place());
        let data = place.path().join("data");
        init(&programs, &data, &[]);
        Self { server: Server::start(&programs, &data, free_port()), _place: place }
    }

    /// One whose data is on a [`SmallDisk`], its log only where `holds_log`. Why not, where this is not possible.
    pub(crate) fn start_on(holds_log: bool) -> Result<(Self, SmallDisk), String> {
        let (programs, place) = (programs(), place());
        let (data, log) = (place.path().join("data"), place.path().join("log"));
        let elsewhere = format!("--waldir={}", log.display());
        init(&programs, &data, if holds_log { &[] } else { std::slice::from_ref(&elsewhere) });
        let command = small_disk::command(&programs, &data, &command(&programs, "postgres", &data))?;
        let server = Server::run_by(&programs, &data, free_port(), command);
        let disk = SmallDisk::of(server.child.id(), &data);
        Ok((Self { server, _place: place }, disk))
    }
}

impl Server {
    fn start(programs: &Path, data: &Path, port: u16) -> Self {
        Self::run_by(programs, data, port, command(programs, "postgres", data))
    }

    fn run_by(programs: &Path, data: &Path, port: u16, command: Command) -> Self {
        let (programs, data) = (programs.to_owned(), data.to_owned());
        let child = spawn(command, &data, port);
        let mut server = Self { programs, data, port, child };
        server.wait_until_it_answers();
        server
    }

    /// From now on this role gives a password, where it comes by TCP.
    pub(crate) fn ask_for_password(&self, role: &str) {
        let file = self.data.join("pg_hba.conf");
        let rules = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("host all {role} 127.0.0.1/32 scram-sha-256\n{rules}")).unwrap();
        self.run("SELECT pg_reload_conf()");
        let without = self.url().replace("postgres@", &format!("{role}@"));
        let begun = Instant::now();
        while PgConnection::establish(&without).is_ok() {
            assert!(begun.elapsed() < START, "the rules are not read");
            std::thread::yield_now();
        }
    }

    fn wait_until_it_answers(&mut self) {
        let begun = Instant::now();
        while PgConnection::establish(&self.url()).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < START, "PostgreSQL does not start: {ended:?}");
            std::thread::yield_now();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Runs SQL there.
    pub(crate) fn run(&self, sql: &str) {
        PgConnection::establish(&self.url()).unwrap().batch_execute(sql).unwrap();
    }

    /// The one number that the query answers.
    pub(crate) fn number(&self, query: &str) -> i64 {
        let number = diesel::dsl::sql::<diesel::sql_types::BigInt>(query);
        diesel::select(number).get_result(&mut PgConnection::establish(&self.url()).unwrap()).unwrap()
    }

    /// It ends at once, as in a crash.
    pub(crate) fn crash(&mut self) {
        let stop = ["stop", "-m", "immediate", "-D"];
        let _ = command(&self.programs, "pg_ctl", &self.data).args(stop).arg(&self.data).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// It starts once more, with what it has on disk.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(command(&self.programs, "postgres", &self.data), &self.data, self.port);
        self.wait_until_it_answers();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.crash();
    }
}

/// A directory for those whom PostgreSQL runs as.
fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    if let Some((user, group)) = unprivileged() {
        chown(place.path(), Some(user), Some(group)).unwrap();
    }
    place
}

fn init(programs: &Path, data: &Path, more: &[String]) {
    let initdb = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
    let place = data.parent().unwrap();
    finish(command(programs, "initdb", place).args(initdb).args(more).arg("-D").arg(data));
}

fn spawn(mut command: Command, data: &Path, port: u16) -> Child {
    command.arg("-D").arg(data).args(["-p", &port.to_string()]);
    for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"] {
        command.args(["-c", setting]);
    }
    command.spawn().unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Where PostgreSQL's programs are: in `PATH`, or where Debian and Red Hat put them.
fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<_> = std::env::split_paths(&path).collect();
    for (parent, prefix) in [("/usr/lib/postgresql", ""), ("/usr", "pgsql-"), ("/usr/local", "pgsql")] {
        let found = fs::read_dir(parent).into_iter().flatten().flatten();
        let fits = found.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
        places.extend(fits.map(|entry| entry.path().join("bin")));
    }
    let is_whole = |place: &&PathBuf| {
        ["postgres", "initdb", "pg_ctl", "pg_basebackup"].iter().all(|program| {
            fs::metadata(place.join(program)).is_ok_and(|file| file.permissions().mode() & 0o111 != 0)
        })
    };
    places.iter().rfind(is_whole).cloned().unwrap_or_else(|| {
        panic!("run `cargo xtask test`, which installs PostgreSQL where it may: initdb and pg_basebackup are not found")
    })
}

/// Whom PostgreSQL runs as where the tests run as root, which it refuses to be.
pub(crate) fn unprivileged() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    let of = |name: &str| {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map(|number| number.parse().ok());
        Some((numbers.next()??, numbers.next()??))
    };
    of("postgres").or_else(|| of("nobody"))
}

fn command(programs: &Path, program: &str, place: &Path) -> Command {
    let mut command = Command::new(programs.join(program));
    command.current_dir(place).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some((user, group)) = unprivileged() {
        command.uid(user).gid(group);
    }
    command
}

fn finish(command: &mut Command) {
    let ended = command.status().unwrap();
    assert!(ended.success(), "{command:?} has failed: {ended}");
}
