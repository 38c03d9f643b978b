//! Settings of the installation.

use async_trait::async_trait;
use diesel::PgConnection;
use diesel::prelude::*;
use tenantry_ports::{SettingRepository, StorageError};

use crate::claim::Claim;
use crate::error::PostgresError;
use crate::schema::settings;
use crate::storage::PostgresStorage;

#[async_trait]
impl SettingRepository for PostgresStorage {
    async fn find(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let name = name.to_owned();
        self.read(move |connection| find(connection, &name)).await
    }

    async fn find_or_insert(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StorageError> {
        let weight = name.len() + value.len();
        let payload = (name.to_owned(), value);
        let write = self.write(Claim::Installation, weight, payload, |(name, value), batch| {
            batch.run(|connection| {
                if let Some(found) = find(connection, name)? {
                    return Ok(Some(found));
                }
                diesel::insert_into(settings::table)
                    .values((settings::name.eq(name), settings::value.eq(value)))
                    .execute(connection)?;
                Ok(None)
            })
        });
        let ((_, inserted), found) = write.await?;
        Ok(found.unwrap_or(inserted))
    }
}

fn find(connection: &mut PgConnection, name: &str) -> Result<Option<Vec<u8>>, PostgresError> {
    Ok(settings::table.find(name).select(settings::value).get_result(connection).optional()?)
}
