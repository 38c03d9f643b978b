//! The commands that speak to a server, through the client: `tenantry tenant | key | event | kv | catalog`.
//!
//! Each noun has its file: its flags, what it calls, and how what comes back is shown. What they share stands beside
//! them: to whom they speak ([`target`]), what they ask a person for ([`prompt`]), how they print ([`output`]) and how
//! they end ([`failure`]).

mod catalog;
mod catalog_shown;
mod duration;
mod event;
mod event_file;
mod failure;
mod key;
mod kv;
mod kv_shown;
mod lines;
mod output;
mod progress;
mod prompt;
mod shown;
mod table;
mod target;
mod tenant;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::CommandError;
use crate::config::{Config, Problems};
pub(super) use failure::{EXIT_CODES, report};
use output::Output;
use target::{ConnectionArgs, Session};

/// The nouns.
#[derive(Debug, Subcommand)]
pub(super) enum ApiCommand {
    /// Tenants: list, get, create, update, suspend, activate, delete
    Tenant(Noun<tenant::TenantCommand>),
    /// Access keys of a tenant: list, create, revoke
    Key(Noun<key::KeyCommand>),
    /// Events of a tenant: add, list, get
    Event(Noun<event::EventCommand>),
    /// Key-values of a tenant: set, get, delete, list, increment
    Kv(Noun<kv::KvCommand>),
    /// Catalog of a tenant: feeds, search, import of a file
    Catalog(Noun<catalog::CatalogCommand>),
}

/// A feed to be imported from a file, on the database itself.
pub(super) struct FileImport {
    pub(super) file: PathBuf,
    pub(super) tenant: String,
    pub(super) feed: String,
}

impl ApiCommand {
    /// What it is to import, where it is the one command here that speaks to no server.
    pub(super) fn as_import(&self) -> Result<Option<FileImport>, CommandError> {
        let Self::Catalog(noun) = self else { return Ok(None) };
        let catalog::CatalogCommand::Import { file, feed } = &noun.command else { return Ok(None) };
        let tenant = noun.connection.tenant().ok_or_else(|| {
            CommandError::Usage("which tenant? Name it with --tenant or TENANTRY_TENANT".to_owned())
        })?;
        Ok(Some(FileImport { file: file.clone(), tenant: tenant.to_owned(), feed: feed.clone() }))
    }
}

/// A noun: what all of them take, and what is to be done.
#[derive(Debug, Args)]
pub(super) struct Noun<C: Subcommand> {
    /// How to print: a table for people; JSON, whole; or JSON with one object a line [default: table]
    #[arg(short, long, value_enum, value_name = "FORMAT", global = true)]
    output: Option<Output>,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(subcommand)]
    command: C,
}

/// Does it. `load` reads the configuration, if it is needed.
pub(super) fn run(
    command: ApiCommand,
    load: impl FnOnce() -> Result<Config, Problems>,
) -> Result<(), CommandError> {
    match command {
        ApiCommand::Tenant(noun) => noun.run(load, async |command, session, output| {
            command.run(session, output.unwrap_or_default()).await
        }),
        ApiCommand::Key(noun) => noun.run(load, async |command, session, output| {
            command.run(session, output.unwrap_or_default()).await
        }),
        ApiCommand::Event(noun) => noun.run(load, async |command, session, output| {
            command.run(session, output.unwrap_or_default()).await
        }),
        ApiCommand::Catalog(noun) => noun.run(load, async |command, session, output| {
            command.run(session, output.unwrap_or_default()).await
        }),
        // A value is printed as it is, unless told.
        ApiCommand::Kv(noun) => {
            noun.run(load, async |command, session, output| command.run(session, output).await)
        }
    }
}

impl<C: Subcommand> Noun<C> {
    fn run(
        self,
        load: impl FnOnce() -> Result<Config, Problems>,
        act: impl AsyncFnOnce(C, &Session, Option<Output>) -> Result<(), CommandError>,
    ) -> Result<(), CommandError> {
        let session = self.connection.open(load)?;
        let done = actix_web::rt::System::new().block_on(act(self.command, &session, self.output));
        done.map_err(|error| error.of_server(session.url()))
    }
}
