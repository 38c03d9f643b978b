//! The command line.

mod api;
mod catalog_import;
mod check;
mod completions;
mod find_feed;
mod health;
mod import;
mod migrate;
mod migrate_data;
mod openapi;
mod progress;
mod seed;
mod serve;
mod signals;
mod worker;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use tenantry_client::ClientError;

use crate::config::{Config, ConfigLoader, Database, Problems, Source};
use crate::data_dir::DataDir;

/// A multi-tenant backend: tenants, their events and their key-values, behind one HTTP API.
#[derive(Debug, Parser)]
#[command(name = "tenantry", version, max_term_width = 100, after_help = after_help())]
pub struct Cli {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    serve: ServeArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

const CONFIGURATION_HELP: &str = "\
Without a command, tenantry serves.

Configuration: each key of config/tenantry.toml may also be given in FILE, as a variable (TENANTRY_ and the \
key in capitals, a double underscore for each dot: TENANTRY_HTTP__KEEP_ALIVE_SECONDS), and some as a flag. \
A flag stands above a variable, a variable above FILE, FILE above the default. `tenantry check` explains.";

fn after_help() -> String {
    format!("{CONFIGURATION_HELP}\n\n{}", api::EXIT_CODES)
}

/// Flags that every command takes.
#[derive(Debug, Args)]
struct ConfigArgs {
    /// Your configuration file (TOML)
    #[arg(long, value_name = "FILE", global = true, help_heading = "Configuration", env = "TENANTRY_CONFIG")]
    config: Option<PathBuf>,
    /// Where Tenantry keeps its database and admin.key [default: ./tenantry-data]
    #[arg(long, value_name = "DIR", global = true, help_heading = "Configuration")]
    data_dir: Option<String>,
    /// The database: postgres://…, sqlite:PATH, or nothing for SQLite in the data directory
    #[arg(long, value_name = "URL", global = true, help_heading = "Configuration")]
    database_url: Option<String>,
}

/// Flags for serving.
#[derive(Debug, Default, Args)]
struct ServeArgs {
    /// The address and port of the HTTP API [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Fill the installation once with sample data, and print commands to try
    #[arg(long)]
    demo: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the HTTP API until SIGTERM or SIGINT (the default)
    #[command(long_about = "Serve the HTTP API until SIGTERM or SIGINT.\n\nThe first signal lets requests \
        that are under way finish, for at most http.shutdown_timeout_seconds; a second one ends at once. \
        Either way nothing that was acknowledged is lost.")]
    Serve(ServeArgs),
    /// Carry out runs of feeds, and serve nothing, until SIGTERM or SIGINT
    #[command(
        long_about = "Carry out runs of feeds, and serve nothing, until SIGTERM or SIGINT: as many as \
        jobs.workers at the same time. Any number of workers may run beside any number of servers on one PostgreSQL; \
        SQLite's file belongs to one process, which does these jobs itself.\n\nThe first signal gives back what is under \
        way, and another worker begins it anew."
    )]
    Worker,
    /// Bring the database's schema up to date, and say what was done
    Migrate,
    /// Move a whole installation from one database to another, and verify it
    #[command(
        long_about = "Move a whole installation from one database to another (SQLite to PostgreSQL, or the way \
        back), and compare both row by row.\n\nBoth are kept from being served meanwhile. The source is only read. \
        The target must be empty, or hold this very move unfinished: then it goes on where it stopped. Until it is \
        finished the target cannot be served. For PostgreSQL name a role that is a member of tenantry_owner; a \
        password may come from PGPASSWORD or ~/.pgpass instead. The schema is that of postgres.schema.\n\nEnds with \
        0 when all was moved and nothing differs, with 1 if not, with 2 for a wrong usage."
    )]
    MigrateData {
        /// The source: sqlite:PATH or postgres://…
        #[arg(long, value_name = "URL")]
        from: String,
        /// The target: sqlite:PATH or postgres://…
        #[arg(long, value_name = "URL")]
        to: String,
        /// Only compare the two, and change neither
        #[arg(long)]
        verify_only: bool,
    },
    /// Store sample tenants from a file
    #[command(long_about = "Store sample tenants from a file: a JSON array of {\"id\", \"tenant_id\", \
        \"email\", \"desc\", \"address\": [...]}.\n\nThe whole file is checked first; if anything in it is \
        wrong, nothing is stored. A tenant of the same name and e-mail address that is there already is \
        passed over, so running it twice does no harm.")]
    Seed {
        /// The file
        #[arg(long, value_name = "FILE")]
        tenants: PathBuf,
    },
    /// Bring over what a predecessor has stored: a plain-text pg_dump, or an SQLite file
    #[command(
        long_about = "Bring over what a predecessor has stored: a plain-text pg_dump, or an SQLite file.\n\nThe whole \
        file is read first: of one that is cut short, or that holds no table that is known, nothing is stored. Rows \
        that break a rule are told with their lines, and the others are stored. Numbers of tenants, ids and times of \
        events and ids of plans are kept. Running it twice stores nothing twice.\n\nOn SQLite no server may be running. \
        docs/moving-over.md goes through it step by step.\n\nEnds with 0 when every row is stored or was there \
        already, with 1 if not, with 2 for a wrong usage."
    )]
    Import(import::ImportArgs),
    /// Explain the configuration, and check the data directory and the database; change nothing
    Check(ServeArgs),
    /// Ask a running server whether it is ready
    #[command(
        long_about = "Ask a running server whether it is ready (GET /readyz): for the health checks of \
        containers. It is the one that this configuration describes, on this computer, or that of --url. \
        Ends with 0 if it is ready, with 1 if not."
    )]
    Health {
        /// Another server: http://HOST:PORT
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    #[command(flatten)]
    Api(Box<api::ApiCommand>),
    /// Print the OpenAPI document of the HTTP API
    Openapi,
    /// Print what a shell needs to complete these commands
    #[command(long_about = "Print what a shell needs to complete these commands. For bash, say: \
        source <(tenantry completions bash)")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The configuration is wrong.
    #[error(transparent)]
    Configuration(#[from] Problems),
    /// Something failed: one readable line.
    #[error("{0}")]
    Failed(String),
    /// What was asked for makes no sense: one readable line.
    #[error("{0}")]
    Usage(String),
    /// The server was asked, and has not done it.
    #[error(transparent)]
    Api(#[from] ClientError),
    /// As [`Failed`](Self::Failed), with an exit code of its own.
    #[error("{text}")]
    Exit {
        /// The exit code.
        code: u8,
        /// One readable line.
        text: String,
    },
    /// Nobody reads the output any more: there is nothing more to do.
    #[error("nobody reads the output")]
    OutputClosed,
    /// Something failed, and the command has said so itself.
    #[error("something failed")]
    Reported,
    /// The configuration is wrong, and the command has said so itself.
    #[error("the configuration is wrong")]
    BadConfigurationReported,
}

impl CommandError {
    pub(crate) fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Does what the command line asks for: the whole program but for `main`.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli) {
        Ok(()) | Err(CommandError::OutputClosed) => ExitCode::SUCCESS,
        Err(CommandError::Reported) => ExitCode::from(1),
        Err(CommandError::BadConfigurationReported) => ExitCode::from(2),
        Err(CommandError::Api(error)) => {
            let (code, text) = api::report(&error);
            complain(&text);
            ExitCode::from(code)
        }
        Err(CommandError::Exit { code, text }) => {
            complain(&text);
            ExitCode::from(code)
        }
        Err(CommandError::Failed(text)) => {
            complain(&text);
            ExitCode::from(1)
        }
        Err(CommandError::Usage(text)) => {
            complain(&text);
            ExitCode::from(2)
        }
        Err(CommandError::Configuration(problems)) => {
            problems.iter().for_each(|problem| complain(&problem.to_string()));
            ExitCode::from(2)
        }
    }
}

/// One line on standard error, whatever the text holds.
fn complain(text: &str) {
    let text = text.replace(|c: char| c.is_control(), " ");
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(io::stderr(), "tenantry: {text}");
}

/// One line on standard output.
fn print_line(text: &str) -> Result<(), CommandError> {
    print(&format!("{text}\n"))
}

/// Text on standard output. Whoever reads it may stop to do so (`tenantry openapi | head`).
fn print(text: &str) -> Result<(), CommandError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::failed(error)),
        _ => Ok(()),
    }
}

