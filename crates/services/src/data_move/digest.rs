//! The canonical encoding of rows, and their checksums: SHA-256 over all rows of a table in the order of its keys.
//!
//! Each field is written with its length or as 8 bytes, so that no two different rows are written alike.

use sha2::{Digest as _, Sha256};
use tenantry_domain::{
    AccessKey, CatalogRevision, Email, Entry, Event, Feed, FeedId, FeedRun, Reject, RejectedRecord,
    TenantNumber, Timestamp,
};
use tenantry_ports::{
    CatalogRow, ExportBound, ExportRepository, KeyPosition, StorageError, StoredTenant, Validators,
};

use super::error::MovedTable;

/// How many rows were read, and their checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checksum {
    pub(super) rows: u64,
    pub(super) hash: [u8; 32],
}

/// Rows that are being read.
#[derive(Default)]
pub(super) struct Rows {
    hash: Sha256,
    count: u64,
}

impl Rows {
    pub(super) fn finish(self) -> Checksum {
        Checksum { rows: self.count, hash: self.hash.finalize().into() }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.hash.update((bytes.len() as u64).to_be_bytes());
        self.hash.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.hash.update(number.to_be_bytes());
    }

    fn time(&mut self, time: Timestamp) {
        self.hash.update(time.as_micros().to_be_bytes());
    }

    fn optional_time(&mut self, time: Option<Timestamp>) {
        self.hash.update([u8::from(time.is_some())]);
        if let Some(time) = time {
            self.time(time);
        }
    }

    pub(super) fn setting(&mut self, name: &str, value: &[u8]) {
        self.count += 1;
        self.text(name);
        self.bytes(value);
    }

    pub(super) fn access_key(&mut self, key: &AccessKey) {
        self.count += 1;
        self.text(key.id.as_str());
        self.bytes(key.hash.as_bytes());
        self.text(key.name.as_str());
        self.text(&key.scopes.to_line());
        self.time(key.created_at);
        self.optional_time(key.expires_at);
        self.optional_time(key.last_used_at);
    }

    pub(super) fn tenant(&mut self, stored: &StoredTenant) {
        let StoredTenant { tenant, counters } = stored;
        self.count += 1;
        self.number(tenant.number.get().cast_unsigned());
        self.text(tenant.name.as_str());
        self.text(tenant.status.as_str());
        self.text(tenant.info.as_str());
        self.number(tenant.version);
        self.time(tenant.created_at);
        self.time(tenant.updated_at);
        self.optional_time(tenant.erasure.map(|erasure| erasure.started_at));
        self.number(tenant.erasure.map_or(0, |erasure| erasure.erased_rows));
        self.number(counters.event_sequence.get());
        self.optional_time(counters.last_event_at);
        self.number(counters.key_value_revision.get());
        self.number(counters.catalog_revision.get());
    }

    pub(super) fn event(&mut self, event: &Event) {
        self.count += 1;
        self.number(event.sequence.get());
        self.bytes(event.id.get().as_bytes());
        self.text(event.component.as_str());
        self.text(event.environment.as_str());
        self.text(event.message.as_str());
        self.hash.update([u8::from(event.email.is_some())]);
        self.text(event.email.as_ref().map_or("", Email::as_str));
        self.text(event.data.as_str());
        self.time(event.created_at);
    }

    pub(super) fn key_value(&mut self, entry: &Entry) {
        let meta = &entry.meta;
        self.count += 1;
        self.text(meta.key.as_str());
        self.text(meta.content_type.as_str());
        self.number(meta.version);
        self.number(meta.revision.get());
        self.time(meta.created_at);
        self.time(meta.updated_at);
        self.optional_time(meta.expires_at);
        self.bytes(&entry.value);
    }
}

impl Rows {
    fn optional_text(&mut self, text: Option<&str>) {
        self.hash.update([u8::from(text.is_some())]);
        self.text(text.unwrap_or_default());
    }

    pub(super) fn catalog_row(&mut self, row: &CatalogRow) {
        self.count += 1;
        match row {
            CatalogRow::Feed(feed, validators) => self.feed(feed, validators),
            CatalogRow::Run(run) => self.run(run),
            CatalogRow::Reject(feed, reject) => self.reject(*feed, reject),
            CatalogRow::Version(plan, version) => {
                self.text("version");
                self.bytes(plan.get().as_bytes());
                self.number(version.version.into());
                self.time(version.seen_at);
                self.bytes(&version.content.digest());
                for price in [version.content.prices.map(|p| p.min), version.content.prices.map(|p| p.max)] {
                    self.number(price.map_or(u64::MAX, |price| price.as_cents().cast_unsigned()));
                }
            }
            CatalogRow::Plan { id, source, in_feed, seen_at } => {
                self.text("plan");
                self.bytes(id.get().as_bytes());
                self.bytes(source.feed.get().as_bytes());
                self.text(source.key.base_plan_id.as_str());
                self.text(source.key.plan_id.as_str());
                self.number((*in_feed).into());
                self.time(*seen_at);
            }
        }
    }

