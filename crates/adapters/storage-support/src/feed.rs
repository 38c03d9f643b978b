//! Feeds.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use tenantry_domain::{
    Feed, FeedId, FeedName, FeedSettings, FeedUrl, Page, PageLimit, Precondition, TenantNumber, TimeZone,
    Timestamp,
};
use tenantry_ports::{FeedWriteError, Validators};

use crate::bind::{Bind, Binds};
use crate::engine::{CatalogBatch, CatalogEngine, Damaged, Engine, ErrorOf, StoredId as _};
use crate::feed_run_publish::next_revision;

/// What each engine does in its own words with a feed's plans.
pub trait FeedBatch: CatalogBatch {
    /// Takes all plans out of a feed, which were last seen in it at `last_success_at`. Answers whether any of them was on
    /// sale.
    fn take_out(
        &mut self,
        tenant: TenantNumber,
        of_feed: &str,
        last_success_at: Option<Timestamp>,
    ) -> Result<bool, ErrorOf<Self>>;
}

/// See [`FeedRepository::create`](tenantry_ports::FeedRepository::create).
pub fn create<B: CatalogBatch>(
    batch: &mut B,
    tenant: TenantNumber,
    id: FeedId,
    settings: &FeedSettings,
    max_feeds: u32,
) -> Result<Result<Feed, FeedWriteError>, ErrorOf<B>> {
    if !batch.is_catalog_open(tenant)? {
        return Ok(Err(FeedWriteError::TenantNotFound));
    }
    let held = format!("(SELECT count(*) FROM feeds WHERE tenant_number = {tenant})");
    let held = u32::try_from(B::Engine::number(batch.connection_for(tenant)?, &held)?).unwrap_or(u32::MAX);
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
    insert::<B::Engine>(batch.connection_for(tenant)?, tenant, &feed, &Validators::default(), "")?;
    Ok(Ok(feed))
}

/// Stores a feed as it is. `conflict` says what becomes of one whose id is there.
pub(crate) fn insert<E: Engine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    feed: &Feed,
    validators: &Validators,
    conflict: &str,
) -> Result<(), E::Error> {
    let settings = &feed.settings;
    let mut binds = Binds::<E>::new();
    let insert = format!(
        "INSERT INTO feeds (tenant_number, feed_id, name, url, interval_seconds, time_zone, enabled, version, \
         created_at, updated_at, next_run_at, last_success_at, etag, last_modified) \
         VALUES ({tenant}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}) {conflict}",
        feed.id.in_text::<E>(),
        binds.text(settings.name.as_str()),
        binds.text(settings.url.as_str()),
        binds.number(i64::from(settings.interval_seconds)),
        binds.text(settings.time_zone.name()),
        binds.add(Bind::Flag(settings.enabled)),
        binds.number(feed.version.cast_signed()),
        binds.time(feed.created_at),
        binds.time(feed.updated_at),
        binds.add(Bind::Time(feed.next_run_at)),
        binds.add(Bind::Time(feed.last_success_at)),
        binds.add(Bind::Text(validators.etag.as_deref())),
        binds.add(Bind::Text(validators.last_modified.as_deref()))
    );
    binds.execute(connection, &insert)?;
    Ok(())
}

/// See [`FeedRepository::update`](tenantry_ports::FeedRepository::update).
pub fn update<B: CatalogBatch>(
    batch: &mut B,
    tenant: TenantNumber,
    feed: FeedId,
    expected_version: u64,
    settings: &FeedSettings,
) -> Result<Result<Feed, FeedWriteError>, ErrorOf<B>> {
    if !batch.is_catalog_open(tenant)? {
        return Ok(Err(FeedWriteError::TenantNotFound));
    }
    let Some((standing, _)) = find::<B::Engine>(batch.connection_for(tenant)?, tenant, feed)? else {
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
    let mut binds = Binds::<B::Engine>::new();
    let update = format!(
        "UPDATE feeds SET name = {}, url = {}, interval_seconds = {}, time_zone = {}, enabled = {}, version = {}, \
         updated_at = {}, next_run_at = {} {forget} WHERE tenant_number = {tenant} AND feed_id = {}",
        binds.text(settings.name.as_str()),
        binds.text(settings.url.as_str()),
        binds.number(i64::from(settings.interval_seconds)),
        binds.text(settings.time_zone.name()),
        binds.add(Bind::Flag(settings.enabled)),
        binds.number(changed.version.cast_signed()),
        binds.time(changed.updated_at),
        binds.add(Bind::Time(changed.next_run_at)),
        feed.in_text::<B::Engine>()
    );
    binds.execute(batch.connection_for(tenant)?, &update)?;
    Ok(Ok(changed))
}

/// See [`FeedRepository::delete`](tenantry_ports::FeedRepository::delete).
pub fn delete<B: FeedBatch>(
    batch: &mut B,
    tenant: TenantNumber,
    feed: FeedId,
    precondition: &Precondition,
) -> Result<Result<(), FeedWriteError>, ErrorOf<B>> {
    if !batch.is_catalog_open(tenant)? {
        return Ok(Err(FeedWriteError::TenantNotFound));
    }
    let Some((standing, _)) = find::<B::Engine>(batch.connection_for(tenant)?, tenant, feed)? else {
        return Ok(Err(FeedWriteError::NotFound));
    };
    if !precondition.holds(Some(standing.version)) {
        return Ok(Err(FeedWriteError::VersionConflict { current: standing.version }));
    }
    let of_feed = format!("tenant_number = {tenant} AND feed_id = {}", feed.in_text::<B::Engine>());
    let any_on_sale = batch.take_out(tenant, &of_feed, standing.last_success_at)?;
    let connection = batch.connection_for(tenant)?;
    for (table, any) in [("feed_runs", "staging IS NOT NULL"), ("feed_rejects", "TRUE")] {
        B::Engine::execute(
            connection,
            &format!(
                "INSERT INTO discards (tenant_number, staging) SELECT DISTINCT tenant_number, staging FROM {table} \
                 WHERE {of_feed} AND {any} ON CONFLICT DO NOTHING"
            ),
        )?;
    }
    for table in ["feed_runs", "feed_rejects", "feeds"] {
        B::Engine::execute(connection, &format!("DELETE FROM {table} WHERE {of_feed}"))?;
    }
    if any_on_sale {
        next_revision(batch, tenant)?;
    }
    Ok(Ok(()))
}

/// The feed, and what its provider said of the answer that was last taken whole.
pub fn find<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    feed: FeedId,
) -> Result<Option<(Feed, Validators)>, E::Error> {
    let select =
        format!("SELECT * FROM feeds WHERE tenant_number = {tenant} AND feed_id = {}", feed.in_text::<E>());
    let row: Option<FeedRow<E>> = E::first(connection, select)?;
    Ok(row.map(FeedRow::into_feed).transpose()?)
}