/// Makes the data directory if the database is to stand in it.
fn prepare_place_of_database(config: &Config) -> Result<(), CommandError> {
    match config.settings().database() {
        Database::InDataDir => {
            DataDir::prepare(&config.settings().data_dir).map(|_| ()).map_err(CommandError::failed)
        }
        Database::SqliteFile(_) | Database::Postgres(_) => Ok(()),
    }
}

fn dispatch(cli: Cli) -> Result<(), CommandError> {
    let Cli { config, serve, command } = cli;
    let command = match command {
        None => Command::Serve(serve),
        Some(Command::Serve(behind)) => Command::Serve(serve.or(behind)),
        Some(Command::Check(behind)) => Command::Check(serve.or(behind)),
        Some(_) if serve.is_given() => {
            let text = "--listen and --demo are only for `tenantry serve` and `tenantry check`";
            Cli::command().error(ErrorKind::ArgumentConflict, text).exit()
        }
        Some(command) => command,
    };
    match command {
        Command::Serve(serve) => serve::run(&load(&config, &serve)?),
        Command::Check(serve) => check::run(load(&config, &serve)),
        Command::Worker => worker::run(&load(&config, &ServeArgs::default())?),
        Command::Migrate => migrate::run(&load(&config, &ServeArgs::default())?),
        Command::MigrateData { from, to, verify_only } => {
            let plan = migrate_data::Plan { from: &from, to: &to, verify_only };
            migrate_data::run(&load(&config, &ServeArgs::default())?, &plan)
        }
        Command::Seed { tenants } => seed::run(&load(&config, &ServeArgs::default())?, &tenants),
        Command::Import(args) => import::run(&load(&config, &ServeArgs::default())?, &args),
        Command::Health { url: Some(url) } => health::of_url(&url),
        Command::Health { url: None } => {
            health::of_address(load(&config, &ServeArgs::default())?.settings().listen)
        }
        Command::Api(command) => match command.as_import()? {
            Some(import) => {
                let (file, tenant, feed) = (&import.file, &import.tenant[..], &import.feed[..]);
                let import = catalog_import::Import { file, tenant, feed };
                catalog_import::run(&load(&config, &ServeArgs::default())?, &import)
            }
            None => api::run(*command, || load(&config, &ServeArgs::default())),
        },
        Command::Openapi => openapi::run(),
        Command::Completions { shell } => completions::run(shell),
    }
}

impl ServeArgs {
    fn is_given(&self) -> bool {
        self.listen.is_some() || self.demo
    }

    /// These flags, which stood before the command's name, and those that stood behind it.
    fn or(self, behind: Self) -> Self {
        Self { listen: behind.listen.or(self.listen), demo: self.demo || behind.demo }
    }
}

fn load(config: &ConfigArgs, serve: &ServeArgs) -> Result<Config, Problems> {
    let mut loader = ConfigLoader::new();
    if let Some(file) = &config.config {
        loader = loader.file(file);
    }
    loader = loader.environment(std::env::vars_os());
    let flags = [
        ("listen", "--listen", serve.listen.as_deref()),
        ("data_dir", "--data-dir", config.data_dir.as_deref()),
        ("database_url", "--database-url", config.database_url.as_deref()),
        ("demo", "--demo", serve.demo.then_some("true")),
    ];
    for (key, flag, value) in flags {
        if let Some(value) = value {
            loader = loader.set(key, value, Source::Flag(flag.to_owned()));
        }
    }
    loader.load()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
