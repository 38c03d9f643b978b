//! `tenantry event add --file`: events of a file, in batches.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::mem;
use std::path::Path;

use serde::Serialize;
use tenantry_client::{Client, ClientError, ItemOutcome, NewEvent, Problem, Violation};
use uuid::Uuid;

use super::super::{CommandError, complain};
use super::failure;
use super::lines::{self, Line};
use super::output::{Fields, Output, emit_json_line};
use super::progress::Progress;
use super::table::printable;

/// The most lines of a batch, and their bytes: half of what a server takes unless it is configured otherwise.
const MAX_BATCH_LINES: usize = 500;
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// So many rejected lines are told; a file of another kind would have as many as it has lines.
const MAX_TOLD: u64 = 100;

/// What became of a file.
#[derive(Debug, Default, Serialize)]
struct Summary {
    lines: u64,
    accepted: u64,
    duplicates: u64,
    rejected: u64,
}

/// What became of a line.
#[derive(Debug, Serialize)]
struct LineOutcome {
    line: u64,
    /// 201: stored; 200: there already; 422: refused.
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Fault>,
}

/// Why a line was refused, here or by the server.
#[derive(Debug, Serialize)]
struct Fault {
    code: String,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Violation>,
}

/// Stores the events of a file, or of standard input.
pub(super) async fn store(client: &Client, file: &Path, output: Output) -> Result<(), CommandError> {
    let shown = file.display();
    let mut reader: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(file);
        let unreadable = |error| CommandError::Usage(format!("{shown} cannot be read: {error}"));
        Box::new(BufReader::new(opened.map_err(unreadable)?))
    };
    let mut sender = Sender::new(client, output);
    loop {
        let line = lines::next(&mut reader).map_err(|error| {
            CommandError::Failed(format!("{shown} cannot be read on: {error}{}", sender.so_far()))
        })?;
        let Some(line) = line else { break };
        sender.take(line).await?;
    }
    sender.finish().await
}

/// Collects lines, and sends them.
struct Sender<'a> {
    client: &'a Client,
    output: Output,
    progress: Progress,
    summary: Summary,
    batch: Batch,
}

/// What is to be sent next.
#[derive(Default)]
struct Batch {
    events: Vec<NewEvent>,
    /// The line of each.
    lines: Vec<u64>,
    bytes: usize,
    /// What became of the lines between them, which are no events.
    refused: Vec<LineOutcome>,
}

impl<'a> Sender<'a> {
    fn new(client: &'a Client, output: Output) -> Self {
        Self {
            client,
            output,
            progress: Progress::new(),
            summary: Summary::default(),
            batch: Batch::default(),
        }
    }

