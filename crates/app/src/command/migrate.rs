//! `tenantry migrate`: brings the schema up to date without serving.

use super::{CommandError, print_line};
use crate::config::{Config, StorageOptions};

pub(super) fn run(config: &Config) -> Result<(), CommandError> {
    super::prepare_place_of_database(config)?;
    let (place, done) = match config.storage_options() {
        StorageOptions::Sqlite(options) => {
            let done = tenantry_storage_sqlite::migrate(&options.path).map_err(CommandError::failed)?;
            (options.path.display().to_string(), done)
        }
        StorageOptions::Postgres(options) => {
            let done = tenantry_storage_postgres::migrate(&options).map_err(CommandError::failed)?;
            (format!("the schema {} at {}", options.schema, options.url), done)
        }
    };
    for migration in &done {
        print_line(&format!("applied {migration}"))?;
    }
    print_line(&format!("{place} is up to date; migrations applied: {}", done.len()))
}
