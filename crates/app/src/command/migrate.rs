//! `tenantry migrate`: brings the schema up to date without serving.

use super::{CommandError, print_line};
use crate::config::Config;

pub(super) fn run(config: &Config) -> Result<(), CommandError> {
    super::prepare_place_of_database(config)?;
    let path = config.database_path();
    let done = tenantry_storage_sqlite::migrate(&path).map_err(CommandError::failed)?;
    for migration in &done {
        print_line(&format!("applied {migration}"))?;
    }
    print_line(&format!("{} is up to date; migrations applied: {}", path.display(), done.len()))
}