    fn feed(&mut self, feed: &Feed, validators: &Validators) {
        let settings = &feed.settings;
        self.text("feed");
        self.bytes(feed.id.get().as_bytes());
        self.text(settings.name.as_str());
        self.text(settings.url.as_str());
        self.number(settings.interval_seconds.into());
        self.text(settings.time_zone.name());
        self.number(settings.enabled.into());
        self.number(feed.version);
        self.time(feed.created_at);
        self.time(feed.updated_at);
        self.optional_time(feed.next_run_at);
        self.optional_time(feed.last_success_at);
        self.optional_text(validators.etag.as_deref());
        self.optional_text(validators.last_modified.as_deref());
    }

    fn run(&mut self, run: &FeedRun) {
        let counts = &run.counts;
        self.text("run");
        self.bytes(run.feed.get().as_bytes());
        self.bytes(run.id.get().as_bytes());
        self.text(run.trigger.as_str());
        self.text(run.state.as_str());
        self.time(run.queued_at);
        self.optional_time(run.started_at);
        self.optional_time(run.finished_at);
        for count in [
            counts.bytes,
            counts.attempts.into(),
            counts.plans_seen,
            counts.plans_new,
            counts.plans_changed,
            counts.plans_unchanged,
            counts.plans_left_sale,
            counts.rejected,
        ] {
            self.number(count);
        }
        self.optional_text(run.detail.as_deref());
        self.number(run.catalog_revision.map_or(u64::MAX, CatalogRevision::get));
    }

    fn reject(&mut self, feed: FeedId, reject: &Reject) {
        let RejectedRecord { place, reason, raw } = &reject.record;
        self.text("reject");
        self.bytes(feed.get().as_bytes());
        self.bytes(&reject.id.get());
        self.bytes(reject.run.get().as_bytes());
        self.time(reject.first_seen_at);
        self.time(reject.last_seen_at);
        self.number(place.offset);
        self.optional_text(place.base_plan_id.as_deref());
        self.optional_text(place.plan_id.as_deref());
        self.text(reason.code.as_str());
        self.text(&reason.detail);
        self.text(raw);
    }
}

/// The checksum of a table that is no tenant's.
pub(super) async fn of_installation(
    side: &dyn ExportRepository,
    table: MovedTable,
) -> Result<Checksum, StorageError> {
    let mut rows = Rows::default();
    if table == MovedTable::Settings {
        side.settings().await?.iter().for_each(|(name, value)| rows.setting(name, value));
    } else {
        side.admin_keys().await?.iter().for_each(|key| rows.access_key(key));
    }
    Ok(rows.finish())
}

/// The checksum of a table with a tenant's data. `read` hears of the rows of each page.
pub(super) async fn of_tenant(
    side: &dyn ExportRepository,
    tenant: TenantNumber,
    table: MovedTable,
    bound: ExportBound,
    read: &(dyn Fn(u64) + Sync),
) -> Result<Checksum, StorageError> {
    let mut rows = Rows::default();
    match table {
        MovedTable::Events => {
            let mut after = None;
            loop {
                let page = side.events(tenant, after, bound).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.sequence);
                page.iter().for_each(|event| rows.event(event));
                read(page.len() as u64);
            }
        }
        MovedTable::KeyValues => {
            let mut after = None;
            loop {
                let page = side.key_values(tenant, after, bound).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.meta.key.clone());
                page.iter().for_each(|entry| rows.key_value(entry));
                read(page.len() as u64);
            }
        }
        MovedTable::Catalog => {
            let mut after = None;
            loop {
                let page = side.catalog(tenant, after, bound).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.position());
                page.iter().for_each(|row| rows.catalog_row(row));
                read(page.len() as u64);
            }
        }
        _ => {
            let mut after = None;
            loop {
                let page = side.access_keys(tenant, after, bound).await?;
                let Some(last) = page.last() else { break };
                after = Some(KeyPosition { created_at: last.created_at, id: last.id });
                page.iter().for_each(|key| rows.access_key(key));
                read(page.len() as u64);
            }
        }
    }
    Ok(rows.finish())
}

/// What tells a source, in the state that it is in, from every other: its secrets, keys and tenants with their
/// counters, which every write of events or key-values, and every import that changes the catalog, moves.
pub(super) async fn fingerprint(
    side: &dyn ExportRepository,
    bound: ExportBound,
) -> Result<String, StorageError> {
    let mut rows = Rows::default();
    side.settings().await?.iter().for_each(|(name, value)| rows.setting(name, value));
    side.admin_keys().await?.iter().for_each(|key| rows.access_key(key));
    rows.number(side.last_tenant_number().await?.map_or(0, |last| last.get().cast_unsigned()));
    let mut after = None;
    loop {
        let page = side.tenants(after, bound).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.tenant.number);
        page.iter().for_each(|stored| rows.tenant(stored));
    }
    let hash = rows.finish().hash;
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The checksum of one tenant with its counters.
pub(super) fn of_row(stored: &StoredTenant) -> [u8; 32] {
    let mut rows = Rows::default();
    rows.tenant(stored);
    rows.finish().hash
}