/// The feed's version, which is never 0; nothing where the tenant has no such feed.
pub fn version<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    feed: FeedId,
) -> Result<Option<u64>, E::Error> {
    let version = format!(
        "(SELECT coalesce(max(version), 0) FROM feeds WHERE tenant_number = {tenant} AND feed_id = {})",
        feed.in_text::<E>()
    );
    Ok(Some(E::number(connection, &version)?.unsigned_abs()).filter(|version| *version > 0))
}

/// The page of the tenant's feeds, by their ids.
pub fn list<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    after: Option<FeedId>,
    limit: PageLimit,
) -> Result<Page<Feed>, E::Error> {
    let behind = after.map(|after| format!("AND feed_id > {}", after.in_text::<E>())).unwrap_or_default();
    let select = format!(
        "SELECT * FROM feeds WHERE tenant_number = {tenant} {behind} ORDER BY feed_id LIMIT {}",
        limit.get() + 1
    );
    let rows: Vec<FeedRow<E>> = E::load(connection, select)?;
    let feeds = rows.into_iter().map(|row| Ok(row.into_feed()?.0)).collect::<Result<_, Damaged>>()?;
    Ok(Page::from_one_more(feeds, limit))
}

/// A row of `feeds`, its tenant left out.
#[derive(QueryableByName)]
pub struct FeedRow<E: Engine> {
    #[diesel(sql_type = E::UuidType)]
    feed_id: E::Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    url: String,
    #[diesel(sql_type = BigInt)]
    interval_seconds: i64,
    #[diesel(sql_type = Text)]
    time_zone: String,
    #[diesel(sql_type = Bool)]
    enabled: bool,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = E::TimeType)]
    created_at: E::Time,
    #[diesel(sql_type = E::TimeType)]
    updated_at: E::Time,
    #[diesel(sql_type = Nullable<E::TimeType>)]
    next_run_at: Option<E::Time>,
    #[diesel(sql_type = Nullable<E::TimeType>)]
    last_success_at: Option<E::Time>,
    #[diesel(sql_type = Nullable<Text>)]
    etag: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    last_modified: Option<String>,
}

impl<E: Engine> FeedRow<E> {
    /// The feed, and what its provider said of the answer that was last taken whole.
    pub fn into_feed(self) -> Result<(Feed, Validators), Damaged> {
        let id = FeedId::new(E::uuid(self.feed_id, "a feed's id")?);
        let damaged = |what: &str| Damaged(format!("a feed ({id}) with {what}"));
        let time_zone = TimeZone::parse(&self.time_zone);
        let settings = FeedSettings {
            name: FeedName::from_stored(self.name),
            url: FeedUrl::from_stored(self.url),
            interval_seconds: u32::try_from(self.interval_seconds).map_err(|_| damaged("an odd interval"))?,
            time_zone: time_zone.ok_or_else(|| damaged("a time zone that is none"))?,
            enabled: self.enabled,
        };
        let feed = Feed {
            id,
            settings,
            version: self.version.unsigned_abs(),
            created_at: E::time(self.created_at),
            updated_at: E::time(self.updated_at),
            next_run_at: self.next_run_at.map(E::time),
            last_success_at: self.last_success_at.map(E::time),
        };
        Ok((feed, Validators { etag: self.etag, last_modified: self.last_modified }))
    }
}
