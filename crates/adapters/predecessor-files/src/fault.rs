//! Rows that are not taken, and why.

use std::fmt;

/// Where in a file a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// It begins in this line of a dump, counted from 1.
    Line(u64),
    /// It is this row of an SQLite table, counted from 1 in the table's order.
    Row(u64),
}

impl Place {
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Line(number) | Self::Row(number) => number,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Row(number) => write!(f, "row {number}"),
        }
    }
}

/// One row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// Which.
    pub place: Place,
    /// Why: a sentence that names the column.
    pub reason: String,
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// Rows that were not taken: all are counted, and the first ones told.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    told: Vec<RowFault>,
    count: u64,
}

impl Faults {
    /// So many are told; a file of another kind would have as many as it has rows.
    pub const MOST_TOLD: usize = 100;

    /// Adds one.
    pub fn push(&mut self, place: Place, reason: impl Into<String>) {
        self.count += 1;
        if self.told.len() < Self::MOST_TOLD {
            self.told.push(RowFault { place, reason: reason.into() });
        }
    }

    /// The first ones.
    #[must_use]
    pub fn told(&self) -> &[RowFault] {
        &self.told
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }
}
