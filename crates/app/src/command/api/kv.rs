//! `tenantry kv`.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use tenantry_client::{EntityTag, Increment, KeyValueQuery, Precondition, PutOptions, Value};

use super::super::CommandError;
use super::kv_shown::{Deleted, IncrementedKey, ReadKey, WrittenKey};
use super::output::{LimitArgs, Output, emit, emit_bytes, is_terminal_safe};
use super::target::Session;
use super::{duration, prompt};

/// A server can be configured to take values so large, and no larger.
const MAX_VALUE_BYTES: u64 = 64 * 1024 * 1024;

/// What is done with a tenant's key-values.
#[derive(Debug, Subcommand)]
pub(in crate::command) enum KvCommand {
    /// Set a key to a value
    #[command(
        long_about = "Set a key to a value: one given as VALUE is text, one of --file is taken byte by byte.\n\n\
        What is missing is asked for at a terminal, and is an error elsewhere."
    )]
    Set {
        /// The key: 1 to 512 bytes of any text
        key: Option<String>,
        /// The value
        #[arg(allow_negative_numbers = true, conflicts_with = "file")]
        value: Option<String>,
        /// The file that holds the value; - is standard input
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// What kind of bytes it is [default: text/plain; charset=utf-8, of a file application/octet-stream]
        #[arg(long, value_name = "MEDIA-TYPE")]
        content_type: Option<String>,
        /// How long it lives: a number of seconds, or with m, h or d behind it [default: for good]
        #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
        ttl: Option<Duration>,
        #[command(flatten)]
        precondition: PreconditionArgs,
    },
    /// Print a value, byte by byte
    #[command(
        long_about = "Print a value, byte by byte.\n\nAt a terminal a line's end is added, and what would not be \
        plain text there is refused. With --output given, what is known of the value is shown too."
    )]
    Get {
        /// The key
        key: Option<String>,
    },
    /// Remove a key
    Delete {
        /// The key
        key: Option<String>,
        /// Only if it is at this revision
        #[arg(long, value_name = "REVISION")]
        if_match: Option<u64>,
    },
    /// List key-values, in the order of their keys' bytes
    List {
        /// Only keys that begin so
        prefix: Option<String>,
        /// Leave the values out
        #[arg(long)]
        keys_only: bool,
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Add to a number, atomically
    Increment {
        /// The key
        key: Option<String>,
        /// How much to add
        #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
        by: i64,
        /// What a key that is not there becomes; without it that is an error
        #[arg(long, value_name = "N", allow_negative_numbers = true)]
        initial: Option<i64>,
        /// Only if it is at this revision
        #[arg(long, value_name = "REVISION")]
        if_match: Option<u64>,
    },
}

/// What is asked of what stands.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(in crate::command) struct PreconditionArgs {
    /// Only if it is at this revision: nobody has changed it since
    #[arg(long, value_name = "REVISION")]
    if_match: Option<u64>,
    /// Only if the key is not there
    #[arg(long)]
    if_absent: bool,
    /// Only if the key is there
    #[arg(long)]
    if_present: bool,
}

impl PreconditionArgs {
    fn precondition(&self) -> Precondition {
        match (self.if_match, self.if_absent, self.if_present) {
            (Some(revision), ..) => Precondition::Matches(EntityTag::of_revision(revision)),
            (None, true, _) => Precondition::Absent,
            (None, false, true) => Precondition::Exists,
            (None, false, false) => Precondition::None,
        }
    }
}

impl KvCommand {
    pub(super) async fn run(self, session: &Session, output: Option<Output>) -> Result<(), CommandError> {
        let shown = output.unwrap_or(Output::Table);
        match self {
            Self::Set { key, value, file, content_type, ttl, precondition } => {
                let (key, bytes, usual_type) = match file {
                    Some(file) => (a_key(key)?, read(&file)?, PutOptions::default()),
                    None => {
                        let asked = [(key, "KEY", "Key"), (value, "VALUE", "Value")];
                        let [key, value] = prompt::all_needed(asked)?;
                        (key, value.into_bytes(), PutOptions::text())
                    }
                };
                let content_type = content_type.or(usual_type.content_type);
                let options = PutOptions { content_type, ttl, precondition: precondition.precondition() };
                let written = session.tenant_client()?.key_values().put(&key, bytes, options).await?;
                shown.one(&WrittenKey { key, written })
            }
            Self::Get { key } => {
                let key = a_key(key)?;
                let value = session.tenant_client()?.key_values().get(&key).await?;
                match output {
                    Some(output) => output.one(&ReadKey::new(key, &value)),
                    None => print(&key, &value),
                }
            }
            Self::Delete { key, if_match } => {
                let key = a_key(key)?;
                session.tenant_client()?.key_values().delete(&key, &at(if_match)).await?;
                shown.one(&Deleted { key, deleted: true })
            }
            Self::List { prefix, keys_only, limit } => {
                let query = KeyValueQuery { prefix, keys_only, page_limit: limit.page() };
                shown.list(session.tenant_client()?.key_values().list(&query), limit).await
            }
            Self::Increment { key, by, initial, if_match } => {
                let key = a_key(key)?;
                let increment = Increment { by, initial, precondition: at(if_match) };
                let done = session.tenant_client()?.key_values().increment(&key, &increment).await?;
                shown.one(&IncrementedKey { key, done })
            }
        }
    }
}

fn a_key(given: Option<String>) -> Result<String, CommandError> {
    prompt::needed(given, "KEY", "Key")
}

fn at(revision: Option<u64>) -> Precondition {
    revision.map_or(Precondition::None, |revision| Precondition::Matches(EntityTag::of_revision(revision)))
}

/// The bytes of a file, or of standard input.
fn read(file: &Path) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        io::stdin().lock().take(MAX_VALUE_BYTES + 1).read_to_end(&mut bytes)
    } else {
        File::open(file).and_then(|file| file.take(MAX_VALUE_BYTES + 1).read_to_end(&mut bytes))
    };
    let shown = file.display();
    read.map_err(|error| CommandError::Usage(format!("{shown} cannot be read: {error}")))?;
    if bytes.len() as u64 > MAX_VALUE_BYTES {
        return Err(CommandError::Usage(format!("{shown} has more than {MAX_VALUE_BYTES} bytes")));
    }
    Ok(bytes)
}

/// The bytes of the value, as they are; at a terminal, where they are text.
fn print(key: &str, value: &Value) -> Result<(), CommandError> {
    if !io::stdout().is_terminal() {
        return emit_bytes(&value.bytes);
    }
    match std::str::from_utf8(&value.bytes) {
        Ok(text) if is_terminal_safe(text) => {
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            emit(&format!("{text}{end}"))
        }
        _ => Err(CommandError::Failed(format!(
            "{key:?} holds {} bytes that are not plain text: send them elsewhere than to a terminal, or say --output \
             json",
            value.bytes.len()
        ))),
    }
}

/// Bytes as lists of the API write them: the value, and its encoding.
pub(super) fn encoded(bytes: &[u8]) -> (String, &'static str) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), "utf-8"),
        Err(_) => (STANDARD.encode(bytes), "base64"),
    }
}
