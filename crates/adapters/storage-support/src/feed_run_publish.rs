//! What a run has staged becomes the catalog: what is compared, counted and kept of it.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use tenantry_domain::{CatalogRevision, FeedId, PlanId, RejectId, RunCounts, RunId, TenantNumber, Timestamp};
use tenantry_ports::Validators;

use crate::bind::{Bind, Binds};
use crate::engine::{CatalogBatch, CatalogEngine, ConnectionOf, Engine, ErrorOf, StoredId};
use crate::feed_run_row::{StoredRun, catalog_revision};

/// So many ids stand in one statement.
const MAX_IDS: usize = 500;

/// A staging that is to become the catalog.
#[derive(Debug, Clone, Copy)]
pub struct Staging {
    /// Whose it is.
    pub tenant: TenantNumber,
    /// For which feed.
    pub feed: FeedId,
    /// By which run.
    pub run: RunId,
    /// Under which number its rows stand.
    pub number: i64,
}

/// Where staged plans come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whence {
    /// From the feed, in which they are now.
    Feed,
    /// From another system, which has seen them in the feed once.
    Past,
}

/// What would become of a feed's plans.
#[derive(Debug, Clone, Copy, Default)]
pub struct Comparison {
    /// What is counted of it.
    pub counts: RunCounts,
    /// How many plans are in the feed before it.
    pub in_feed: u64,
    /// How many plans are staged of which nothing differs, but which were not in the feed.
    pub returning: u64,
}

/// How many staged plans are alike.
#[derive(Debug, QueryableByName)]
pub struct CountRow {
    #[diesel(sql_type = Text)]
    difference: String,
    #[diesel(sql_type = BigInt)]
    rows: i64,
    #[diesel(sql_type = BigInt)]
    were_in_feed: i64,
}

/// What each engine does in its own words with what is staged.
pub trait PublishBatch: CatalogBatch {
    /// Compares all that is staged with the catalog as it stands.
    fn compare_staged(&mut self, staging: &Staging) -> Result<(), ErrorOf<Self>>;

    /// Makes new versions of what differs, and puts what is staged into its feed. Answers whether any plan or version
    /// has changed, or went on sale.
    fn take_plans(
        &mut self,
        staging: &Staging,
        comparison: &Comparison,
        now: Timestamp,
        whence: Whence,
    ) -> Result<bool, ErrorOf<Self>>;

    /// Notes that plans of which nothing differs were seen now, where not the whole feed was.
    fn note_seen(
        &mut self,
        staging: &Staging,
        comparison: &Comparison,
        now: Timestamp,
    ) -> Result<(), ErrorOf<Self>>;

    /// Takes the plans out of the feed that are not staged. Answers whether any of them was on sale.
    fn leave_feed(&mut self, staging: &Staging, comparison: &Comparison) -> Result<bool, ErrorOf<Self>>;

    /// Whether a plan that is staged as new has an id that another one has by now.
    fn is_overtaken(connection: &mut ConnectionOf<Self>, staging: &Staging) -> Result<bool, ErrorOf<Self>>;

    /// Keeps the rejects that are staged, at most so many.
    fn keep_staged_rejects(
        connection: &mut ConnectionOf<Self>,
        staging: &Staging,
        now: Timestamp,
        max_rejects: u32,
    ) -> Result<(), ErrorOf<Self>>;
}

impl Staging {
    /// The condition that a row is of this staging.
    #[must_use]
    pub fn is_staged(&self) -> String {
        format!("tenant_number = {} AND staging = {}", self.tenant, self.number)
    }

    /// The condition that a row is of its feed.
    #[must_use]
    pub fn is_feeds<E: Engine>(&self) -> String {
        format!("tenant_number = {} AND feed_id = {}", self.tenant, self.feed.in_text::<E>())
    }

    /// Compares with the catalog again if another run has become the catalog since this one began to stage: that is
    /// so where a held run was confirmed meanwhile.
    pub(crate) fn compare_again<B: PublishBatch>(
        &self,
        batch: &mut B,
        run: &StoredRun,
    ) -> Result<(), ErrorOf<B>> {
        let imports = format!("(SELECT imports FROM feeds WHERE {})", self.is_feeds::<B::Engine>());
        let standing = B::Engine::number(batch.connection_for(self.tenant)?, &imports)?;
        if Some(standing) == run.feed_imports {
            return Ok(());
        }
        batch.compare_staged(self)?;
        let note = format!(
            "UPDATE feed_runs SET feed_imports = {imports} WHERE {} AND run_id = {}",
            self.is_feeds::<B::Engine>(),
            self.run.in_text::<B::Engine>()
        );
        B::Engine::execute(batch.connection_for(self.tenant)?, &note)?;
        Ok(())
    }

