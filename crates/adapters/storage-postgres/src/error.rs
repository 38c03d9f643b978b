//! What PostgreSQL's errors mean to whoever asked. The one place that maps them.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use tenantry_ports::StorageError;
use tenantry_storage_support::engine::Damaged;

/// What may go wrong inside a query or behind it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostgresError {
    /// PostgreSQL or diesel says so.
    #[error("{}", sentence(.0))]
    Query(#[from] DieselError),
    /// No connection can be had.
    #[error("{0}")]
    Unreachable(String),
    /// What is stored cannot be what was stored: other hands changed it.
    #[error("the database holds {0}")]
    Damaged(String),
}

impl PostgresError {
    /// Whether the connection is gone.
    pub(crate) fn is_lost_connection(&self) -> bool {
        use DatabaseErrorKind::{ClosedConnection, UnableToSendCommand};
        matches!(
            self,
            Self::Unreachable(_)
                | Self::Query(DieselError::DatabaseError(ClosedConnection | UnableToSendCommand, _))
        )
    }

    /// Whether what the connection answers next can't be relied upon.
    pub(crate) fn breaks_connection(&self) -> bool {
        !matches!(self, Self::Damaged(_))
    }
}

impl From<Damaged> for PostgresError {
    fn from(Damaged(what): Damaged) -> Self {
        Self::Damaged(what)
    }
}

impl From<PostgresError> for StorageError {
    fn from(error: PostgresError) -> Self {
        let text = error.to_string();
        match error {
            PostgresError::Unreachable(_) => Self::Unavailable(text),
            PostgresError::Damaged(_) => Self::Failed(text),
            PostgresError::Query(error) => match meaning(&error) {
                Meaning::Unavailable => Self::Unavailable(text),
                Meaning::Full => Self::Full(text),
                Meaning::Fault => Self::Failed(text),
            },
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Unavailable,
    Full,
    Fault,
}

/// Messages of conditions that pass, by the beginning of what PostgreSQL says. Diesel keeps the message and drops
/// the SQLSTATE, but for a few; the sessions ask for messages in English (`lc_messages`).
const PASSING: [&str; 11] = [
    // 57014 query_canceled
    "canceling statement due to",
    // 40P01 deadlock_detected
    "deadlock detected",
    // 55P03 lock_not_available
    "could not obtain lock",
    // 57P01 to 57P03: shutdown, crash, starting up
    "terminating connection",
    "the database system is",
    // 25P03, 57P05: idle for too long
    "terminating idle",
    // 53300 too_many_connections
    "sorry, too many clients",
    "remaining connection slots",
    "too many connections",
    // 53200 out_of_memory
    "out of memory",
    "out of shared memory",
];

/// Messages of 53100 disk_full: the operating system's, and PostgreSQL's own hint.
const FULL: [&str; 3] = ["No space left on device", "Disk quota exceeded", "Check free disk space"];

fn meaning(error: &DieselError) -> Meaning {
    let DieselError::DatabaseError(kind, information) = error else {
        return match error {
            DieselError::BrokenTransactionManager | DieselError::RollbackErrorOnCommit { .. } => {
                Meaning::Unavailable
            }
            _ => Meaning::Fault,
        };
    };
    match kind {
        DatabaseErrorKind::ClosedConnection
        | DatabaseErrorKind::UnableToSendCommand
        | DatabaseErrorKind::SerializationFailure
        // 25006: a server in recovery, or one that was made a replica.
        | DatabaseErrorKind::ReadOnlyTransaction => return Meaning::Unavailable,
        _ => {}
    }
    let said = [Some(information.message()), information.hint()];
    let says = |part: &str| said.iter().flatten().any(|text| text.contains(part));
    if FULL.into_iter().any(says) {
        Meaning::Full
    } else if PASSING.into_iter().any(says) {
        Meaning::Unavailable
    } else {
        Meaning::Fault
    }
}

/// The message, and the constraint where one is named.
fn sentence(error: &DieselError) -> String {
    match error {
        DieselError::DatabaseError(_, information) => match information.constraint_name() {
            Some(constraint) => format!("{} ({constraint})", information.message().trim()),
            None => information.message().trim().to_owned(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(kind: DatabaseErrorKind, message: &str) -> StorageError {
        PostgresError::from(DieselError::DatabaseError(kind, Box::new(message.to_owned()))).into()
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let said = "could not extend file \"base/5/1259\": No space left on device";
        assert!(matches!(mapped(DatabaseErrorKind::Unknown, said), StorageError::Full(_)));
    }

    #[test]
    fn what_passes_is_worth_another_try() {
        for (kind, said) in [
            (DatabaseErrorKind::ClosedConnection, "server closed the connection unexpectedly"),
            (DatabaseErrorKind::ReadOnlyTransaction, "cannot execute INSERT in a read-only transaction"),
            (DatabaseErrorKind::SerializationFailure, "could not serialize access"),
            (DatabaseErrorKind::Unknown, "canceling statement due to statement timeout"),
            (DatabaseErrorKind::Unknown, "deadlock detected"),
            (DatabaseErrorKind::Unknown, "the database system is starting up"),
        ] {
            assert!(matches!(mapped(kind, said), StorageError::Unavailable(_)), "{said}");
        }
    }

    #[test]
    fn anything_else_is_a_fault() {
        for (kind, said) in [
            (DatabaseErrorKind::UniqueViolation, "duplicate key value violates unique constraint"),
            (DatabaseErrorKind::Unknown, "relation \"events\" does not exist"),
        ] {
            assert!(matches!(mapped(kind, said), StorageError::Failed(_)), "{said}");
        }
        let damaged = PostgresError::Damaged("the sequence -1".to_owned());
        assert!(matches!(damaged.into(), StorageError::Failed(_)));
    }
}
