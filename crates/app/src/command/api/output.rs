//! How commands print.

use std::io::{self, IsTerminal, Write};

use clap::{Args, ValueEnum};
use futures_util::StreamExt;
use serde::Serialize;
use tenantry_client::ItemStream;

use super::super::{CommandError, complain};
use super::table::{self, Column, Table};

/// The most items that are asked for at once.
const MAX_PAGE: u64 = 500;

/// How to print. The same at a terminal and elsewhere, so that what is seen is what a script gets; but for texts that
/// have no room in a table at a terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people.
    #[default]
    Table,
    /// JSON: an object, or an array.
    Json,
    /// JSON, one object a line.
    Ndjson,
}

/// What can be shown alone.
pub(super) trait Fields: Serialize {
    /// What is shown of it, by name.
    fn fields(&self) -> Vec<(&'static str, String)>;
}

/// What can be shown in a list.
pub(super) trait Row: Serialize {
    /// The columns of the table.
    const COLUMNS: &'static [Column];

    /// Its cells there.
    fn cells(&self) -> Vec<String>;
}

/// How much of a list.
#[derive(Debug, Clone, Copy, Args)]
pub(in crate::command) struct LimitArgs {
    /// How many to list at most
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// List everything
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

impl LimitArgs {
    /// How many items to ask for at once.
    pub(super) fn page(self) -> Option<u16> {
        let page = if self.all { MAX_PAGE } else { self.limit.min(MAX_PAGE) };
        u16::try_from(page).ok()
    }
}

impl Output {
    /// Prints one thing.
    pub(super) fn one<T: Fields>(self, thing: &T) -> Result<(), CommandError> {
        emit(&match self {
            Self::Table => table::of_fields(&thing.fields()),
            Self::Json => format!("{}\n", pretty(thing)?),
            Self::Ndjson => return emit_json_line(thing),
        })
    }

    /// Prints a list as it comes. If there is more than the limit, that is said on standard error.
    pub(super) async fn list<T: Row>(
        self,
        mut items: ItemStream<T>,
        limit: LimitArgs,
    ) -> Result<(), CommandError> {
        let mut printer = Printer::new::<T>(self);
        let mut count = 0;
        while let Some(item) = items.next().await {
            if !limit.all && count == limit.limit {
                printer.end()?;
                complain(&format!(
                    "there are more than {count}: --limit N shows more of them, --all shows all"
                ));
                return Ok(());
            }
            match item {
                Ok(item) => printer.print(&item)?,
                Err(error) => {
                    printer.break_off()?;
                    return Err(error.into());
                }
            }
            count += 1;
        }
        printer.end()
    }
}

/// Prints a list, item by item, in bounded memory.
struct Printer {
    output: Output,
    table: Table,
    is_first: bool,
}

impl Printer {
    fn new<T: Row>(output: Output) -> Self {
        Self { output, table: Table::new(T::COLUMNS, terminal_columns()), is_first: true }
    }

    fn print<T: Row>(&mut self, item: &T) -> Result<(), CommandError> {
        match self.output {
            Output::Table => self.table.push(item.cells()).map_or(Ok(()), |text| emit(&text)),
            Output::Ndjson => emit_json_line(item),
            Output::Json => {
                let before = if self.is_first { "[\n  " } else { ",\n  " };
                self.is_first = false;
                emit(&format!("{before}{}", pretty(item)?.replace('\n', "\n  ")))
            }
        }
    }

    /// Shows what has come. JSON is not closed: nobody is to take it for the whole.
    fn break_off(&mut self) -> Result<(), CommandError> {
        match self.output {
            Output::Table if self.table.is_empty() => Ok(()),
            Output::Table => emit(&self.table.rest()),
            Output::Json if !self.is_first => emit("\n"),
            Output::Json | Output::Ndjson => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), CommandError> {
        match self.output {
            Output::Table => emit(&self.table.rest()),
            Output::Ndjson => Ok(()),
            Output::Json => emit(if self.is_first { "[]\n" } else { "\n]\n" }),
        }
    }
}

/// One object as a line of JSON.
pub(super) fn emit_json_line(thing: &impl Serialize) -> Result<(), CommandError> {
    emit(&format!("{}\n", compact(thing)?))
}

/// Text on standard output.
pub(super) fn emit(text: &str) -> Result<(), CommandError> {
    emit_bytes(text.as_bytes())
}

/// Bytes on standard output. Whoever reads it may stop to do so: then the command has nothing more to do.
pub(super) fn emit_bytes(bytes: &[u8]) -> Result<(), CommandError> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => CommandError::OutputClosed,
        _ => CommandError::failed(format_args!("the output cannot be written: {error}")),
    })
}

/// Whether text does nothing to a terminal but to stand there.
pub(super) fn is_terminal_safe(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r') || table::is_reordering(c))
}

fn pretty(thing: &impl Serialize) -> Result<String, CommandError> {
    serde_json::to_string_pretty(thing).map_err(CommandError::failed)
}

fn compact(thing: &impl Serialize) -> Result<String, CommandError> {
    serde_json::to_string(thing).map_err(CommandError::failed)
}

/// How many places a line of the terminal has; nothing where there is none.
fn terminal_columns() -> Option<usize> {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(&stdout).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}
