//! Which tables of a file are the search's.

use crate::file_error::FileError;
use crate::search::columns::{END, PRICE, Role, SELL_MODE, START, TITLE, bare, plain};
use crate::search::references::ForeignKey;

/// So many columns of a table may tell one row from others, or which row of another table it belongs to.
pub(crate) const MAX_KEYS: usize = 8;

/// So many foreign keys are remembered.
const MAX_REFERENCES: usize = 10_000;

/// A table of the search, with what its columns mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SearchTable {
    pub(crate) role: Role,
    /// Its name in the file, with its schema.
    pub(crate) name: String,
    /// Its columns in the file, in lower case.
    columns: Vec<String>,
    /// Which column each field of the role is.
    fields: Vec<Option<usize>>,
    /// The columns that hold ids.
    keys: Vec<usize>,
}

impl SearchTable {
    /// The table, if it can be one of the search's.
    pub(crate) fn of(name: &str, columns: &[String]) -> Option<Self> {
        let bare = bare(name);
        let role = if bare.contains("zone") {
            Role::Zones
        } else if bare.contains("event") || bare.contains("plan") {
            Role::Plans
        } else {
            return None;
        };
        let table = Self::with_role(role, name, columns);
        let has = |field: usize| table.fields[field].is_some();
        match role {
            Role::Zones => (has(PRICE) && !table.keys.is_empty()).then_some(table),
            _ if has(START) && has(END) => Some(table),
            _ if has(TITLE) && has(SELL_MODE) => Some(Self::with_role(Role::BasePlans, name, columns)),
            _ => None,
        }
    }

    fn with_role(role: Role, name: &str, columns: &[String]) -> Self {
        let columns: Vec<_> = columns.iter().map(|column| column.to_lowercase()).collect();
        let plain: Vec<_> = columns.iter().map(|column| plain(column)).collect();
        let place = |names: &&[&str]| names.iter().find_map(|name| plain.iter().position(|p| p == name));
        let fields = role.fields().iter().map(place).collect();
        let ids = plain.iter().enumerate().filter(|(_, name)| name.ends_with("id"));
        let keys = ids.map(|(place, _)| place).take(MAX_KEYS).collect();
        Self { role, name: name.to_owned(), columns, fields, keys }
    }

    /// Which of the file's columns that field is.
    pub(crate) fn field(&self, field: usize) -> Option<usize> {
        self.fields.get(field).copied().flatten()
    }

    /// The name of the column that field is.
    pub(crate) fn field_name(&self, field: usize) -> Option<&str> {
        self.field(field).map(|place| self.columns[place].as_str())
    }

    /// Which of the file's columns hold ids.
    pub(crate) fn keys(&self) -> &[usize] {
        &self.keys
    }

    /// Which of the keys that column is.
    pub(crate) fn key_of(&self, column: &str) -> Option<usize> {
        self.keys.iter().position(|place| self.columns[*place] == column)
    }

    /// Which of the keys has the first of these names, without regard to case and underscores.
    pub(crate) fn key_named(&self, names: &[&str]) -> Option<usize> {
        let named = |name: &&str| self.keys.iter().position(|place| plain(&self.columns[*place]) == **name);
        names.iter().find_map(named)
    }

    /// The name of a key's column.
    pub(crate) fn key_name(&self, key: usize) -> &str {
        &self.columns[self.keys[key]]
    }

    /// The name of a column.
    pub(crate) fn column_name(&self, place: usize) -> &str {
        &self.columns[place]
    }

    /// The table with its columns, for a person.
    pub(crate) fn describe(&self) -> String {
        format!("{}({})", self.name, self.columns.join(", "))
    }

    /// The names of the columns that are read.
    pub(crate) fn read_columns(&self) -> Vec<String> {
        let is_read = |place: &usize| self.keys.contains(place) || self.fields.contains(&Some(*place));
        (0..self.columns.len()).filter(is_read).map(|place| self.columns[place].clone()).collect()
    }
}

/// The search's tables in a file, as far as it has been read.
#[derive(Debug, Default)]
pub(crate) struct SearchTables {
    tables: [Option<SearchTable>; 3],
    references: Vec<ForeignKey>,
}

impl SearchTables {
    /// A table of the search. It may come several times, the last time with the order of columns in which rows follow.
    pub(crate) fn offer(&mut self, table: SearchTable) -> Result<(), FileError> {
        let place = &mut self.tables[table.role.place()];
        match place {
            Some(known) if known.name != table.name => {
                Err(FileError::SeveralTables(format!("{} (search), {} (search)", known.name, table.name)))
            }
            _ => {
                *place = Some(table);
                Ok(())
            }
        }
    }

    /// A reference from one table to another.
    pub(crate) fn refer(&mut self, key: ForeignKey) {
        if self.references.len() < MAX_REFERENCES {
            self.references.push(key);
        }
    }

    pub(crate) fn of(&self, role: Role) -> Option<&SearchTable> {
        self.tables[role.place()].as_ref()
    }

    pub(crate) fn references(&self) -> &[ForeignKey] {
        &self.references
    }
}

/// What is looked for, for a person.
pub(crate) const LOOKED_FOR: &str = "plans or events(starts_at, ends_at or start_date, end_date or plan_start_date, plan_end_date or \
     event_start_date, event_end_date; title, unless it is in base_plans or base_events(title, sell_mode))";