    /// Counts what would become of the feed's plans if what is staged were all that it has.
    pub(crate) fn compare<E: CatalogEngine>(
        &self,
        connection: &mut E::Connection,
    ) -> Result<Comparison, E::Error> {
        let select = format!(
            "SELECT difference, count(*) AS rows, {} AS were_in_feed FROM staged_plans WHERE {} \
             GROUP BY difference",
            E::COUNT_WERE_IN_FEED,
            self.is_staged()
        );
        let rows: Vec<CountRow> = E::load(connection, select)?;
        let mut comparison = Comparison::default();
        let mut staying = 0;
        for row in rows {
            let (count, were_in_feed) = (row.rows.unsigned_abs(), row.were_in_feed.unsigned_abs());
            staying += were_in_feed;
            comparison.counts.plans_seen += count;
            match row.difference.as_str() {
                "new" => comparison.counts.plans_new = count,
                "changed" => comparison.counts.plans_changed = count,
                _ => {
                    comparison.counts.plans_unchanged = count;
                    comparison.returning = count - were_in_feed;
                }
            }
        }
        let in_feed =
            format!("(SELECT count(*) FROM plans WHERE {} AND {})", self.is_feeds::<E>(), E::IN_FEED);
        comparison.in_feed = E::number(connection, &in_feed)?.unsigned_abs();
        comparison.counts.plans_left_sale = comparison.in_feed.saturating_sub(staying);
        let rejects = format!("(SELECT count(*) FROM staged_rejects WHERE {})", self.is_staged());
        comparison.counts.rejected = E::number(connection, &rejects)?.unsigned_abs();
        Ok(comparison)
    }

    /// Leaves as they are, of plans that another system has kept, those that the catalog has with other content. Answers
    /// how many they are.
    pub(crate) fn leave_changed<E: Engine>(&self, connection: &mut E::Connection) -> Result<u64, E::Error> {
        let leave = format!(
            "UPDATE staged_plans SET difference = 'none' WHERE {} AND difference = 'changed'",
            self.is_staged()
        );
        Ok(E::execute(connection, &leave)? as u64)
    }

    /// Whether the whole feed was ever taken.
    pub(crate) fn was_fetched<E: Engine>(&self, connection: &mut E::Connection) -> Result<bool, E::Error> {
        let fetched = format!(
            "(SELECT count(*) FROM feeds WHERE {} AND last_success_at IS NOT NULL)",
            self.is_feeds::<E>()
        );
        Ok(E::number(connection, &fetched)? > 0)
    }

    /// Takes these of the staged plans out of the feed again, unless they were in it before.
    pub(crate) fn keep_out<B: PublishBatch>(
        &self,
        batch: &mut B,
        plans: &[PlanId],
    ) -> Result<(), ErrorOf<B>> {
        for some in plans.chunks(MAX_IDS) {
            let out = format!(
                "UPDATE plans SET in_feed = false WHERE {} AND id IN (SELECT id FROM staged_plans \
                 WHERE {} AND id IN ({}) AND NOT coalesce(was_in_feed, false))",
                self.is_feeds::<B::Engine>(),
                self.is_staged(),
                in_text::<B::Engine>(some)
            );
            B::Engine::execute(batch.connection_for(self.tenant)?, &out)?;
        }
        Ok(())
    }

    /// Removes rejects that were tried again, unless they were met again.
    pub(crate) fn remove_tried<B: PublishBatch>(
        &self,
        batch: &mut B,
        tried: &[RejectId],
    ) -> Result<(), ErrorOf<B>> {
        for some in tried.chunks(MAX_IDS) {
            let are_gone = format!(
                "{} AND reject_id IN ({}) AND NOT EXISTS (SELECT 1 FROM staged_rejects \
                 WHERE {} AND staged_rejects.reject_id = feed_rejects.reject_id)",
                self.is_feeds::<B::Engine>(),
                in_text::<B::Engine>(some),
                self.is_staged()
            );
            remove_rejects::<B::Engine>(batch.connection_for(self.tenant)?, &are_gone)?;
        }
        Ok(())
    }

