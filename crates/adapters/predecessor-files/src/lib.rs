//! Files of the services that Tenantry replaces: what each of them has stored, read from a plain-text
//! `pg_dump` or an SQLite file.
//!
//! What belongs here: the formats of such files, what the predecessors' tables look like, and what a row of theirs
//! is here. What never will: storing anything of it.
//!
//! [`PastData::read`] goes through a file once, to its end, and keeps what is good in a temporary SQLite database:
//! sorted as it must be stored, in bounded memory, and nothing reaches Tenantry of a file that turns out to be cut
//! short. [`PastData::deliver`] then hands it out in batches.

mod dump;
mod fault;
mod file_error;
mod moment;
mod origin;
mod past_data;
mod predecessor;
mod search;
mod sqlite;
mod staging;
mod table;
mod value;

pub use fault::{Faults, Place, RowFault};
pub use file_error::FileError;
pub use origin::Origin;
pub use past_data::{Batch, PastData, Placed, ReadOptions};
pub use predecessor::Predecessor;
pub use search::SideTable;
pub use staging::key_values::PastKeyValue;

/// The most bytes of a row: what is longer breaks a rule of any kind of data, and is rejected without being held.
pub const MAX_ROW_BYTES: usize = 4 << 20;
