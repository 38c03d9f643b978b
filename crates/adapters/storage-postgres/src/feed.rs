//! Feeds.

use async_trait::async_trait;
use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use tenantry_domain::{Feed, FeedId, FeedSettings, Page, PageLimit, Precondition, TenantNumber};
use tenantry_ports::{FeedRepository, FeedWriteError, StorageError, Validators};
use tenantry_storage_support::feed::{find, list};

use crate::batch::WriteBatch;
use crate::claim::Claim;
use crate::engine::Postgres;
use crate::error::PostgresError;
use crate::feed_run_publish::next_revision;
use crate::literal::{Literal as _, execute, number};
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

fn create(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    id: FeedId,
    settings: &FeedSettings,
    max_feeds: u32,
) -> Result<Result<Feed, FeedWriteError>, PostgresError> {
    if !batch.is_catalog_open(tenant) {
        return Ok(Err(FeedWriteError::TenantNotFound));
    }
    let held = format!("(SELECT count(*) FROM feeds WHERE tenant_number = {tenant})");
    let held = u32::try_from(number(batch.connection_for(tenant)?, &held)?).unwrap_or(u32::MAX);
    if held >= max_feeds {
        return Ok(Err(FeedWriteError::TooMany(held)));
    }
    let now = batch.now();
    let feed = Feed {
        id,
        settings: settings.clone(),
        version: 1,
        created_at: now,
        updated_at: now,
        next_run_at: settings.enabled.then_some(now),
        last_success_at: None,
    };
    insert(batch.connection_for(tenant)?, tenant, &feed, &Validators::default(), "")?;
    Ok(Ok(feed))
}

/// Stores a feed as it is. `conflict` says what becomes of one whose id is there.
pub(crate) fn insert(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    feed: &Feed,
    validators: &Validators,
    conflict: &str,
) -> Result<(), PostgresError> {
    let insert = format!(
        "INSERT INTO feeds (tenant_number, feed_id, name, url, interval_seconds, time_zone, enabled, version, \
         created_at, updated_at, next_run_at, last_success_at, etag, last_modified) \
         VALUES ({tenant}, {}, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) {conflict}",
        feed.id.literal()
    );
    let settings = &feed.settings;
    diesel::sql_query(insert)
        .bind::<Text, _>(settings.name.as_str())
        .bind::<Text, _>(settings.url.as_str())
        .bind::<BigInt, _>(i64::from(settings.interval_seconds))
        .bind::<Text, _>(settings.time_zone.name())
        .bind::<Bool, _>(settings.enabled)
        .bind::<BigInt, _>(feed.version.cast_signed())
        .bind::<Timestamptz, _>(to_moment(feed.created_at))
        .bind::<Timestamptz, _>(to_moment(feed.updated_at))
        .bind::<Nullable<Timestamptz>, _>(feed.next_run_at.map(to_moment))
        .bind::<Nullable<Timestamptz>, _>(feed.last_success_at.map(to_moment))
        .bind::<Nullable<Text>, _>(validators.etag.as_deref())
        .bind::<Nullable<Text>, _>(validators.last_modified.as_deref())
        .execute(connection)?;
    Ok(())
}

fn update(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    feed: FeedId,
    expected_version: u64,
    settings: &FeedSettings,
) -> Result<Result<Feed, FeedWriteError>, PostgresError> {
    if !batch.is_catalog_open(tenant) {
        return Ok(Err(FeedWriteError::TenantNotFound));
    }
    let Some((standing, _)) = find::<Postgres>(batch.connection_for(tenant)?, tenant, feed)? else {
        return Ok(Err(FeedWriteError::NotFound));
    };
    if standing.version != expected_version {
        return Ok(Err(FeedWriteError::VersionConflict { current: standing.version }));
    }
    let before = &standing.settings;
    let is_due = !before.enabled || before.interval_seconds != settings.interval_seconds;
    let is_elsewhere = before.url != settings.url || before.time_zone != settings.time_zone;
    let next_run_at = match settings.enabled {
        true if is_due => Some(batch.now()),
        true => standing.next_run_at,
        false => None,
    };
    let changed = Feed {
        settings: settings.clone(),
        version: standing.version + 1,
        updated_at: batch.now().max(standing.updated_at),
        next_run_at,
        ..standing
    };
    let forget = if is_elsewhere { ", etag = NULL, last_modified = NULL" } else { "" };
    let update = format!(
        "UPDATE feeds SET name = $1, url = $2, interval_seconds = $3, time_zone = $4, enabled = $5, version = $6, \
         updated_at = $7, next_run_at = $8 {forget} WHERE tenant_number = {tenant} AND feed_id = {}",
        feed.literal()
    );
    diesel::sql_query(update)
        .bind::<Text, _>(settings.name.as_str())
        .bind::<Text, _>(settings.url.as_str())
        .bind::<BigInt, _>(i64::from(settings.interval_seconds))
        .bind::<Text, _>(settings.time_zone.name())
        .bind::<Bool, _>(settings.enabled)
        .bind::<BigInt, _>(changed.version.cast_signed())
        .bind::<Timestamptz, _>(to_moment(changed.updated_at))
        .bind::<Nullable<Timestamptz>, _>(changed.next_run_at.map(to_moment))
        .execute(batch.connection_for(tenant)?)?;
    Ok(Ok(changed))
}

fn delete(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    feed: FeedId,
    precondition: &Precondition,
) -> Result<Result<(), FeedWriteError>, PostgresError> {
    if !batch.is_catalog_open(tenant) {
        return Ok(Err(FeedWriteError::TenantNotFound));
    }
    let Some((standing, _)) = find::<Postgres>(batch.connection_for(tenant)?, tenant, feed)? else {
        return Ok(Err(FeedWriteError::NotFound));
    };
    if !precondition.holds(Some(standing.version)) {
        return Ok(Err(FeedWriteError::VersionConflict { current: standing.version }));
    }
    let of_feed = format!("tenant_number = {tenant} AND feed_id = {}", feed.literal());
    let in_feed = format!("(SELECT count(*) FROM plans WHERE {of_feed} AND in_feed)");
    let on_sale = format!("(SELECT count(*) FROM plans WHERE {of_feed} AND in_feed AND is_online)");
    let in_feed = number(batch.connection_for(tenant)?, &in_feed)?.unsigned_abs();
    let on_sale = number(batch.connection_for(tenant)?, &on_sale)?;
    for slice in slices(in_feed) {
        let leave = format!(
            "UPDATE plans SET in_feed = false, seen_at = greatest(seen_at, $1) WHERE {of_feed} AND in_feed AND {slice}"
        );
        diesel::sql_query(leave)
            .bind::<Nullable<Timestamptz>, _>(standing.last_success_at.map(to_moment))
            .execute(batch.connection_for(tenant)?)?;
    }
    let connection = batch.connection_for(tenant)?;
    for (table, any) in [("feed_runs", "staging IS NOT NULL"), ("feed_rejects", "TRUE")] {
        execute(
            connection,
            &format!(
                "INSERT INTO discards (tenant_number, staging) SELECT DISTINCT tenant_number, staging FROM {table} \
                 WHERE {of_feed} AND {any} ON CONFLICT DO NOTHING"
            ),
        )?;
    }
    for table in ["feed_runs", "feed_rejects", "feeds"] {
        execute(connection, &format!("DELETE FROM {table} WHERE {of_feed}"))?;
    }
    if on_sale > 0 {
        next_revision(batch, tenant)?;
    }
    Ok(Ok(()))
}
