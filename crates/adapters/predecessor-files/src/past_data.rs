//! A predecessor's data, read and sorted.

use diesel::SqliteConnection;
use tenantry_domain::{PastEvent, PastTenant};

use crate::dump::{self, Listener};
use crate::fault::{Faults, Place};
use crate::file_error::FileError;
use crate::origin::{self, Opened, Origin};
use crate::predecessor::Predecessor;
use crate::sqlite::Database;
use crate::staging::key_values::{PastKeyValue, Told};
use crate::staging::{self, At, events, key_values, tenants};
use crate::table::{KnownTable, Tables};
use crate::value::{Row, Value};

/// A row that can be stored, with its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed<T> {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub item: T,
}

/// Some rows, in the order in which they must be stored.
#[derive(Debug)]
pub enum Batch {
    /// Of the registry, by number.
    Tenants(Vec<Placed<PastTenant>>),
    /// Of the key-value store, by key: of each key the last row alone.
    KeyValues(Vec<Placed<PastKeyValue>>),
    /// Of the log, by time.
    Events(Vec<Placed<PastEvent>>),
}

/// A predecessor's data that was read whole.
pub struct PastData {
    predecessor: Predecessor,
    table: String,
    rows: u64,
    superseded: u64,
    faults: Faults,
    connection: SqliteConnection,
    place: fn(u64) -> Place,
}

impl PastData {
    /// Reads a file to its end: that of `wanted`, or of whichever predecessor its tables tell. `progress` is told how
    /// many bytes were read. Blocks. Memory does not grow with the file; a temporary file does.
    ///
    /// # Errors
    /// The file as a whole is not taken. Single rows that are not are [`faults`](Self::faults).
    pub fn read(
        origin: &Origin,
        wanted: Option<Predecessor>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Self, FileError> {
        let mut reading = Reading {
            tables: Tables::new(wanted),
            staged: None,
            rows: 0,
            faults: Faults::default(),
            connection: staging::open()?,
            progress,
        };
        let place = match origin::open(origin)? {
            Opened::Text(text) => {
                dump::read(text, &mut reading)?;
                Place::Line as fn(u64) -> Place
            }
            Opened::Sqlite(path) => {
                let mut tables = Tables::new(wanted);
                Database::open(&path)?.read(&mut tables, &mut reading)?;
                // These have seen every table, the others only the one that was chosen.
                reading.tables = tables;
                Place::Row
            }
        };
        let Reading { tables, staged, rows, mut faults, mut connection, .. } = reading;
        let KnownTable { predecessor, name, .. } = tables.finish()?;
        let mut superseded = 0;
        if staged == Some(Predecessor::Tenantbase) {
            key_values::deliver(&mut connection, |told| {
                match told {
                    Told::Superseded => superseded += 1,
                    Told::Last(at, Err(why)) => faults.push(place(at.unsigned_abs()), why),
                    Told::Last(_, Ok(_)) => {}
                }
                true
            })?;
        }
        Ok(Self { predecessor, table: name, rows, superseded, faults, connection, place })
    }

    /// Whose data it is.
    #[must_use]
    pub fn predecessor(&self) -> Predecessor {
        self.predecessor
    }

    /// The table's name in the file.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// How many rows were read, good or not.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// How many rows don't count, since a later row has the same key.
    #[must_use]
    pub fn superseded(&self) -> u64 {
        self.superseded
    }

    /// How many rows can be stored.
    #[must_use]
    pub fn good_rows(&self) -> u64 {
        self.rows.saturating_sub(self.superseded).saturating_sub(self.faults.count())
    }

    /// The rows that are not taken.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Hands out what can be stored, in batches of at most `rows` rows, fewer where they are large, until `take` wants
    /// no more. Blocks.
    ///
    /// # Errors
    /// The temporary file fails.
    pub fn deliver(&mut self, rows: usize, take: &mut dyn FnMut(Batch) -> bool) -> Result<(), FileError> {
        let place = self.place;
        let placed = |at: i64| place(at.unsigned_abs());
        let connection = &mut self.connection;
        match self.predecessor {
            Predecessor::Tenants => {
                let mut batches = Batches::new(rows, Batch::Tenants, take);
                tenants::deliver(connection, |at, tenant| {
                    let size = tenant.tenant.info.as_str().len();
                    batches.add(Placed { place: placed(at), item: tenant }, size)
                })?;
                batches.finish();
            }
            Predecessor::Activity => {
                let mut batches = Batches::new(rows, Batch::Events, take);
                events::deliver(connection, |at, event| {
                    let size = event.event.data.as_str().len() + event.event.message.as_str().len();
                    batches.add(Placed { place: placed(at), item: event }, size)
                })?;
                batches.finish();
            }
            Predecessor::Tenantbase => {
                let mut batches = Batches::new(rows, Batch::KeyValues, take);
                key_values::deliver(connection, |told| match told {
                    Told::Last(at, Ok(key_value)) => {
                        let size = key_value.value.len();
                        batches.add(Placed { place: placed(at), item: key_value }, size)
                    }
                    Told::Last(_, Err(_)) | Told::Superseded => true,
                })?;
                batches.finish();
            }
        }
        Ok(())
    }
}

/// A batch ends when its rows reach this many bytes.
const MAX_BATCH_BYTES: usize = 4 << 20;

/// Makes batches of rows.
struct Batches<'a, T> {
    most: usize,
    rows: Vec<Placed<T>>,
    bytes: usize,
    wrap: fn(Vec<Placed<T>>) -> Batch,
    take: &'a mut dyn FnMut(Batch) -> bool,
}