    /// Keeps the rejects that are staged, and of all only the last `max_rejects`.
    pub(crate) fn keep_rejects<B: PublishBatch>(
        &self,
        connection: &mut ConnectionOf<B>,
        now: Timestamp,
        max_rejects: u32,
    ) -> Result<(), ErrorOf<B>> {
        B::keep_staged_rejects(connection, self, now, max_rejects)?;
        let is_feeds = self.is_feeds::<B::Engine>();
        let too_many = format!(
            "{is_feeds} AND reject_id IN (SELECT reject_id FROM feed_rejects WHERE {is_feeds} \
             ORDER BY last_seen_at DESC, reject_id {} {max_rejects})",
            B::Engine::BEHIND
        );
        remove_rejects::<B::Engine>(connection, &too_many)
    }

    /// All plans in the feed were seen now.
    pub(crate) fn note_success<E: CatalogEngine>(
        &self,
        connection: &mut E::Connection,
        now: Timestamp,
    ) -> Result<(), E::Error> {
        let mut binds = Binds::<E>::new();
        let now = binds.time_or_literal(now);
        let note = format!(
            "UPDATE feeds SET last_success_at = {} WHERE {}",
            E::later("last_success_at", &now),
            self.is_feeds::<E>()
        );
        binds.execute(connection, &note)?;
        Ok(())
    }

    /// Another run that stages meanwhile has to compare again.
    pub(crate) fn note_import<E: Engine>(&self, connection: &mut E::Connection) -> Result<(), E::Error> {
        let note = format!("UPDATE feeds SET imports = imports + 1 WHERE {}", self.is_feeds::<E>());
        E::execute(connection, &note)?;
        Ok(())
    }

    /// Notes that the whole feed was taken, and what its provider said of it. That does not hold if the feed is another
    /// one than the run has fetched.
    pub(crate) fn note_whole<E: Engine>(
        &self,
        connection: &mut E::Connection,
        run: &StoredRun,
        validators: &Validators,
    ) -> Result<(), E::Error> {
        let version = run.feed_version.unwrap_or_default();
        let mut binds = Binds::<E>::new();
        let note = format!(
            "UPDATE feeds SET etag = CASE version WHEN {version} THEN {} END, \
             last_modified = CASE version WHEN {version} THEN {} END WHERE {}",
            binds.add(Bind::Text(validators.etag.as_deref())),
            binds.add(Bind::Text(validators.last_modified.as_deref())),
            self.is_feeds::<E>()
        );
        binds.execute(connection, &note)?;
        Ok(())
    }
}

/// These ids as a list of SQL.
fn in_text<E: Engine>(ids: &[impl StoredId]) -> String {
    ids.iter().map(|id| id.in_text::<E>()).collect::<Vec<_>>().join(", ")
}

fn remove_rejects<E: Engine>(connection: &mut E::Connection, which: &str) -> Result<(), E::Error> {
    let texts = format!(
        "INSERT INTO discards (tenant_number, staging) SELECT DISTINCT tenant_number, staging FROM feed_rejects \
         WHERE {which} ON CONFLICT DO NOTHING"
    );
    E::execute(connection, &texts)?;
    E::execute(connection, &format!("DELETE FROM feed_rejects WHERE {which}"))?;
    Ok(())
}

/// The revision of the tenant's catalog.
pub fn revision<E: Engine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
) -> Result<CatalogRevision, E::Error> {
    let standing =
        format!("(SELECT coalesce(max(revision), 0) FROM catalogs WHERE tenant_number = {tenant})");
    Ok(catalog_revision(E::number(connection, &standing)?)?)
}

/// Gives the tenant's catalog its next revision, and has the listener told.
pub(crate) fn next_revision<B: CatalogBatch>(
    batch: &mut B,
    tenant: TenantNumber,
) -> Result<CatalogRevision, ErrorOf<B>> {
    let next = B::Engine::next_of_catalog("revision", tenant);
    B::Engine::execute(batch.connection_for(tenant)?, &next)?;
    let next = revision::<B::Engine>(batch.connection_for(tenant)?, tenant)?;
    batch.tell_revision(tenant, next);
    Ok(next)
}
