//! The planted fault: an acknowledged event that the disk did not keep.

use std::fs::{self, OpenOptions};
use std::path::Path;

use xtask::event_ledger::EventLedger;
use xtask::write_ahead_log::{contains, cut_before};

use super::event_text::marker;
use crate::Result;
use crate::database::SCHEMA;
use crate::private::PrivateServer;
use crate::psql;

/// Deletes the newest acknowledged event from PostgreSQL, as if its commit had never been synced; answers its id.
pub(super) fn delete_newest(postgres: &PrivateServer, ledger: &EventLedger) -> Result<Option<u128>> {
    let Some((id, sequence)) = ledger.newest_promised() else { return Ok(None) };
    let deletion = format!("DELETE FROM {SCHEMA}.events WHERE id = '{id:032x}' RETURNING sequence");
    if psql::query(postgres, &deletion)? != sequence.to_string() {
        return Err(format!("event {id:032x} is not at sequence {sequence} to begin with").into());
    }
    println!("planted: event {id:032x}, sequence {sequence}, deleted");
    Ok(Some(id))
}

/// Cuts SQLite's write-ahead log off before the commit of the newest acknowledged event, as if that had never
/// been synced; answers the event's id. `None`, and nothing is changed, when the log does not hold that event
/// alone: it may have been copied into the database already.
pub(super) fn plant_loss(data_dir: &Path, ledger: &EventLedger) -> Result<Option<u128>> {
    let Some((id, sequence)) = ledger.newest_promised() else { return Ok(None) };
    let marker = marker(id);
    let log_file = data_dir.join("tenantry.db-wal");
    let log = fs::read(&log_file)?;
    let Some(length) = cut_before(&log, marker.as_bytes()) else { return Ok(None) };
    if contains(&fs::read(data_dir.join("tenantry.db"))?, marker.as_bytes()) {
        return Ok(None);
    }
    OpenOptions::new().write(true).open(&log_file)?.set_len(length as u64)?;
    if contains(&fs::read(&log_file)?, marker.as_bytes()) {
        return Err("the event is still in the log that was cut off before it".into());
    }
    println!(
        "planted: {} bytes cut off the log, with event {id:032x}, sequence {sequence}",
        log.len() - length
    );
    Ok(Some(id))
}
