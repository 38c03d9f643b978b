//! `tenantry key`.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Subcommand;
use serde::Serialize;
use tenantry_client::{AccessKey, CreatedAccessKey, NewAccessKey};

use super::super::{CommandError, complain};
use super::output::{Fields, LimitArgs, Output};
use super::target::Session;
use super::{duration, prompt};

/// What is done with a tenant's access keys. An administrator's key is needed, and --tenant.
#[derive(Debug, Subcommand)]
pub(in crate::command) enum KeyCommand {
    /// List the tenant's keys, in the order in which they were made
    List {
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Make a key of the tenant
    #[command(
        long_about = "Make a key of the tenant.\n\nIts text is shown this once, and never again. With --to-file \
        it is not shown at all, but written to a new file that only you can read, for --key-file."
    )]
    Create {
        /// What it is for: 1 to 100 characters
        name: Option<String>,
        /// What it allows: events:read, events:write, kv:read, kv:write, catalog:read, catalog:write; several parted by
        /// commas
        #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
        scopes: Vec<String>,
        /// How long it is good: a number with s, m, h or d behind it
        #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
        expires_in: Option<Duration>,
        /// From when on it is refused: a date and time (RFC 3339)
        #[arg(long, value_name = "TIME", conflicts_with = "expires_in", value_parser = time)]
        expires_at: Option<DateTime<Utc>>,
        /// Write the key to this file, which must not be there, instead of showing it
        #[arg(long, value_name = "FILE")]
        to_file: Option<PathBuf>,
    },
    /// Revoke a key of the tenant, at once
    Revoke {
        /// Its id: 12 characters, as `key list` shows them
        key_id: Option<String>,
    },
}

impl KeyCommand {
    pub(super) async fn run(self, session: &Session, output: Output) -> Result<(), CommandError> {
        match self {
            Self::List { limit } => {
                let tenant = session.named_tenant()?;
                output.list(session.client()?.access_keys(tenant).list(), limit).await
            }
            Self::Create { name, scopes, expires_in, expires_at, to_file } => {
                let tenant = session.named_tenant()?;
                let scopes = (!scopes.is_empty()).then(|| scopes.join(","));
                let [name, scopes] = prompt::all_needed([
                    (name, "NAME", "Name (what it is for)"),
                    (scopes, "--scope", "Scopes (such as events:read,kv:write)"),
                ])?;
                let scopes: Vec<String> = scopes.split(',').map(|scope| scope.trim().to_owned()).collect();
                let expires_at = match expires_in {
                    Some(life) => Some(after(life)?),
                    None => expires_at,
                };
                let mut wanted = NewAccessKey::new(name, scopes);
                wanted.expires_at = expires_at;
                let file = to_file.map(|path| KeyFile::create(&path)).transpose()?;
                let made = session.client()?.access_keys(tenant).create(&wanted).await;
                match (made, file) {
                    (Ok(made), Some(file)) => {
                        file.write(made.key.expose())?;
                        output.one(&made.about)
                    }
                    (Ok(made), None) => show(&made, output),
                    (Err(error), file) => {
                        file.into_iter().for_each(KeyFile::discard);
                        Err(error.into())
                    }
                }
            }
            Self::Revoke { key_id } => {
                let tenant = session.named_tenant()?;
                let key_id = prompt::needed(key_id, "KEY_ID", "Key id")?;
                session.client()?.access_keys(tenant).revoke(&key_id).await?;
                output.one(&Revoked { key_id, revoked: true })
            }
        }
    }
}

fn show(made: &CreatedAccessKey, output: Output) -> Result<(), CommandError> {
    output.one(&WithText { about: &made.about, key: made.key.expose() })?;
    complain("the key is not shown again");
    Ok(())
}

fn after(life: Duration) -> Result<DateTime<Utc>, CommandError> {
    let life = chrono::TimeDelta::from_std(life).ok();
    let end = life.and_then(|life| Utc::now().checked_add_signed(life));
    end.ok_or_else(|| CommandError::Usage("--expires-in is too long".to_owned()))
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| time.to_utc()).map_err(|_| "must be like 2027-01-31T12:00:00Z".to_owned())
}

/// The file for a key's text. It is made before the key is: a key that could not be written would be lost.
struct KeyFile {
    path: PathBuf,
    file: std::fs::File,
}

impl KeyFile {
    fn create(path: &Path) -> Result<Self, CommandError> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file =
            file.map_err(|error| CommandError::Usage(format!("{} cannot be made: {error}", path.display())))?;
        Ok(Self { path: path.to_owned(), file })
    }

    fn write(mut self, key: &str) -> Result<(), CommandError> {
        let written = writeln!(self.file, "{key}").and_then(|()| self.file.sync_all());
        written.map_err(|error| {
            CommandError::Failed(format!(
                "the key was made, but {} cannot be written: {error}; revoke it, and make another",
                self.path.display()
            ))
        })
    }

    fn discard(self) {
        // An empty file that stays is seen by whoever tries again.
        let _ = std::fs::remove_file(self.path);
    }
}

/// A key with its text.
#[derive(Serialize)]
struct WithText<'a> {
    #[serde(flatten)]
    about: &'a AccessKey,
    key: &'a str,
}

impl Fields for WithText<'_> {
    fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = self.about.fields();
        fields.push(("key", self.key.to_owned()));
        fields
    }
}

#[derive(Serialize)]
struct Revoked {
    key_id: String,
    revoked: bool,
}

impl Fields for Revoked {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![("key_id", self.key_id.clone()), ("revoked", self.revoked.to_string())]
    }
}
