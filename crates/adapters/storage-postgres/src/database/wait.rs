//! Waiting for a database that is not there yet.

use std::thread;
use std::time::{Duration, Instant};

use diesel::PgConnection;

use crate::session;
use crate::url::PostgresUrl;

use super::OpenError;

/// How long to pause between two attempts.
const PAUSE: Duration = Duration::from_millis(250);

/// Connects, and tries again for as long as `wait` while nobody is there. What another try will not mend is
/// refused at once: a wrong password, a database that does not exist.
pub(super) fn connect(url: &PostgresUrl, wait: Duration) -> Result<PgConnection, OpenError> {
    let begun = Instant::now();
    let mut is_told = false;
    loop {
        let error = match session::establish(url) {
            Ok(connection) => return Ok(connection),
            Err(error) => OpenError::not_connected(url, &error.to_string()),
        };
        if !error.may_pass() || begun.elapsed() + PAUSE >= wait {
            return Err(error);
        }
        if !is_told {
            tracing::warn!(%error, wait_seconds = wait.as_secs(), "the database is waited for");
            is_told = true;
        }
        thread::sleep(PAUSE);
    }
}
