//! Settings of the installation.

use async_trait::async_trait;
use diesel::prelude::*;
use tenantry_ports::{SettingRepository, StorageError};

use crate::error::SqliteError;
use crate::schema::settings;
use crate::storage::SqliteStorage;

#[async_trait]
impl SettingRepository for SqliteStorage {
    async fn find(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let name = name.to_owned();
        self.read(move |connection| find(connection, &name)).await
    }

    async fn find_or_insert(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StorageError> {
        let weight = name.len() + value.len();
        let write = self.write(weight, (name.to_owned(), value), |(name, value), batch| {
            if let Some(found) = find(&mut batch.connection, name)? {
                return Ok(Some(found));
            }
            diesel::insert_into(settings::table)
                .values((settings::name.eq(name), settings::value.eq(value)))
                .execute(&mut batch.connection)?;
            Ok(None)
        });
        let ((_, inserted), found) = write.await?;
        Ok(found.unwrap_or(inserted))
    }
}

fn find(connection: &mut SqliteConnection, name: &str) -> Result<Option<Vec<u8>>, SqliteError> {
    Ok(settings::table.find(name).select(settings::value).get_result(connection).optional()?)
}
