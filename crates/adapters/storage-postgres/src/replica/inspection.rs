//! A look at a replica that changes nothing.

use std::sync::Arc;

use diesel::PgConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{HEALTHY_WITHIN, has_replayed, position};
use crate::database::OpenError;
use crate::error::PostgresError;
use crate::options::PostgresOptions;
use crate::pulse::Pulse;
use crate::session::{Connector, Purpose, Readers, establish};
use crate::url::PostgresUrl;

/// By which a server and its replicas know each other.
const CLUSTER: &str = "(SELECT system_identifier FROM pg_control_system())";

/// What is found at a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaInspection {
    /// The server, the database and the user, without the password.
    pub place: String,
    /// The server's version, as it says it.
    pub server_version: String,
}

/// Looks at the replica that the options name, if they do, as it would be read from: it lets the role in, is a replica
/// of this database, and within a second has all that was written before. Changes nothing. Blocks. The schema must be
/// there.
///
/// # Errors
/// What keeps it from being read from.
pub fn inspect_replica(options: &PostgresOptions) -> Result<Option<ReplicaInspection>, OpenError> {
    let Some(url) = &options.read_url else { return Ok(None) };
    let found = look(options, url).map_err(|error| OpenError::failed(url, &error))?;
    Ok(Some(found))
}

fn look(options: &PostgresOptions, url: &PostgresUrl) -> Result<ReplicaInspection, PostgresError> {
    let mut primary = establish(&options.url)?;
    let readers = Readers {
        connector: Arc::new(Connector { url: url.clone(), ..Connector::new(options, Purpose::Serve) }),
        pulse: Arc::new(Pulse::new()),
        refuses_bypassing: !options.allow_bypassing_role,
    };
    let mut session = r2d2::ManageConnection::connect(&readers)?;
    if cluster(&mut primary)? != cluster(&mut session.connection)? {
        return Err(PostgresError::Unreachable("it is a replica of another server".to_owned()));
    }
    if !has_replayed(&mut session, position(&mut primary)?, HEALTHY_WITHIN)? {
        return Err(PostgresError::Unreachable("it lags behind by more than a second".to_owned()));
    }
    let version = sql::<Text>("current_setting('server_version')");
    let server_version = diesel::select(version).get_result(&mut session.connection)?;
    Ok(ReplicaInspection { place: url.place().to_owned(), server_version })
}

fn cluster(connection: &mut PgConnection) -> Result<i64, PostgresError> {
    Ok(diesel::select(sql::<BigInt>(CLUSTER)).get_result(connection)?)
}
