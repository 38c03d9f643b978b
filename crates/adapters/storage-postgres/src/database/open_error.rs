//! Why a database was not opened.

use std::fmt::Display;

use crate::url::PostgresUrl;

/// Why a database was not opened, and what to do about it. The database is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Nobody answers there, or nobody can be let in at the moment.
    #[error("{detail}; is the server running, and does database_url name its host and port?")]
    Unreachable {
        /// Where, and what the system says.
        detail: String,
    },
    /// The server does not let the user in.
    #[error(
        "{detail}; check the user and the password in database_url (or postgres.owner_url), and pg_hba.conf"
    )]
    Refused {
        /// Where, and what the server says.
        detail: String,
    },
    /// The server has no such database.
    #[error("{detail}; make it (CREATE DATABASE …), or name another one in database_url")]
    NoDatabase {
        /// Where, and what the server says.
        detail: String,
    },
    /// The server is too old.
    #[error("the server at {place} is PostgreSQL {version}; Tenantry needs version 14 or newer")]
    TooOld {
        /// Where.
        place: String,
        /// The version, as the server says it.
        version: String,
    },
    /// A newer Tenantry has changed the schema.
    #[error(
        "the database at {place} was changed by a newer version of Tenantry (migrations {}); use that version, or \
         restore a backup from before", migrations.join(", ")
    )]
    Newer {
        /// Where.
        place: String,
        /// The versions of the migrations that this program does not know.
        migrations: Vec<String>,
    },
    /// Migrations are missing, and the role may not run them.
    #[error(
        "the database at {place} lacks migrations ({}), and this role may not run them; run `tenantry migrate` with \
         postgres.owner_url, or set postgres.owner_url for the start to do it", migrations.join(", ")
    )]
    Behind {
        /// Where.
        place: String,
        /// The names of the migrations.
        migrations: Vec<String>,
    },
    /// Some of the schema is there, and some that should be is not.
    #[error(
        "the schema {schema} at {place} is incomplete: {detail}; restore it whole from a backup, or name another \
         schema in postgres.schema"
    )]
    Incomplete {
        /// Where.
        place: String,
        /// The schema.
        schema: String,
        /// What is missing.
        detail: String,
    },
    /// A migration could not be run.
    #[error(
        "the schema {schema} at {place} was not brought up to date: {detail}; the step that failed has left nothing \
         behind, those before it stand, and the next start goes on from there"
    )]
    HalfDone {
        /// Where.
        place: String,
        /// The schema.
        schema: String,
        /// Why.
        detail: String,
    },
    /// Row-Level Security would not hold the role.
    #[error(
        "{place}: the role {role} {why}, so Row-Level Security would not hold it; (1) run `tenantry migrate` with \
         this URL, (2) make a role to serve by: CREATE ROLE tenantry_server LOGIN PASSWORD '…' IN ROLE \
         tenantry_application, (3) name it in database_url and keep this URL as postgres.owner_url. Or, for a \
         database to develop with, set postgres.allow_bypassing_role = true"
    )]
    BypassingRole {
        /// Where.
        place: String,
        /// The role.
        role: String,
        /// Why it is not held, as in "a role that …".
        why: String,
    },
    /// The roles that the tables need can't be made.
    #[error(
        "{place}: the role {role} cannot make the roles tenantry_owner and tenantry_application, or become a \
         member of them: {detail}; let one with CREATEROLE do it once, by `tenantry migrate`"
    )]
    NoRoles {
        /// Where.
        place: String,
        /// The role.
        role: String,
        /// Why.
        detail: String,
    },
    /// There is no installation.
    #[error(
        "{place}: the schema {schema} is not there, or empty; name that of an installation in postgres.schema"
    )]
    Missing {
        /// Where.
        place: String,
        /// The schema.
        schema: String,
    },
    /// Migrations are missing, and it is not to be changed now.
    #[error(
        "the database at {place} lacks migrations ({}); run `tenantry migrate` on it first", migrations.join(", ")
    )]
    Outdated {
        /// Where.
        place: String,
        /// The names of the migrations.
        migrations: Vec<String>,
    },
    /// A move into the schema has begun and is not finished.
    #[error(
        "{place}: the schema {schema} holds a move of data that is not finished; run the same `tenantry migrate-data` \
         again, which goes on where it stopped, or drop the schema"
    )]
    UnfinishedMove {
        /// Where.
        place: String,
        /// The schema.
        schema: String,
    },
    /// Others serve it or move it, and must not at the same time.
    #[error(
        "{place}: the schema {schema} is in use: another Tenantry serves it, or moves data from or to it; stop that \
         one first"
    )]
    InUse {
        /// Where.
        place: String,
        /// The schema.
        schema: String,
    },
    /// The role is not that of the tables' owner.
    #[error(
        "{place}: moving a whole installation takes a member of tenantry_owner: {detail}; name the role that ran \
         the migrations"
    )]
    NotTheOwner {
        /// Where.
        place: String,
        /// Why.
        detail: String,
    },
    /// The role by which it is to be served is not the application's.
    #[error("{place}: it cannot be served by this role: {detail}; GRANT tenantry_application TO it")]
    NotAMember {
        /// Where.
        place: String,
        /// Why.
        detail: String,
    },
    /// Anything else.
    #[error("the database at {place} cannot be used: {detail}")]
    Failed {
        /// Where.
        place: String,
        /// Why.
        detail: String,
    },
}

