//! How RabbitMQ is told to use nothing but its own: by its environment, and files.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

/// The ports of a node: for clients, for other nodes, and of the daemon by which nodes find each other.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// For clients, by AMQP.
    pub amqp: u16,
    /// For other nodes.
    pub distribution: u16,
    /// Of `epmd`. RabbitMQ would start it if it were not there, and leave it behind.
    pub epmd: u16,
}

/// Makes the files that the node needs in its directory, and tells the command that starts it where all that it writes
/// is to stand.
///
/// # Errors
/// When the files cannot be made.
pub fn prepare(command: &mut Command, directory: &Path, ports: Ports) -> io::Result<()> {
    let inside = |name: &str| directory.join(name);
    fs::write(inside("plugins"), "[].\n")?;
    fs::write(inside("rabbitmq.conf"), format!("listeners.tcp.default = 127.0.0.1:{}\n", ports.amqp))?;
    command
        .env("HOME", directory)
        // Then the shell makes way for the node, which is so the process that is ended.
        .env("RUNNING_UNDER_SYSTEMD", "1")
        .env("ERL_EPMD_PORT", ports.epmd.to_string())
        .env("RABBITMQ_NODENAME", format!("test{}@localhost", ports.amqp))
        .env("RABBITMQ_DIST_PORT", ports.distribution.to_string())
        .env("RABBITMQ_CONFIG_FILE", inside("rabbitmq.conf"))
        .env("RABBITMQ_CONF_ENV_FILE", inside("rabbitmq-env.conf"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", inside("plugins"))
        .env("RABBITMQ_MNESIA_BASE", inside("data"))
        .env("RABBITMQ_LOG_BASE", directory)
        .env("RABBITMQ_LOGS", "-")
        // It shares the machine with what is tested.
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 1:1 +sbwt none");
    Ok(())
}

/// What the daemon is told.
#[must_use]
pub fn epmd_arguments(ports: Ports) -> [String; 4] {
    ["-address".to_owned(), "127.0.0.1".to_owned(), "-port".to_owned(), ports.epmd.to_string()]
}
