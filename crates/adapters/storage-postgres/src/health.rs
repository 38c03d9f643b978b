//! Whether the database can be read and written.

use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use tenantry_ports::{HealthProbe, StorageError};

use crate::claim::Claim;
use crate::schema::settings;
use crate::storage::PostgresStorage;

const WITHIN: Duration = Duration::from_secs(2);

#[async_trait]
impl HealthProbe for PostgresStorage {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Result<(), StorageError> {
        let read = self.read(|connection| {
            let any = settings::table.select(settings::name).get_result::<String>(connection);
            Ok(any.optional().map(drop)?)
        });
        // A server that became a replica begins no transaction that locks; the lock is nobody's but the writers'.
        let write = self.write(Claim::Installation, 0, (), |(), _| Ok(()));
        let both = async { tokio::try_join!(read, write) };
        match tokio::time::timeout(WITHIN, both).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(StorageError::Unavailable(why) | StorageError::Full(why) | StorageError::Failed(why))) => {
                Err(StorageError::Unavailable(why))
            }
            Err(_) => {
                Err(StorageError::Unavailable("the database did not answer within 2 seconds".to_owned()))
            }
        }
    }
}
