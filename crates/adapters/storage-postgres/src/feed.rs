//! Feeds.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Timestamptz};
use tenantry_domain::{Feed, FeedId, FeedSettings, Page, PageLimit, Precondition, TenantNumber, Timestamp};
use tenantry_ports::{FeedRepository, FeedWriteError, StorageError};
use tenantry_storage_support::feed::{FeedBatch, create, delete, find, list, update};

use crate::batch::WriteBatch;
use crate::claim::Claim;
use crate::engine::Postgres;
use crate::error::PostgresError;
use crate::literal::number;
use crate::moment::to_moment;
use crate::plan_slice::slices;
use crate::storage::PostgresStorage;

/// What a write holds while it waits, about.
const WEIGHT: usize = 4096;

#[async_trait]
impl FeedRepository for PostgresStorage {
    async fn create(
        &self,
        tenant: TenantNumber,
        id: FeedId,
        settings: FeedSettings,
        max_feeds: u32,
    ) -> Result<Feed, FeedWriteError> {
        let write = self.write(Claim::Catalog(tenant), WEIGHT, settings, move |settings, batch| {
            create(batch, tenant, id, settings, max_feeds)
        });
        write.await?.1
    }

    async fn find(&self, tenant: TenantNumber, feed: FeedId) -> Result<Option<Feed>, StorageError> {
        self.read_for(tenant, move |connection| {
            Ok(find::<Postgres>(connection, tenant, feed)?.map(|(feed, _)| feed))
        })
        .await
    }

    async fn list(
        &self,
        tenant: TenantNumber,
        after: Option<FeedId>,
        limit: PageLimit,
    ) -> Result<Page<Feed>, StorageError> {
        self.read_for(tenant, move |connection| list::<Postgres>(connection, tenant, after, limit)).await
    }

    async fn update(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        expected_version: u64,
        settings: FeedSettings,
    ) -> Result<Feed, FeedWriteError> {
        let write = self.write(Claim::Catalog(tenant), WEIGHT, settings, move |settings, batch| {
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
        let write = self.write(Claim::Catalog(tenant), WEIGHT, precondition, move |precondition, batch| {
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
        tenant: TenantNumber,
        of_feed: &str,
        last_success_at: Option<Timestamp>,
    ) -> Result<bool, PostgresError> {
        let in_feed = format!("(SELECT count(*) FROM plans WHERE {of_feed} AND in_feed)");
        let on_sale = format!("(SELECT count(*) FROM plans WHERE {of_feed} AND in_feed AND is_online)");
        let in_feed = number(self.connection_for(tenant)?, &in_feed)?.unsigned_abs();
        let on_sale = number(self.connection_for(tenant)?, &on_sale)?;
        for slice in slices(in_feed) {
            let leave = format!(
                "UPDATE plans SET in_feed = false, seen_at = greatest(seen_at, $1) WHERE {of_feed} AND in_feed AND {slice}"
            );
            diesel::sql_query(leave)
                .bind::<Nullable<Timestamptz>, _>(last_success_at.map(to_moment))
                .execute(self.connection_for(tenant)?)?;
        }
        Ok(on_sale > 0)
    }
}
