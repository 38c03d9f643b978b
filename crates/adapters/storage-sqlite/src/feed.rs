//! Feeds.

use async_trait::async_trait;
use tenantry_domain::{Feed, FeedId, FeedSettings, Page, PageLimit, Precondition, TenantNumber, Timestamp};
use tenantry_ports::{FeedRepository, FeedWriteError, StorageError};
use tenantry_storage_support::feed::{FeedBatch, create, delete, find, list, update};

use crate::batch::WriteBatch;
use crate::engine::Sqlite;
use crate::error::SqliteError;
use crate::literal::{execute, number};
use crate::storage::SqliteStorage;

/// What a write holds while it waits, about.
const WEIGHT: usize = 4096;

#[async_trait]
impl FeedRepository for SqliteStorage {
    async fn create(
        &self,
        tenant: TenantNumber,
        id: FeedId,
        settings: FeedSettings,
        max_feeds: u32,
    ) -> Result<Feed, FeedWriteError> {
        let write = self
            .write(WEIGHT, settings, move |settings, batch| create(batch, tenant, id, settings, max_feeds));
        write.await?.1
    }

    async fn find(&self, tenant: TenantNumber, feed: FeedId) -> Result<Option<Feed>, StorageError> {
        self.read(move |connection| Ok(find::<Sqlite>(connection, tenant, feed)?.map(|(feed, _)| feed))).await
    }

    async fn list(
        &self,
        tenant: TenantNumber,
        after: Option<FeedId>,
        limit: PageLimit,
    ) -> Result<Page<Feed>, StorageError> {
        self.read(move |connection| list::<Sqlite>(connection, tenant, after, limit)).await
    }

    async fn update(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        expected_version: u64,
        settings: FeedSettings,
    ) -> Result<Feed, FeedWriteError> {
        let write = self.write(WEIGHT, settings, move |settings, batch| {
            update(batch, tenant, feed, expected_version, settings)
        });
        write.await?.1
    }

    async fn delete(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        precondition: Precondition,
    ) -> Result<(), FeedWriteError> {
        let write = self.write(WEIGHT, precondition, move |precondition, batch| {
            delete(batch, tenant, feed, precondition)
        });
        write.await?.1?;
        self.discard(tenant).await;
        Ok(())
    }
}

impl FeedBatch for WriteBatch {
    fn take_out(
        &mut self,
        _: TenantNumber,
        of_feed: &str,
        last_success_at: Option<Timestamp>,
    ) -> Result<bool, SqliteError> {
        let on_sale =
            format!("(SELECT count(*) FROM plans WHERE {of_feed} AND in_feed = 1 AND is_online = 1)");
        let on_sale = number(&mut self.connection, &on_sale)?;
        let seen_at = match last_success_at {
            Some(time) => format!("max(seen_at, {})", time.as_micros()),
            None => "seen_at".to_owned(),
        };
        let leave =
            format!("UPDATE plans SET in_feed = 0, seen_at = {seen_at} WHERE {of_feed} AND in_feed = 1");
        execute(&mut self.connection, &leave)?;
        Ok(on_sale > 0)
    }
}
