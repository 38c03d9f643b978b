//! `tenantry event`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use tenantry_client::{EventOrder, EventQuery, JsonObject, NewEvent};
use uuid::Uuid;

use super::super::{CommandError, complain};
use super::event_file;
use super::output::{LimitArgs, Output};
use super::prompt;
use super::target::Session;
use super::tenant::json_object;

/// What is done with a tenant's events.
#[derive(Debug, Subcommand)]
pub(in crate::command) enum EventCommand {
    /// Store an event, or those of a file
    #[command(
        long_about = "Store an event, or those of a file; when it has ended with 0, they are on the server's \
        disk.\n\nA file has one JSON object a line, with component, environment, message and, if wanted, email, data and \
        id. It is sent in its order, some hundred lines at a time. Each line stands or falls alone: what is wrong with it \
        is told on standard error, and the others are stored; then it ends with 1. With --output ndjson what became of \
        each line is printed.\n\nAn event with an id of its own is stored once, however often it is sent: a file with \
        ids may be sent again whole."
    )]
    Add {
        /// Which part of a system it tells of
        #[arg(long)]
        component: Option<String>,
        /// Where that part ran
        #[arg(long)]
        environment: Option<String>,
        /// What happened
        #[arg(long)]
        message: Option<String>,
        /// Whom it concerns: an e-mail address
        #[arg(long)]
        email: Option<String>,
        /// Anything else: a JSON object
        #[arg(long, value_name = "JSON", value_parser = json_object)]
        data: Option<JsonObject>,
        /// Your own id for it, a UUID: sent again, it is not stored twice
        #[arg(long, value_name = "UUID")]
        id: Option<Uuid>,
        /// The file with the events; - is standard input
        #[arg(long, value_name = "FILE",
            conflicts_with_all = ["component", "environment", "message", "email", "data", "id"])]
        file: Option<PathBuf>,
    },
    /// List events by their sequence, newest first
    List {
        #[command(flatten)]
        filter: Box<FilterArgs>,
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Show an event
    Get {
        /// Its id
        id: Option<String>,
    },
}

/// Which events.
#[derive(Debug, Args)]
pub(in crate::command) struct FilterArgs {
    /// The component is this, letter for letter; repeat it for one of several
    #[arg(long)]
    component: Vec<String>,
    /// The environment is this; repeat it for one of several
    #[arg(long)]
    environment: Vec<String>,
    /// The e-mail address is this; repeat it for one of several
    #[arg(long)]
    email: Vec<String>,
    /// The message contains this; the case of letters does not count
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// Stored then or later: a day (2026-01-31), or a date and time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Stored then or earlier
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// The data contains this JSON object
    #[arg(long, value_name = "JSON", value_parser = json_object)]
    data: Option<JsonObject>,
    /// Only events behind this sequence
    #[arg(long, value_name = "SEQUENCE")]
    after_sequence: Option<u64>,
    /// In which order
    #[arg(long, value_enum, default_value_t = Order::Newest)]
    order: Order,
}

/// In which order events are listed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::command) enum Order {
    /// Newest first
    Newest,
    /// Oldest first
    Oldest,
}

impl EventCommand {
    pub(super) async fn run(self, session: &Session, output: Output) -> Result<(), CommandError> {
        match self {
            Self::Add { file: Some(file), .. } => {
                event_file::store(&session.tenant_client()?, &file, output).await
            }
            Self::Add { component, environment, message, email, data, id, file: None } => {
                let [component, environment, message] = prompt::all_needed([
                    (component, "--component", "Component"),
                    (environment, "--environment", "Environment"),
                    (message, "--message", "Message"),
                ])?;
                let event = NewEvent { id, component, environment, message, email, data };
                let stored = session.tenant_client()?.events().create(&event).await?;
                output.one(&stored.event)?;
                if stored.was_there {
                    complain("an event of this id was stored before: that one is shown");
                }
                Ok(())
            }
            Self::List { filter, limit } => {
                let query = filter.query(limit.page());
                output.list(session.tenant_client()?.events().list(&query), limit).await
            }
            Self::Get { id } => {
                let id = prompt::needed(id, "ID", "Id")?;
                let id = id.parse().map_err(|_| CommandError::Usage(format!("{id:?} is no UUID")))?;
                output.one(&session.tenant_client()?.events().get(id).await?)
            }
        }
    }
}

impl FilterArgs {
    fn query(self, page_limit: Option<u16>) -> EventQuery {
        let order = match self.order {
            Order::Newest => EventOrder::NewestFirst,
            Order::Oldest => EventOrder::OldestFirst,
        };
        EventQuery {
            components: self.component,
            environments: self.environment,
            emails: self.email,
            message: self.message,
            from: self.from,
            to: self.to,
            data: self.data,
            after_sequence: self.after_sequence,
            order,
            page_limit,
        }
    }
}
