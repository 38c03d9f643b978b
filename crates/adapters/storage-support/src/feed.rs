//! Feeds.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use tenantry_domain::{
    Feed, FeedId, FeedName, FeedSettings, FeedUrl, Page, PageLimit, TenantNumber, TimeZone,
};
use tenantry_ports::Validators;

use crate::engine::{CatalogEngine, Damaged, Engine, StoredId as _};

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