    async fn take(&mut self, line: Line) -> Result<(), CommandError> {
        self.summary.lines += 1;
        let number = self.summary.lines;
        let bytes = match &line {
            Line::Whole(line) if line.iter().all(u8::is_ascii_whitespace) => return Ok(()),
            Line::Whole(line) => line.len(),
            Line::TooLong => 0,
        };
        if !self.batch.has_room_for(bytes) {
            self.send().await?;
        }
        match read(&line) {
            Ok(event) => {
                self.batch.events.push(event);
                self.batch.lines.push(number);
                self.batch.bytes += bytes;
            }
            Err(fault) => self.batch.refused.push(LineOutcome::refused(number, fault)),
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), CommandError> {
        let Batch { events, lines, mut refused, .. } = mem::take(&mut self.batch);
        let mut outcomes = Vec::with_capacity(events.len() + refused.len());
        if !events.is_empty() {
            let outcome = self.client.events().create_batch(&events).await;
            let outcome = outcome.map_err(|error| self.broken_off(&lines, &error))?;
            let of_item = |(line, item): (u64, ItemOutcome)| LineOutcome::of(line, item);
            let items = outcome.items.into_iter().map(|item| item.outcome);
            outcomes.extend(lines.into_iter().zip(items).map(of_item));
        }
        outcomes.append(&mut refused);
        outcomes.sort_unstable_by_key(|outcome| outcome.line);
        outcomes.into_iter().try_for_each(|outcome| self.tell(&outcome))?;
        let Summary { accepted, duplicates, rejected, .. } = self.summary;
        let done = accepted + duplicates + rejected;
        self.progress.say(|| format!("{done} events, {rejected} rejected"));
        Ok(())
    }

    fn tell(&mut self, outcome: &LineOutcome) -> Result<(), CommandError> {
        match (&outcome.problem, outcome.status) {
            (Some(fault), _) => {
                self.summary.rejected += 1;
                if self.summary.rejected <= MAX_TOLD {
                    self.progress.clear();
                    complain(&format!("line {}: {}", outcome.line, printable(&fault.detail)));
                }
            }
            (None, 200) => self.summary.duplicates += 1,
            (None, _) => self.summary.accepted += 1,
        }
        if self.output == Output::Ndjson { emit_json_line(outcome) } else { Ok(()) }
    }

    fn broken_off(&mut self, lines: &[u64], error: &ClientError) -> CommandError {
        self.progress.clear();
        let (code, text) = failure::report(error);
        let ends = lines.first().zip(lines.last());
        let lines = ends.map_or_else(String::new, |(first, last)| format!("lines {first} to {last}: "));
        CommandError::Exit { code, text: format!("{lines}{text}{}", self.so_far()) }
    }

    /// What has become of the lines that were sent before.
    fn so_far(&self) -> String {
        let Summary { accepted, duplicates, rejected, .. } = self.summary;
        format!(
            "; of those before, {accepted} were stored, {duplicates} were there already, {rejected} were rejected"
        )
    }

    async fn finish(mut self) -> Result<(), CommandError> {
        self.send().await?;
        self.progress.clear();
        if self.output != Output::Ndjson {
            self.output.one(&self.summary)?;
        }
        match self.summary.rejected {
            0 => Ok(()),
            1..=MAX_TOLD => Err(CommandError::Reported),
            rejected => {
                Err(CommandError::Failed(format!("{} more lines were rejected", rejected - MAX_TOLD)))
            }
        }
    }
}

impl Batch {
    fn has_room_for(&self, bytes: usize) -> bool {
        let lines = self.events.len() + self.refused.len();
        lines < MAX_BATCH_LINES && (self.events.is_empty() || self.bytes + bytes <= MAX_BATCH_BYTES)
    }
}

fn read(line: &Line) -> Result<NewEvent, Fault> {
    let fault = |detail| Fault { code: "no-event".to_owned(), detail, errors: Vec::new() };
    match line {
        Line::Whole(line) => {
            serde_json::from_slice(line).map_err(|error| fault(format!("is no event: {error}")))
        }
        Line::TooLong => Err(fault("is longer than 1 MiB".to_owned())),
    }
}

impl LineOutcome {
    fn of(line: u64, outcome: ItemOutcome) -> Self {
        match outcome {
            ItemOutcome::Stored { id, sequence } => Self::there(line, 201, id, sequence),
            ItemOutcome::WasThere { id, sequence } => Self::there(line, 200, id, sequence),
            ItemOutcome::Rejected(problem) => Self::refused(line, problem.into()),
        }
    }

    fn there(line: u64, status: u16, id: Uuid, sequence: u64) -> Self {
        Self { line, status, id: Some(id), sequence: Some(sequence), problem: None }
    }

    fn refused(line: u64, fault: Fault) -> Self {
        Self { line, status: 422, id: None, sequence: None, problem: Some(fault) }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self { detail: failure::faults_of(&problem), code: problem.code, errors: problem.errors }
    }
}

impl Fields for Summary {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("lines", self.lines.to_string()),
            ("accepted", self.accepted.to_string()),
            ("duplicates", self.duplicates.to_string()),
            ("rejected", self.rejected.to_string()),
        ]
    }
}
