//! A RabbitMQ of one test's own, to be killed and frozen.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long it may take to start.
const START_DEADLINE: Duration = Duration::from_secs(90);

/// A node with an epmd of its own, which ends with this.
pub struct PrivateRabbitMq {
    port: u16,
    distribution_port: u16,
    epmd_port: u16,
    directory: TempDir,
    epmd: Child,
    node: Child,
}

impl PrivateRabbitMq {
    /// Starts one, on ports of 127.0.0.1 that were free, in a directory of its own.
    ///
    /// # Panics
    /// When it cannot be started, or does not listen in time.
    #[must_use]
    pub fn start() -> Self {
        let [port, distribution_port, epmd_port] = free_ports();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("plugins"), "[].\n").unwrap();
        let listen = format!("listeners.tcp.default = 127.0.0.1:{port}\n");
        std::fs::write(directory.path().join("rabbitmq.conf"), listen).unwrap();
        let mut epmd = Command::new("epmd");
        epmd.args(["-address", "127.0.0.1", "-port", &epmd_port.to_string()]);
        let epmd = spawn(epmd);
        let node = spawn(command("rabbitmq-server", &directory, port, distribution_port, epmd_port));
        let mut server = Self { port, distribution_port, epmd_port, directory, epmd, node };
        server.wait_until_it_listens();
        server
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}", self.port)
    }

    /// It answers nothing any more, and keeps its connections.
    ///
    /// # Panics
    /// When the process is not as it should be.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// It goes on where it stopped.
    ///
    /// # Panics
    /// When the process is not as it should be.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// It ends at once.
    ///
    /// # Panics
    /// When the process is not as it should be.
    pub fn kill(&mut self) {
        self.node.kill().unwrap();
        self.node.wait().unwrap();
    }

    /// It starts once more, with what it had on disk.
    ///
    /// # Panics
    /// When the process is not as it should be.
    pub fn restart(&mut self) {
        self.node = spawn(self.command("rabbitmq-server"));
        self.wait_until_it_listens();
    }

    /// Has RabbitMQ's `rabbitmqctl` do something there; what it prints.
    ///
    /// # Panics
    /// When it cannot.
    #[must_use]
    pub fn control(&self, arguments: &[&str]) -> String {
        let mut control = self.command("rabbitmqctl");
        let output = control.arg("--quiet").args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn command(&self, name: &str) -> Command {
        command(name, &self.directory, self.port, self.distribution_port, self.epmd_port)
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.node.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn wait_until_it_listens(&mut self) {
        let end = Instant::now() + START_DEADLINE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.node.try_wait().unwrap();
            assert!(ended.is_none(), "RabbitMQ ended as it started: {ended:?}");
            assert!(Instant::now() < end, "RabbitMQ does not listen on port {}", self.port);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for PrivateRabbitMq {
    fn drop(&mut self) {
        for child in [&mut self.node, &mut self.epmd] {
            // A process that is frozen is killed all the same.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn command(name: &str, directory: &TempDir, port: u16, distribution_port: u16, epmd_port: u16) -> Command {
    let inside = |name: &str| directory.path().join(name);
    let mut command = Command::new(program(name));
    command
        .current_dir(directory.path())
        .env("HOME", directory.path())
        // The shell makes way for the node: what is killed and frozen is the node itself.
        .env("RUNNING_UNDER_SYSTEMD", "1")
        .env("ERL_EPMD_PORT", epmd_port.to_string())
        .env("RABBITMQ_NODENAME", format!("t{port}@localhost"))
        .env("RABBITMQ_DIST_PORT", distribution_port.to_string())
        .env("RABBITMQ_CONFIG_FILE", inside("rabbitmq.conf"))
        .env("RABBITMQ_CONF_ENV_FILE", inside("rabbitmq-env.conf"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", inside("plugins"))
        .env("RABBITMQ_MNESIA_BASE", inside("data"))
        .env("RABBITMQ_LOG_BASE", inside("log"))
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 1:1 +sbwt none");
    command
}

/// Debian's programs in `PATH` serve root and their own user alone; those that they call serve anybody.
fn program(name: &str) -> PathBuf {
    let debian = PathBuf::from("/usr/lib/rabbitmq/bin").join(name);
    if debian.exists() { debian } else { PathBuf::from(name) }
}

fn spawn(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} cannot be started ({error}): is it installed?"))
}

fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