impl OpenError {
    pub(crate) fn failed(url: &PostgresUrl, error: &(impl Display + ?Sized)) -> Self {
        Self::Failed { place: url.place().to_owned(), detail: url.scrub(&error.to_string()) }
    }

    pub(super) fn no_roles(url: &PostgresUrl, role: &str, error: &impl Display) -> Self {
        let (place, role) = (url.place().to_owned(), role.to_owned());
        Self::NoRoles { place, role, detail: url.scrub(&error.to_string()) }
    }

    pub(super) fn no_owner(url: &PostgresUrl, error: &impl Display) -> Self {
        Self::NotTheOwner { place: url.place().to_owned(), detail: url.scrub(&error.to_string()) }
    }

    /// Why the migrations that were run could not be read.
    pub(super) fn not_read(url: &PostgresUrl, error: &impl Display) -> Self {
        match error.to_string().contains("permission denied") {
            true => Self::no_member(url, error),
            false => Self::failed(url, &error.to_string()),
        }
    }

    pub(super) fn no_member(url: &PostgresUrl, error: &impl Display) -> Self {
        Self::NotAMember { place: url.place().to_owned(), detail: url.scrub(&error.to_string()) }
    }

    /// Why no connection was made. libpq hands on what the server says, and no SQLSTATE.
    pub(super) fn not_connected(url: &PostgresUrl, said: &str) -> Self {
        // One line, whatever libpq makes of several addresses.
        let detail = url.scrub(said).split_whitespace().collect::<Vec<_>>().join(" ");
        let says = |parts: &[&str]| parts.iter().any(|part| detail.contains(part));
        if says(&["does not exist"]) && says(&["database \""]) {
            Self::NoDatabase { detail }
        } else if says(&[
            "authentication failed",
            "no password supplied",
            "no pg_hba.conf entry",
            "role \"",
            "permission denied for database",
            "certificate",
        ]) {
            Self::Refused { detail }
        } else {
            Self::Unreachable { detail }
        }
    }

    /// Whether it may pass by itself.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_connected(said: &str) -> OpenError {
        let url = PostgresUrl::parse("postgres://ada:secret@host/db").unwrap();
        OpenError::not_connected(&url, said)
    }

    #[test]
    fn what_libpq_says_is_told_apart() {
        for (said, may_pass) in [
            ("connection to server at \"::1\", port 5432 failed: Connection refused", true),
            ("connection failed: FATAL: the database system is starting up", true),
            ("timeout expired", true),
            ("failed: FATAL: password authentication failed for user \"ada\"", false),
            ("failed: FATAL: no pg_hba.conf entry for host \"10.0.0.1\"", false),
            ("failed: FATAL: role \"ada\" does not exist", false),
            ("failed: FATAL: database \"db\" does not exist", false),
        ] {
            assert_eq!(not_connected(said).may_pass(), may_pass, "{said}");
        }
        let missing = not_connected("FATAL: database \"db\" does not exist");
        assert!(matches!(missing, OpenError::NoDatabase { .. }));
    }

    #[test]
    fn no_message_holds_the_password() {
        let said = not_connected("bad URL postgres://ada:secret@host/db\n\tand more").to_string();
        assert!(!said.contains("secret") && !said.contains('\n'), "{said}");
    }
}
