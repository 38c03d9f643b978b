//! A schema for each test, and what tests do with it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tenantry_storage_postgres::{PostgresOptions, PostgresUrl};
use uuid::Uuid;

/// The PostgreSQL of the tests, as a role that may make roles and schemas.
pub(crate) fn server() -> String {
    std::env::var("TENANTRY_TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!("run `cargo xtask test`, which starts a PostgreSQL, or set TENANTRY_TEST_POSTGRES_URL")
    })
}

/// A plain connection to it.
pub(crate) fn connection() -> PgConnection {
    PgConnection::establish(&server()).unwrap()
}

/// A schema of a test's own, dropped with it. Its name holds the run: no two runs share one.
pub(crate) struct Schema {
    pub(crate) name: String,
}

impl Schema {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        static RUN: std::sync::OnceLock<String> = std::sync::OnceLock::new();
        let run = RUN.get_or_init(|| Uuid::now_v7().simple().to_string());
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self { name: format!("test_{run}_{number}") }
    }

    /// How it is opened, as the tests' own role. Waits are long: machines that test are busy.
    pub(crate) fn options(&self) -> PostgresOptions {
        let mut options = PostgresOptions::new(PostgresUrl::parse(&server()).unwrap());
        options.schema = self.name.clone();
        options.allow_bypassing_role = true;
        options.readers = 2;
        options.read_wait = Duration::from_secs(30);
        options.answer_wait = Duration::from_secs(30);
        options
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let drop = format!("SET client_min_messages = warning; DROP SCHEMA IF EXISTS \"{}\" CASCADE", self.name);
        let dropped = PgConnection::establish(&server()).map(|mut connection| connection.batch_execute(&drop));
        if !matches!(dropped, Ok(Ok(()))) {
            eprintln!("the schema {} is left behind", self.name);
        }
    }
}
