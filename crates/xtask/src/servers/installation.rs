//! Servers that are missing: installed where that may be done, else told how.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use super::Server;
use super::discovery::Places;

/// Installs packages, and keeps Debian from starting what they bring: `policy-rc.d` forbids it for as long as
/// this takes. Whoever has one already has decided by it.
const SCRIPT: &str = r#"
set -eu
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet=2
apt-get install --quiet=2 --yes --no-install-recommends "$@"
"#;

/// Package managers, and how each is told to install.
const MANAGERS: [(&str, &str); 5] = [
    ("apt-get", "sudo apt-get install"),
    ("dnf", "sudo dnf install"),
    ("apk", "sudo apk add"),
    ("pacman", "sudo pacman -S"),
    ("brew", "brew install"),
];

/// Installs what is missing.
///
/// # Errors
/// When that may not be done here: the error says what to type. When it fails.
pub(super) fn install(missing: &[Server], places: &Places) -> io::Result<()> {
    let manager = MANAGERS.iter().find(|(manager, _)| places.has(manager)).copied();
    let advice = || io::Error::other(advice(missing, manager));
    let Some(debian) = Debian::of(places) else { return Err(advice()) };
    let packages = packages(missing, "apt-get");
    eprintln!("xtask: {} missing: installing {} by apt-get", are(missing), packages.join(" "));
    if debian.install(&packages)? { Ok(()) } else { Err(advice()) }
}

/// A Debian on which packages may be installed.
pub(crate) struct Debian {
    command: Command,
}

impl Debian {
    /// This machine, if it is one: the caller is root, or `sudo` asks for nothing.
    pub(crate) fn of(places: &Places) -> Option<Self> {
        let manager = MANAGERS.iter().find(|(manager, _)| places.has(manager));
        let is_debian = manager.is_some_and(|(manager, _)| *manager == "apt-get");
        let command = match (is_debian, is_root(), places.has("sudo") && sudo_asks_for_nothing()) {
            (true, true, _) => Command::new("sh"),
            (true, false, true) => {
                let mut sudo = Command::new("sudo");
                sudo.args(["-n", "sh"]);
                sudo
            }
            _ => return None,
        };
        Some(Self { command })
    }

    /// Installs these packages; whether that succeeded.
    ///
    /// # Errors
    /// When it could not even be tried.
    pub(crate) fn install(mut self, packages: &[&str]) -> io::Result<bool> {
        // Standard output is for what the tests say.
        let status = self
            .command
            .args(["-c", SCRIPT, "install"])
            .args(packages)
            .stdin(Stdio::null())
            .stdout(io::stderr())
            .status()?;
        Ok(status.success())
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

fn sudo_asks_for_nothing() -> bool {
    let mut sudo = Command::new("sudo");
    sudo.args(["-n", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    sudo.status().is_ok_and(|status| status.success())
}

/// What to type.
fn advice(missing: &[Server], manager: Option<(&str, &str)>) -> String {
    let are = are(missing);
    let install = match manager {
        Some((manager, verb)) => {
            format!("Install with\n\n    {verb} {}\n\n", packages(missing, manager).join(" "))
        }
        None => "Install them, and have their programs in PATH, ".to_owned(),
    };
    let variables: Vec<_> = missing.iter().map(|server| server.variable()).collect();
    let variables = variables.join(", ");
    format!(
        "{are} missing, which some tests need. {install}\
         or give the URL of a throw-away server in {variables},\n\
         or run what needs none of them: cargo xtask test --embedded"
    )
}

/// "PostgreSQL is", "Redis and memcached are".
fn are(missing: &[Server]) -> String {
    let names: Vec<String> = missing.iter().map(Server::to_string).collect();
    match names.as_slice() {
        [only] => format!("{only} is"),
        [first @ .., last] => format!("{} and {last} are", first.join(", ")),
        [] => "nothing is".to_owned(),
    }
}

fn packages(missing: &[Server], manager: &str) -> Vec<&'static str> {
    let package = |server: &Server| match (server, manager) {
        (Server::Postgres, "dnf") => "postgresql-server",
        (Server::Postgres, "brew") => "postgresql@17",
        (Server::Postgres, _) => "postgresql",
        (Server::Redis, "apt-get") => "redis-server",
        (Server::Redis, _) => "redis",
        (Server::Memcached, _) => "memcached",
        (Server::RabbitMq, "pacman" | "brew") => "rabbitmq",
        (Server::RabbitMq, _) => "rabbitmq-server",
    };
    missing.iter().map(package).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_is_what_to_type() {
        let advice = advice(&Server::ALL, Some(MANAGERS[0]));
        assert!(advice.starts_with("PostgreSQL, Redis, memcached and RabbitMQ are missing"), "{advice}");
        assert!(
            advice.contains("\n    sudo apt-get install postgresql redis-server memcached rabbitmq-server\n"),
            "{advice}"
        );
        assert!(advice.ends_with("cargo xtask test --embedded"), "{advice}");
    }

    #[test]
    fn each_package_manager_has_its_own_names() {
        let of = |manager: usize| advice(&[Server::Postgres], Some(MANAGERS[manager]));
        assert!(of(1).contains("sudo dnf install postgresql-server\n"));
        assert!(of(4).contains("    brew install postgresql@17\n"));
        let unknown = advice(&[Server::Redis], None);
        assert!(unknown.starts_with("Redis is missing") && unknown.contains("TENANTRY_TEST_REDIS_URL"));
    }
}
