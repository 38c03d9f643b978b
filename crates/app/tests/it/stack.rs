//! On which engines the applications under test stand.
//!
//! `TENANTRY_TEST_STACK` says so: `sqlite`, the default, `postgres-redis` or `postgres-memcached`. The servers are
//! those of `TENANTRY_TEST_POSTGRES_URL`, `TENANTRY_TEST_REDIS_URL` and `TENANTRY_TEST_MEMCACHED_URL`;
//! `cargo xtask test` brings them. Each application has a schema and a namespace of its own there.

use std::env;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

/// What tells this run from others on the same servers.
static RUN: LazyLock<String> = LazyLock::new(|| {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("{:x}{:x}", time.as_micros(), std::process::id())
});

/// The engines of one application, and what it keeps there: that is gone when this is dropped.
pub(crate) struct Stack {
    settings: Vec<(&'static str, String)>,
    /// Only held, to be dropped.
    _schema: Option<Schema>,
}

impl Stack {
    /// SQLite in the data directory, and no cache but that of the process.
    pub(crate) fn embedded() -> Self {
        Self { settings: Vec::new(), _schema: None }
    }

    /// As the environment says, with nothing stored yet.
    pub(crate) fn of_environment() -> Self {
        match env::var("TENANTRY_TEST_STACK").as_deref() {
            Err(_) | Ok("" | "sqlite") => Self::embedded(),
            Ok("postgres-redis") => Self::shared("cache.redis_url", "TENANTRY_TEST_REDIS_URL"),
            Ok("postgres-memcached") => Self::shared("cache.memcached_url", "TENANTRY_TEST_MEMCACHED_URL"),
            Ok(other) => panic!("there is no stack {other}"),
        }
    }

    fn shared(cache: &'static str, cache_variable: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        // A namespace has 32 characters at most.
        let name = format!("test_{}_{}", *RUN, NUMBER.fetch_add(1, Ordering::Relaxed));
        let url = variable("TENANTRY_TEST_POSTGRES_URL");
        let settings = vec![
            ("database_url", url.clone()),
            ("postgres.schema", name.clone()),
            // The test server's role is its superuser.
            ("postgres.allow_bypassing_role", "true".to_owned()),
            // Machines that test are busy.
            ("postgres.read_wait_ms", "30000".to_owned()),
            ("postgres.answer_wait_ms", "30000".to_owned()),
            (cache, variable(cache_variable)),
            ("cache.namespace", name.clone()),
        ];
        Self { settings, _schema: Some(Schema { url, name }) }
    }

    /// The configuration keys that lead to it.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().map(|(key, value)| (*key, value.as_str()))
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} must name a server: cargo xtask test brings one"))
}

/// A schema of PostgreSQL, dropped with all that is in it when this is.
struct Schema {
    url: String,
    name: String,
}

impl Drop for Schema {
    fn drop(&mut self) {
        let drop = format!("DROP SCHEMA IF EXISTS \"{}\" CASCADE", self.name);
        let dropped = PgConnection::establish(&self.url)
            .map_err(|error| error.to_string())
            .and_then(|mut connection| connection.batch_execute(&drop).map_err(|error| error.to_string()));
        if let Err(error) = dropped {
            // The test's own outcome is what counts.
            eprintln!("the schema {} was not dropped: {error}", self.name);
        }
    }
}
