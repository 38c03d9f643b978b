//! One server of a run's own.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use xtask::servers::Server;
use xtask::servers::discovery::Found;
use xtask::servers::rabbitmq::{self, Ports};
use xtask::servers::readiness::is_ready;
use xtask::servers::unprivileged::Unprivileged;

use super::guard::{self, Guard};
use super::process_tree::{signal, tree, wait_until_gone};
use crate::Result;

/// How long a server may take to answer, also after a crash.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server on a port of 127.0.0.1 that stays the same. Dropped, it is ended.
pub(crate) struct PrivateServer {
    found: Found,
    directory: PathBuf,
    user: Option<Unprivileged>,
    guard: Arc<Guard>,
    port: u16,
    child: Option<Child>,
    /// What RabbitMQ would start by itself, and leave behind: the daemon by which its nodes find each other.
    companion: Option<(Ports, Child)>,
}

impl PrivateServer {
    /// Makes what it needs in its directory, and starts it.
    pub(super) fn make(
        found: Found,
        directory: PathBuf,
        user: Option<Unprivileged>,
        guard: Arc<Guard>,
    ) -> Result<Self> {
        let port = free_port()?;
        let mut server = Self { found, directory, user, guard, port, child: None, companion: None };
        if server.found.server == Server::Postgres {
            let mut initdb = server.command(&server.found.beside("initdb"))?;
            initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-D"]);
            if !initdb.arg(server.cluster()).status()?.success() {
                return Err(server.failed("could not be set up by initdb"));
            }
        }
        if server.found.server == Server::RabbitMq {
            let ports = Ports { amqp: port, distribution: free_port()?, epmd: free_port()? };
            let daemon = server.command(Path::new("epmd"))?.args(rabbitmq::epmd_arguments(ports)).spawn()?;
            server.guard.watch(daemon.id())?;
            server.companion = Some((ports, daemon));
        }
        server.start()?;
        Ok(server)
    }

    /// Starts it, as it was left, and waits until it answers.
    pub(crate) fn start(&mut self) -> Result<()> {
        let mut command = self.command(&self.found.program)?;
        self.add_arguments(&mut command);
        self.prepare(&mut command)?;
        let child = self.child.insert(command.spawn()?);
        self.guard.watch(child.id())?;
        let end = Instant::now() + PATIENCE;
        while !is_ready(self.found.server, self.port) {
            let ended = self.child.as_mut().map(Child::try_wait).transpose()?.flatten().is_some();
            if ended || Instant::now() > end {
                return Err(self.failed(if ended { "has ended at once" } else { "does not answer" }));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Kills all of it at once, as `kill -9` does.
    pub(crate) fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().ok_or("a server that is to be killed does not run")?;
        let all = tree(child.id());
        signal(&all, Signal::KILL);
        child.wait()?;
        self.guard.forget(child.id())?;
        wait_until_gone(&all)
    }

    /// Freezes all of it: it says nothing any more, and its connections stay.
    pub(crate) fn freeze(&self) -> Result<()> {
        let child = self.child.as_ref().ok_or("a server that is to be frozen does not run")?;
        // The first process first, so that it starts no others meanwhile.
        signal(&[child.id()], Signal::STOP);
        signal(&tree(child.id()), Signal::STOP);
        Ok(())
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) -> Result<()> {
        let child = self.child.as_ref().ok_or("a server that is to be thawed does not run")?;
        signal(&tree(child.id()), Signal::CONT);
        Ok(())
    }

    /// Its URL; PostgreSQL's for that user, who needs no password.
    pub(crate) fn url(&self, user: &str) -> String {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        match self.found.server {
            Server::Postgres => format!("postgres://{user}@{address}/postgres"),
            Server::Redis => format!("redis://{address}"),
            Server::Memcached => format!("memcached://{address}"),
            Server::RabbitMq => format!("amqp://guest:guest@{address}"),
        }
    }

    /// A program of PostgreSQL's that works on this server as its superuser.
    pub(crate) fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(self.program(name));
        command.args(["-h", "127.0.0.1", "-U", "postgres", "-p"]).arg(self.port.to_string());
        command.stdin(Stdio::null()).current_dir(&self.directory);
        command
    }

    /// RabbitMQ's `rabbitmqctl`, for this node, as its user.
    pub(crate) fn rabbitmqctl(&self) -> Result<Command> {
        let mut command = self.command(&self.found.beside("rabbitmqctl"))?;
        self.prepare(&mut command)?;
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }

    /// Tells RabbitMQ's programs which node is meant, and where everything of it stands.
    fn prepare(&self, command: &mut Command) -> Result<()> {
        match &self.companion {
            Some((ports, _)) => Ok(rabbitmq::prepare(command, &self.directory, *ports)?),
            None => Ok(()),
        }
    }

    /// The clients' programs are not always where a link to the server stands, nor where the server itself does.
    fn program(&self, name: &str) -> PathBuf {
        let linked = fs::canonicalize(&self.found.program).unwrap_or_default().with_file_name(name);
        let places = [self.found.beside(name), linked];
        places.into_iter().find(|program| program.is_file()).unwrap_or_else(|| PathBuf::from(name))
    }

    fn add_arguments(&self, command: &mut Command) {
        let port = self.port.to_string();
        match self.found.server {
            Server::Postgres => {
                command.arg("-D").arg(self.cluster()).args(["-p", &port]);
                // But for where it listens, the defaults; those that durability rests on are said all the same.
                for setting in [
                    "listen_addresses=127.0.0.1",
                    "unix_socket_directories=",
                    "fsync=on",
                    "full_page_writes=on",
                    "synchronous_commit=on",
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

    /// A program that runs as the server's user, in its directory, and writes to its log.
    fn command(&self, program: &Path) -> Result<Command> {
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = Command::new(program);
        command.current_dir(&self.directory).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // What ends this program with Ctrl-C must not end the server under it.
        command.process_group(0);
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        Ok(command)
    }

    fn cluster(&self) -> PathBuf {
        self.directory.join("cluster")
    }

    fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    fn failed(&self, how: &str) -> crate::Failure {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines.get(lines.len().saturating_sub(10)..).unwrap_or_default().join("\n");
        let (server, program) = (self.found.server, self.found.program.display());
        format!("{server} ({program}) {how}; it says:\n{last}").into()
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        let companion = self.companion.take().map(|(_, daemon)| daemon);
        for mut child in self.child.take().into_iter().chain(companion) {
            let process = child.id();
            let ended = guard::end(process).and_then(|()| {
                child.wait()?;
                self.guard.forget(process)
            });
            if let Err(failure) = ended {
                eprintln!("xtask-load: {} may still run: {failure}", self.found.server);
            }
        }
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