impl<'a, T> Batches<'a, T> {
    fn new(most: usize, wrap: fn(Vec<Placed<T>>) -> Batch, take: &'a mut dyn FnMut(Batch) -> bool) -> Self {
        Self { most, rows: Vec::new(), bytes: 0, wrap, take }
    }

    /// Adds a row, and says whether more are wanted.
    fn add(&mut self, row: Placed<T>, bytes: usize) -> bool {
        self.rows.push(row);
        self.bytes += bytes;
        if self.rows.len() < self.most && self.bytes < MAX_BATCH_BYTES {
            return true;
        }
        self.bytes = 0;
        (self.take)((self.wrap)(std::mem::take(&mut self.rows)))
    }

    fn finish(self) {
        if !self.rows.is_empty() {
            (self.take)((self.wrap)(self.rows));
        }
    }
}

/// A file while it is read.
struct Reading<'a> {
    tables: Tables,
    /// Whose rows are staged.
    staged: Option<Predecessor>,
    rows: u64,
    faults: Faults,
    connection: SqliteConnection,
    progress: &'a mut dyn FnMut(u64),
}

impl Listener for Reading<'_> {
    fn table(&mut self, name: &str, columns: &[String]) -> Result<bool, FileError> {
        if !self.tables.offer(name, columns)? {
            return Ok(false);
        }
        let chosen = self.tables.chosen().map(|table| table.predecessor);
        if self.staged.is_none() {
            match chosen {
                Some(Predecessor::Tenants) => tenants::create(&mut self.connection)?,
                Some(Predecessor::Tenantbase) => key_values::create(&mut self.connection)?,
                Some(Predecessor::Activity) => events::create(&mut self.connection)?,
                None => {}
            }
            self.staged = chosen;
        }
        Ok(true)
    }

    fn row(&mut self, place: Place, values: Result<&[Value<'_>], String>) -> Result<(), FileError> {
        self.rows += 1;
        let Some(table) = self.tables.chosen() else { return Ok(()) };
        let values = match values {
            Ok(values) => values,
            Err(why) => {
                self.faults.push(place, why);
                return Ok(());
            }
        };
        let row = Row { table, values };
        let at = At { place: self.rows.cast_signed(), line: place.number().cast_signed() };
        let staged = match table.predecessor {
            Predecessor::Tenants => {
                tenants::parse(&row).map(|tenant| tenants::stage(&mut self.connection, at, &tenant))
            }
            Predecessor::Tenantbase => {
                key_values::parse(&row).map(|row| key_values::stage(&mut self.connection, at, &row))
            }
            Predecessor::Activity => {
                events::parse(&row).map(|event| events::stage(&mut self.connection, at, &event))
            }
        };
        match staged {
            Ok(staged) => staged,
            Err(why) => {
                self.faults.push(place, why);
                Ok(())
            }
        }
    }

    fn progress(&mut self, bytes: u64) {
        (self.progress)(bytes);
    }
}

#[cfg(test)]
mod tests;
