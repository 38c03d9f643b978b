//! `docs/benchmarks.md`.

use std::fs;

use xtask::workspace;

use super::settings::Settings;
use super::table::{Row, markdown};
use super::{VALUE_LENGTH, machine};
use crate::Result;

/// Writes the document anew.
pub(super) fn write(settings: &Settings, rows: &[Row]) -> Result<()> {
    fs::write(workspace::root()?.join("docs/benchmarks.md"), text(settings, rows))?;
    println!("written: docs/benchmarks.md");
    Ok(())
}

fn text(settings: &Settings, rows: &[Row]) -> String {
    let Settings { seconds, rounds, threads, .. } = settings;
    let (machine, commit, command, table) =
        (machine::describe(), machine::commit(), settings.command(), markdown(rows));
    format!(
        "# Benchmarks

This file is written by `cargo xtask bench`; don't edit it.

- Machine: {machine}. The load generator runs on the same machine.
- Commit: {commit}
- Command: `{command}`

{table}
## How to read it

Absolute figures drift with the machine and its neighbours, so what counts is the ratio. “Bare” is the floor
that this stack allows: an actix-web server with the same number of workers, the same timeouts and the same
allocator, that answers as many bytes of body (P1, P2, P7), or parses the same JSON into a struct and writes it again
(P3), or echoes the body (P5), and does nothing else: no authentication, no storage, no further headers. “pgbench” is
PostgreSQL's own load tool on the same server. Both sides are started by the same command and take turns: ours,
theirs, ours, theirs, …

- {rounds} rounds of {seconds} seconds for each side, after a second that is not counted; figures are medians,
  latencies are over all rounds. In brackets: the lowest and the highest ratio of a round.
- The load generator is the same for both: {threads} threads, keep-alive, one request under way on each
  connection. It checks the status and the body of every answer.
- “Used by others” is the share of the machine's processors that went to processes other than the load generator
  and what it has started: the median of all rounds, and the highest. Beyond a few per cent, the ratio is no
  longer one of the two servers alone.
- Authentication is on, durability is on (SQLite in WAL mode, `synchronous=FULL`; PostgreSQL with `fsync=on`,
  `full_page_writes=on`, `synchronous_commit=on` and otherwise its defaults; data on a disk), the configuration is the
  default but for what a line says. An answer to a write comes after its commit. On PostgreSQL, the product serves as a
  role that Row-Level Security holds.
- P1: the keys are put, then each is read once, then the rounds begin. Values are {VALUE_LENGTH} bytes.
- P2: as P1, with `cache.access_max_bytes`, `cache.tenants_max_bytes` and `cache.key_values_max_bytes` at 0: each
  request reads its access key and its value from the database.
- P3 on PostgreSQL: `pgbench -M prepared` inserts events of the same size, one a transaction, as superuser, into a table
  of the same columns and indexes in the same database, without policies. It has 32, 48 or 64 clients, as was best for
  it in trials of three seconds before the rounds. Every row that it counts must be there.
- P3: after the rounds every stored event is read. Each acknowledged one must be there, no other may be, and
  the sequences must go up by one from 1; otherwise the bench fails.
- P5: after the rounds every key is read. It must have the value and the revision of its last acknowledged
  write; otherwise the bench fails.
- P7: a feed of 100,000 plans, five minutes apart, is imported before; each search is for a span at random that holds
  20 of them, and its first title and its length are checked. During imports: requests are sent when they are due, and
  latency counts from that time; meanwhile the feed is fetched and imported again and again, with every price of a tenth
  of its plans changed each time, by a provider of which one answer in three is 503 and one in three ends in the middle.
- P8: a feed that `cargo xtask provider` could serve. Ours is everything from the file's bytes to records that can be
  stored, handed to a sink that counts them; the bare pass goes through the same bytes in memory, event by event and attribute
  by attribute, and does nothing with them. Both in one process on one core, by turns. Memory: the highest resident
  memory of a process that reads a feed from a pipe, less what it had before.
- P10: resident memory once it has settled; from the start of the process to the first 200 of `/readyz`, median
  of ten; the size of the release binary.
"
    )
}
