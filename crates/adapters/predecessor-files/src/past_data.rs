//! A predecessor's data, read and sorted.

use diesel::SqliteConnection;
use tenantry_domain::{PastEvent, PastPlan, PastTenant};

use crate::dump::{self, Listener};
use crate::fault::{Faults, Place};
use crate::file_error::FileError;
use crate::origin::{self, Opened, Origin};
use crate::predecessor::Predecessor;
use crate::search::SideTable;
use crate::search::assembly::Choice;
use crate::search::columns::Role;
use crate::search::references::ForeignKey;
use crate::search::{self, Catalog};
use crate::sqlite::Database;
use crate::staging::key_values::{PastKeyValue, Told};
use crate::staging::{self, At, events, key_values, tenants};
use crate::table::{Found, KnownTable, Offered, Tables};
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
    /// Of the search, in the order of the file.
    Plans(Vec<Placed<PastPlan>>),
}

/// What is wanted of a file.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Whose data it is; without one, whichever predecessor's its tables tell.
    pub predecessor: Option<Predecessor>,
    /// Of the search: the provider whose plans are wanted, as the file names it.
    pub provider: Option<String>,
    /// Of the search: whether plans are taken also where the file does not say what their provider knows them by.
    pub without_provider_ids: bool,
}

/// A predecessor's data that was read whole.
pub struct PastData {
    predecessor: Predecessor,
    table: String,
    rows: u64,
    superseded: u64,
    /// Rows that are not taken, and are no row of the table.
    beside: u64,
    faults: Faults,
    connection: SqliteConnection,
    /// What the search's tables mean.
    catalog: Option<Catalog>,
    place: fn(u64) -> Place,
}

impl PastData {
    /// Reads a file to its end. `progress` is told how many bytes were read. Blocks. Memory does not grow with the file;
    /// a temporary file does.
    ///
    /// # Errors
    /// The file as a whole is not taken. Single rows that are not are [`faults`](Self::faults).
    pub fn read(
        origin: &Origin,
        options: &ReadOptions,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Self, FileError> {
        let mut reading = Reading {
            tables: Tables::new(options.predecessor),
            current: None,
            staged: None,
            rows: 0,
            search_rows: [0; 3],
            search_faults: [0; 3],
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
                let mut tables = Tables::new(options.predecessor);
                Database::open(&path)?.read(&mut tables, &mut reading)?;
                // These have seen every table, the others only those that are read.
                reading.tables = tables;
                Place::Row
            }
        };
        let Reading { tables, staged, rows, search_rows, search_faults, mut faults, mut connection, .. } =
            reading;
        let KnownTable { predecessor, name, .. } = match tables.finish()? {
            Found::One(table) => table,
            Found::Search(tables) => {
                let choice = Choice {
                    provider: options.provider.clone(),
                    without_provider_ids: options.without_provider_ids,
                };
                let counts = search::Counts { rows: search_rows, rejected: search_faults };
                let catalog = Catalog::read(&mut connection, &tables, choice, counts, &mut |line, why| {
                    faults.push(place(line.unsigned_abs()), why);
                })?;
                return Ok(Self {
                    predecessor: Predecessor::Search,
                    table: catalog.table().to_owned(),
                    rows: catalog.rows(),
                    superseded: 0,
                    beside: catalog.side_tables().iter().map(|table| table.rejected).sum(),
                    faults,
                    connection,
                    catalog: Some(catalog),
                    place,
                });
            }
        };
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
        let (beside, catalog) = (0, None);
        Ok(Self { predecessor, table: name, rows, superseded, beside, faults, connection, catalog, place })
    }

    /// Of the search: the tables of base plans and zones beside that of plans.
    #[must_use]
    pub fn side_tables(&self) -> &[SideTable] {
        self.catalog.as_ref().map_or(&[], Catalog::side_tables)
    }

    /// Of the search: which columns were taken for what, in one sentence for a person.
    #[must_use]
    pub fn layout(&self) -> Option<String> {
        self.catalog.as_ref().map(Catalog::describe)
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
        (self.rows + self.beside).saturating_sub(self.superseded).saturating_sub(self.faults.count())
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
            Predecessor::Search => {
                let Some(catalog) = &self.catalog else { return Ok(()) };
                let mut batches = Batches::new(rows, Batch::Plans, take);
                catalog.deliver(connection, |at, plan| {
                    let size = plan.record.content.zones.as_json().len();
                    batches.add(Placed { place: placed(at), item: plan }, size)
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
    /// The table whose rows follow.
    current: Option<Offered>,
    /// Whose rows are staged.
    staged: Option<Predecessor>,
    rows: u64,
    /// Of the rows those of each of the search's tables, and how many of them could not be read.
    search_rows: [u64; 3],
    search_faults: [u64; 3],
    faults: Faults,
    connection: SqliteConnection,
    progress: &'a mut dyn FnMut(u64),
}

impl Listener for Reading<'_> {
    fn table(&mut self, name: &str, columns: &[String]) -> Result<bool, FileError> {
        self.current = self.tables.offer(name, columns)?;
        let chosen = match self.current {
            None => return Ok(false),
            Some(Offered::One) => self.tables.chosen().map(|table| table.predecessor),
            Some(Offered::Search(_)) => Some(Predecessor::Search),
        };
        if self.staged != chosen {
            match chosen {
                Some(Predecessor::Tenants) => tenants::create(&mut self.connection)?,
                Some(Predecessor::Tenantbase) => key_values::create(&mut self.connection)?,
                Some(Predecessor::Activity) => events::create(&mut self.connection)?,
                Some(Predecessor::Search) => search::staging::create(&mut self.connection)?,
                None => {}
            }
            self.staged = chosen;
        }
        Ok(true)
    }

    fn foreign_key(&mut self, key: ForeignKey) {
        self.tables.refer(key);
    }

    fn row(&mut self, place: Place, values: Result<&[Value<'_>], String>) -> Result<(), FileError> {
        self.rows += 1;
        if let Some(Offered::Search(role)) = self.current {
            return self.search_row(role, place, values);
        }
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
            // Its rows are of several tables.
            Predecessor::Search => return Ok(()),
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

impl Reading<'_> {
    fn search_row(
        &mut self,
        role: Role,
        place: Place,
        values: Result<&[Value<'_>], String>,
    ) -> Result<(), FileError> {
        let Some(table) = self.tables.search().of(role) else { return Ok(()) };
        self.search_rows[role.place()] += 1;
        let at = At { place: self.rows.cast_signed(), line: place.number().cast_signed() };
        match values.and_then(|values| search::staging::parse(table, values)) {
            Ok(row) => search::staging::stage(&mut self.connection, role, at, &row),
            Err(why) => {
                self.search_faults[role.place()] += 1;
                // The others' rows are told with their table.
                let why = if role == Role::Plans { why } else { format!("{}: {why}", table.name) };
                self.faults.push(place, why);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
