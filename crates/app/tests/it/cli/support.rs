//! A server, and the command line that speaks to it.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::process::{Finished, command, finish};
use crate::support::{TestApp, TestTenant};

/// A running server with a tenant, and the keys of both.
pub(super) struct Installation {
    pub(super) app: TestApp,
    pub(super) tenant: TestTenant,
}

impl Installation {
    pub(super) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(super) async fn start_with(settings: &[(&str, &str)]) -> Self {
        let app = TestApp::start_with(settings);
        let tenant = app.create_tenant("acme").await;
        Self { app, tenant }
    }

    /// The command line with the tenant's key.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        self.command_with_key(&self.tenant.key, arguments)
    }

    pub(super) fn command_with_key(&self, key: &str, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command.env("TENANTRY_URL", self.app.url("")).env("TENANTRY_KEY", key);
        command
    }

    /// Runs it in pipes, with the tenant's key.
    pub(super) fn run(&self, arguments: &[&str]) -> Finished {
        self.checked(finish(&mut self.command(arguments)))
    }

    /// The same with the administrator's.
    pub(super) fn run_as_admin(&self, arguments: &[&str]) -> Finished {
        self.checked(finish(&mut self.command_with_key(&self.app.admin_key, arguments)))
    }

    /// The same with the tenant's key and this on its standard input.
    pub(super) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Finished {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let input = input.to_vec();
        let writing = std::thread::spawn(move || writer.write_all(&input));
        let finished = finish(self.command(arguments).stdin(Stdio::from(reader)));
        // Whoever refuses what comes does not read it to its end.
        let _ = writing.join().unwrap();
        self.checked(finished)
    }

    /// Nothing that is printed holds a key.
    fn checked(&self, finished: Finished) -> Finished {
        for secret in [&self.tenant.key, &self.app.admin_key] {
            let is_told = finished.stdout.contains(secret) || finished.stderr.contains(secret);
            assert!(!is_told, "a key is told");
        }
        finished
    }
}

impl Finished {
    /// What it printed, where it ended with 0.
    pub(super) fn printed(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        &self.stdout
    }

    /// The JSON that it printed.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(self.printed()).unwrap()
    }

    /// The value of a field in a table of one thing.
    pub(super) fn field(&self, name: &str) -> &str {
        let line = self.printed().lines().find(|line| line.split(' ').next() == Some(name));
        line.unwrap_or_else(|| panic!("{self:?}")).split_once(' ').map_or("", |(_, value)| value.trim())
    }
}
