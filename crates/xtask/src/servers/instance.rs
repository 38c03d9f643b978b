//! One server: how it is started and ended.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::discovery::Found;
use super::rabbitmq::{self, Ports};
use super::readiness;
use super::scratch::Scratch;
use super::watch::Watch;
use super::{Server, unprivileged::Unprivileged};

/// How long a server may take to start, on a machine that is busy with a build.
const START: Duration = Duration::from_secs(60);
/// How long PostgreSQL may take to end before it is killed.
const END: Duration = Duration::from_secs(10);
/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(20);
/// A free port may be somebody else's before the server has it.
const ATTEMPTS: u32 = 3;

/// A server that runs until this is dropped.
pub(super) struct Instance<'a> {
    found: &'a Found,
    directory: PathBuf,
    user: Option<Unprivileged>,
    port: u16,
    child: Option<Child>,
    /// What the server would start by itself, and leave behind: the daemon by which RabbitMQ's nodes find each other.
    companion: Option<Child>,
}

impl<'a> Instance<'a> {
    /// Makes what the server needs, starts it, and waits until it answers.
    ///
    /// # Errors
    /// When it does not start in time, with what it logged last; when `watch` is over.
    pub(super) fn start(found: &'a Found, scratch: &Scratch, watch: &Watch) -> io::Result<Self> {
        let directory = scratch.path().join(found.server.word());
        let user = scratch.user();
        DirBuilder::new().mode(0o700).create(&directory)?;
        if let Some(user) = user {
            chown(&directory, Some(user.uid), Some(user.gid))?;
        }
        let mut instance = Self { found, directory, user, port: 0, child: None, companion: None };
        if found.server == Server::Postgres {
            instance.make_cluster(watch)?;
        }
        for _ in 0..ATTEMPTS {
            if instance.serve(watch)? {
                return Ok(instance);
            }
        }
        Err(instance.failed("has ended at once"))
    }

    /// Its address, as tests want it.
    pub(super) fn url(&self) -> String {
        let port = self.port;
        match self.found.server {
            Server::Postgres => format!("postgres://postgres@127.0.0.1:{port}/postgres"),
            Server::Redis => format!("redis://127.0.0.1:{port}"),
            Server::Memcached => format!("memcached://127.0.0.1:{port}"),
            Server::RabbitMq => format!("amqp://guest:guest@127.0.0.1:{port}"),
        }
    }

    /// A new cluster, whose superuser is `postgres` whoever runs it.
    fn make_cluster(&self, watch: &Watch) -> io::Result<()> {
        let mut initdb = self.command(&self.found.beside("initdb"))?;
        initdb.arg("-D").arg(self.cluster());
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        let mut initdb = initdb.spawn()?;
        match self.end_of(&mut initdb, watch)? {
            status if status.success() => Ok(()),
            _ => Err(self.failed("could not be set up by initdb")),
        }
    }

    /// Starts it on a free port. `false`: it has ended by itself.
    fn serve(&mut self, watch: &Watch) -> io::Result<bool> {
        self.port = free_port()?;
        let mut command = self.command(&self.found.program)?;
        self.add_arguments(&mut command);
        if self.found.server == Server::RabbitMq {
            self.prepare_rabbitmq(&mut command)?;
        }
        let child = self.child.insert(command.spawn()?);
        let end = Instant::now() + START;
        while child.try_wait()?.is_none() {
            if readiness::is_ready(self.found.server, self.port) {
                return Ok(true);
            }
            if Instant::now() > end {
                return Err(self.failed("does not answer"));
            }
            if watch.is_over_within(LOOK) {
                return Err(gone());
            }
        }
        self.child = None;
        Ok(false)
    }

    fn add_arguments(&self, command: &mut Command) {
        let port = self.port.to_string();
        match self.found.server {
            Server::Postgres => {
                command.arg("-D").arg(self.cluster()).args(["-p", &port]);
                for setting in [
                    "listen_addresses=127.0.0.1",
                    "unix_socket_directories=",
                    "max_connections=300",
                    // Nothing here outlives the machine. Tests of durability kill a server, which loses
                    // nothing by these, or start one of their own.
                    "fsync=off",
                    "full_page_writes=off",
                ] {
                    command.args(["-c", setting]);
                }
            }
            Server::Redis => {
                command.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"]);
                command.args(["--daemonize", "no"]).arg("--dir").arg(&self.directory);
            }
            Server::Memcached => {
                command.args(["-l", "127.0.0.1", "-p", &port, "-U", "0", "-m", "64"]);
            }
            // By its environment alone.
            Server::RabbitMq => {}
        }
    }

    /// Tells RabbitMQ where everything of it is to be, and starts its daemon.
    fn prepare_rabbitmq(&mut self, command: &mut Command) -> io::Result<()> {
        let ports = Ports { amqp: self.port, distribution: free_port()?, epmd: free_port()? };
        rabbitmq::prepare(command, &self.directory, ports)?;
        let mut daemon = self.command(Path::new("epmd"))?;
        daemon.args(rabbitmq::epmd_arguments(ports));
        if let Some(mut former) = self.companion.replace(daemon.spawn()?) {
            kill(&mut former);
        }
        Ok(())
    }

    /// A program that runs as the server's user, in its directory, and writes to its log.
    fn command(&self, program: &Path) -> io::Result<Command> {
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = Command::new(program);
        command.current_dir(&self.directory).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        Ok(command)
    }

    /// Waits for a program's end.
    fn end_of(&self, child: &mut Child, watch: &Watch) -> io::Result<ExitStatus> {
        let end = Instant::now() + START;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            let is_late = Instant::now() > end;
            if is_late || watch.is_over_within(LOOK) {
                kill(child);
                return Err(if is_late { self.failed("takes too long") } else { gone() });
            }
        }
    }

    /// Asks PostgreSQL to end: killed, it would leave a segment of shared memory behind.
    fn ask_to_end(&self) -> io::Result<()> {
        let mut pg_ctl = self.command(&self.found.beside("pg_ctl"))?;
        pg_ctl.arg("-D").arg(self.cluster()).args(["-m", "immediate", "-W", "stop"]).status().map(drop)
    }

    fn cluster(&self) -> PathBuf {
        self.directory.join("cluster")
    }

    fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    fn failed(&self, how: &str) -> io::Error {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines.get(lines.len().saturating_sub(10)..).unwrap_or_default().join("\n");
        let (server, program) = (self.found.server, self.found.program.display());
        io::Error::other(format!("{server} ({program}) {how}; it says:\n{last}"))
    }
}

impl Drop for Instance<'_> {
    fn drop(&mut self) {
        self.end_server();
        if let Some(mut companion) = self.companion.take() {
            kill(&mut companion);
        }
    }
}

impl Instance<'_> {
    fn end_server(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        if self.found.server == Server::Postgres && self.ask_to_end().is_ok() {
            let end = Instant::now() + END;
            while matches!(child.try_wait(), Ok(None)) && Instant::now() < end {
                std::thread::sleep(LOOK);
            }
        }
        kill(&mut child);
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn kill(child: &mut Child) {
    // What has ended already is only waited for.
    let _ = child.kill();
    let _ = child.wait();
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::Interrupted, "whoever asked for the servers has gone")
}
