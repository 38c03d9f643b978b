//! What a run has staged becomes the catalog: a few statements over short rows, however many zones there are.

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use tenantry_domain::{CatalogRevision, FeedId, RejectId, RunCounts, RunId, TenantNumber, Timestamp};
use tenantry_ports::Validators;
use tenantry_storage_support::feed_run_row::{StoredRun, catalog_revision};

use crate::batch::{Change, WriteBatch};
use crate::error::PostgresError;
use crate::literal::{Literal as _, execute, number};
use crate::moment::to_moment;
use crate::plan_slice::slices;

/// A staging that is to become the catalog.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Staging {
    pub(crate) tenant: TenantNumber,
    pub(crate) feed: FeedId,
    pub(crate) run: RunId,
    pub(crate) number: i64,
}

/// Where staged plans come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whence {
    /// From the feed, in which they are now.
    Feed,
    /// From another system, which has seen them in the feed once.
    Past,
}

/// What would become of a feed's plans.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Comparison {
    pub(crate) counts: RunCounts,
    /// How many plans are in the feed before it.
    pub(crate) in_feed: u64,
    /// How many plans are staged of which nothing differs, but which were not in the feed.
    returning: u64,
}

/// How many staged plans are alike.
#[derive(Debug, QueryableByName)]
struct CountRow {
    #[diesel(sql_type = Text)]
    difference: String,
    #[diesel(sql_type = BigInt)]
    rows: i64,
    #[diesel(sql_type = BigInt)]
    were_in_feed: i64,
}

impl Staging {
    fn is_staged(&self) -> String {
        format!("tenant_number = {} AND staging = {}", self.tenant, self.number)
    }

    fn is_feeds(&self) -> String {
        format!("tenant_number = {} AND feed_id = {}", self.tenant, self.feed.literal())
    }

    /// Compares with the catalog again if another run has become the catalog since this one began to stage: that is
    /// so where a held run was confirmed meanwhile.
    pub(crate) fn compare_again(&self, batch: &mut WriteBatch, run: &StoredRun) -> Result<(), PostgresError> {
        let (tenant, staging) = (self.tenant, self.number);
        let imports = format!("(SELECT imports FROM feeds WHERE {})", self.is_feeds());
        if Some(number(batch.connection_for(tenant)?, &imports)?) == run.feed_imports {
            return Ok(());
        }
        let staged = format!("(SELECT count(*) FROM staged_plans WHERE {})", self.is_staged());
        let staged = number(batch.connection_for(tenant)?, &staged)?.unsigned_abs();
        for slice in slices(staged) {
            let compare = format!(
                "UPDATE staged_plans AS s SET was_in_feed = p.in_feed, \
                 difference = CASE WHEN p.digest <> s.digest THEN 'changed' ELSE 'none' END, \
                 content_staging = coalesce(s.content_staging, (SELECT v.staging FROM plan_versions AS v \
                 WHERE v.tenant_number = {tenant} AND v.id = s.id AND v.digest = s.digest \
                 ORDER BY v.version DESC LIMIT 1)) \
                 FROM plans AS p WHERE p.tenant_number = {tenant} AND p.id = s.id \
                 AND s.tenant_number = {tenant} AND s.staging = {staging} AND s.{slice}",
                slice = slice.replace("AND id", "AND s.id")
            );
            execute(batch.connection_for(tenant)?, &compare)?;
        }
        // What was the same and is not any more stands under an earlier version.
        let fill = format!(
            "UPDATE staged_plans AS s SET title = c.title, starts_at = c.starts_at, ends_at = c.ends_at, \
             min_cents = c.min_cents, max_cents = c.max_cents, is_online = (c.sell_mode = 'online'), \
             base_plan_id = p.base_plan_id, plan_id = p.plan_id FROM plan_contents AS c, plans AS p \
             WHERE c.tenant_number = {tenant} AND c.staging = s.content_staging AND c.id = s.id \
             AND p.tenant_number = {tenant} AND p.id = s.id AND s.tenant_number = {tenant} \
             AND s.staging = {staging} AND s.difference = 'changed' AND s.title IS NULL"
        );
        execute(batch.connection_for(tenant)?, &fill)?;
        let note = format!(
            "UPDATE feed_runs SET feed_imports = {imports} WHERE {} AND run_id = {}",
            self.is_feeds(),
            self.run.literal()
        );
        execute(batch.connection_for(tenant)?, &note)?;
        Ok(())
    }

    /// Counts what would become of the feed's plans if what is staged were all that it has.
    pub(crate) fn compare(&self, connection: &mut PgConnection) -> Result<Comparison, PostgresError> {
        let select = format!(
            "SELECT difference, count(*) AS rows, count(*) FILTER (WHERE was_in_feed) AS were_in_feed FROM staged_plans WHERE {} \
             GROUP BY difference",
            self.is_staged()
        );
        let rows: Vec<CountRow> = diesel::sql_query(select).load(connection)?;
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
        let in_feed = format!("(SELECT count(*) FROM plans WHERE {} AND in_feed)", self.is_feeds());
        comparison.in_feed = number(connection, &in_feed)?.unsigned_abs();
        comparison.counts.plans_left_sale = comparison.in_feed.saturating_sub(staying);
        let rejects = format!("(SELECT count(*) FROM staged_rejects WHERE {})", self.is_staged());
        comparison.counts.rejected = number(connection, &rejects)?.unsigned_abs();
        Ok(comparison)
    }

    /// Makes new versions of what differs, and puts what is staged into its feed. Answers whether any plan or version
    /// has changed, or went on sale.
    pub(crate) fn take_plans(
        &self,
        batch: &mut WriteBatch,
        comparison: &Comparison,
        now: Timestamp,
        whence: Whence,
    ) -> Result<bool, PostgresError> {
        let (tenant, staging, staged, now) = (self.tenant, self.number, self.is_staged(), to_moment(now));
        let counts = comparison.counts;
        let in_feed = whence == Whence::Feed;
        let mut has_changed = false;
        if comparison.returning > 0 && whence == Whence::Feed {
            for slice in slices(counts.plans_unchanged) {
                let returning = format!(
                    "tenant_number = {tenant} AND {slice} AND id IN (SELECT id FROM staged_plans WHERE {staged} \
                     AND {slice} AND difference = 'none' AND NOT was_in_feed)"
                );
                let online = format!("(SELECT count(*) FROM plans WHERE {returning} AND is_online)");
                has_changed |= number(batch.connection_for(tenant)?, &online)? > 0;
                let update = format!(
                    "UPDATE plans SET in_feed = true, seen_at = greatest(seen_at, $1) WHERE {returning}"
                );
                let update = diesel::sql_query(update).bind::<Timestamptz, _>(now);
                update.execute(batch.connection_for(tenant)?)?;
            }
        }
        if counts.plans_new + counts.plans_changed == 0 {
            return Ok(has_changed);
        }
        for slice in slices(counts.plans_seen) {
            let versions = format!(
                "INSERT INTO plan_versions (tenant_number, id, version, seen_at, digest, staging) \
                 SELECT s.tenant_number, s.id, coalesce(p.version, 0) + 1, greatest($1, p.seen_at), s.digest, \
                 s.content_staging FROM (SELECT * FROM staged_plans WHERE {staged} AND {slice}) AS s \
                 LEFT JOIN plans AS p ON p.tenant_number = {tenant} AND p.id = s.id \
                 WHERE s.tenant_number = {tenant} AND s.staging = {staging} AND s.difference <> 'none' ORDER BY s.id"
            );
            let versions = diesel::sql_query(versions).bind::<Timestamptz, _>(now);
            versions.execute(batch.connection_for(tenant)?)?;
            let plans = format!(
                "INSERT INTO plans AS p (tenant_number, id, derived_id, feed_id, base_plan_id, plan_id, version, digest, \
                 title, starts_at, ends_at, min_cents, max_cents, is_online, ever_online, in_feed, first_seen_at, \
                 seen_at) SELECT tenant_number, id, derived_id, {}, base_plan_id, plan_id, 1, digest, title, starts_at, \
                 ends_at, min_cents, max_cents, is_online, is_online, {in_feed}, $1, $1 FROM staged_plans \
                 WHERE {staged} AND {slice} AND difference <> 'none' ORDER BY id \
                 ON CONFLICT (tenant_number, id) DO UPDATE SET version = p.version + 1, digest = excluded.digest, \
                 title = excluded.title, starts_at = excluded.starts_at, ends_at = excluded.ends_at, \
                 min_cents = excluded.min_cents, max_cents = excluded.max_cents, is_online = excluded.is_online, \
                 ever_online = p.ever_online OR excluded.is_online, in_feed = p.in_feed OR excluded.in_feed, \
                 seen_at = greatest(p.seen_at, $1)",
                self.feed.literal()
            );
            let plans = diesel::sql_query(plans).bind::<Timestamptz, _>(now);
            plans.execute(batch.connection_for(tenant)?)?;
        }
        Ok(true)
    }

    /// Leaves as they are, of plans that another system has kept, those that the catalog has with other content. Answers
    /// how many they are.
    pub(crate) fn leave_changed(&self, connection: &mut PgConnection) -> Result<u64, PostgresError> {
        let leave = format!(
            "UPDATE staged_plans SET difference = 'none' WHERE {} AND difference = 'changed'",
            self.is_staged()
        );
        Ok(execute(connection, &leave)? as u64)
    }

    /// Whether a plan that is staged as new has an id that another one has by now.
    pub(crate) fn is_overtaken(&self, connection: &mut PgConnection) -> Result<bool, PostgresError> {
        let taken = format!(
            "(SELECT count(*) FROM staged_plans AS s JOIN plans AS p ON p.tenant_number = {tenant} AND p.id = s.id \
             WHERE s.tenant_number = {tenant} AND s.staging = {} AND s.difference = 'new')",
            self.number,
            tenant = self.tenant
        );
        Ok(number(connection, &taken)? > 0)
    }

    /// Whether the whole feed was ever taken.
    pub(crate) fn was_fetched(&self, connection: &mut PgConnection) -> Result<bool, PostgresError> {
        let fetched =
            format!("(SELECT count(*) FROM feeds WHERE {} AND last_success_at IS NOT NULL)", self.is_feeds());
        Ok(number(connection, &fetched)? > 0)
    }

    /// Notes that plans of which nothing differs were seen now, where not the whole feed was.
    pub(crate) fn note_seen(
        &self,
        batch: &mut WriteBatch,
        comparison: &Comparison,
        now: Timestamp,
    ) -> Result<(), PostgresError> {
        let staged = self.is_staged();
        for slice in slices(comparison.counts.plans_unchanged) {
            let update = format!(
                "UPDATE plans SET seen_at = greatest(seen_at, $1) WHERE tenant_number = {} AND {slice} AND id IN \
                 (SELECT id FROM staged_plans WHERE {staged} AND {slice} AND difference = 'none')",
                self.tenant
            );
            let update = diesel::sql_query(update).bind::<Timestamptz, _>(to_moment(now));
            update.execute(batch.connection_for(self.tenant)?)?;
        }
        Ok(())
    }

    /// Takes the plans out of the feed that are not staged. Answers whether any of them was on sale.
    pub(crate) fn leave_feed(
        &self,
        batch: &mut WriteBatch,
        comparison: &Comparison,
    ) -> Result<bool, PostgresError> {
        let tenant = self.tenant;
        let success = format!("(SELECT last_success_at FROM feeds WHERE {})", self.is_feeds());
        let mut any = false;
        for slice in slices(comparison.in_feed) {
            let leaving = format!(
                "{} AND in_feed AND {slice} AND NOT EXISTS (SELECT FROM staged_plans AS s \
                 WHERE s.tenant_number = {tenant} AND s.staging = {} AND s.id = plans.id)",
                self.is_feeds(),
                self.number
            );
            let online = format!("(SELECT count(*) FROM plans WHERE {leaving} AND is_online)");
            any |= number(batch.connection_for(tenant)?, &online)? > 0;
            let update = format!(
                "UPDATE plans SET in_feed = false, seen_at = greatest(seen_at, {success}) WHERE {leaving}"
            );
            execute(batch.connection_for(tenant)?, &update)?;
        }
        Ok(any)
    }

    /// Removes rejects that were tried again, unless they were met again.
    pub(crate) fn remove_tried(
        &self,
        connection: &mut PgConnection,
        tried: &[RejectId],
    ) -> Result<(), PostgresError> {
        for id in tried {
            let is_gone = format!(
                "{} AND reject_id = {id} AND NOT EXISTS (SELECT 1 FROM staged_rejects \
                 WHERE {} AND reject_id = {id})",
                self.is_feeds(),
                self.is_staged(),
                id = id.literal()
            );
            self.remove_rejects(connection, &is_gone)?;
        }
        Ok(())
    }

    /// Keeps the rejects that are staged, and of all only the last `max_rejects`.
    pub(crate) fn keep_rejects(
        &self,
        connection: &mut PgConnection,
        now: Timestamp,
        max_rejects: u32,
    ) -> Result<(), PostgresError> {
        let keep = format!(
            "INSERT INTO feed_rejects AS r (tenant_number, feed_id, reject_id, run_id, first_seen_at, last_seen_at, \
             place_offset, base_plan_id, plan_id, code, detail, staging) \
             SELECT tenant_number, {}, reject_id, {}, $1, $1, place_offset, base_plan_id, plan_id, code, detail, \
             staging FROM staged_rejects WHERE {} ORDER BY reject_id LIMIT {max_rejects} \
             ON CONFLICT (tenant_number, feed_id, reject_id) DO UPDATE SET run_id = excluded.run_id, \
             last_seen_at = greatest(r.last_seen_at, $1), \
             place_offset = excluded.place_offset, base_plan_id = excluded.base_plan_id, plan_id = excluded.plan_id, \
             detail = excluded.detail",
            self.feed.literal(),
            self.run.literal(),
            self.is_staged()
        );
        diesel::sql_query(keep).bind::<Timestamptz, _>(to_moment(now)).execute(connection)?;
        let too_many = format!(
            "{} AND reject_id IN (SELECT reject_id FROM feed_rejects WHERE {} \
             ORDER BY last_seen_at DESC, reject_id OFFSET {max_rejects})",
            self.is_feeds(),
            self.is_feeds()
        );
        self.remove_rejects(connection, &too_many)
    }

    fn remove_rejects(&self, connection: &mut PgConnection, which: &str) -> Result<(), PostgresError> {
        let texts = format!(
            "INSERT INTO discards (tenant_number, staging) SELECT DISTINCT tenant_number, staging FROM feed_rejects \
             WHERE {which} ON CONFLICT DO NOTHING"
        );
        execute(connection, &texts)?;
        execute(connection, &format!("DELETE FROM feed_rejects WHERE {which}"))?;
        Ok(())
    }

    /// Notes that the whole feed was taken, and what its provider said of it. That does not hold if the feed is another
    /// one than the run has fetched.
    pub(crate) fn note_whole(
        &self,
        connection: &mut PgConnection,
        run: &StoredRun,
        validators: &Validators,
    ) -> Result<(), PostgresError> {
        let version = run.feed_version.unwrap_or_default();
        let note = format!(
            "UPDATE feeds SET etag = CASE version WHEN {version} THEN $1 END, \
             last_modified = CASE version WHEN {version} THEN $2 END WHERE {}",
            self.is_feeds()
        );
        diesel::sql_query(note)
            .bind::<Nullable<Text>, _>(validators.etag.as_deref())
            .bind::<Nullable<Text>, _>(validators.last_modified.as_deref())
            .execute(connection)?;
        Ok(())
    }
}

/// The revision of the tenant's catalog.
pub(crate) fn revision(
    connection: &mut PgConnection,
    tenant: TenantNumber,
) -> Result<CatalogRevision, PostgresError> {
    let standing =
        format!("(SELECT coalesce(max(revision), 0) FROM catalogs WHERE tenant_number = {tenant})");
    Ok(catalog_revision(number(connection, &standing)?)?)
}

/// Gives the tenant's catalog its next revision, and has the listener told.
pub(crate) fn next_revision(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
) -> Result<CatalogRevision, PostgresError> {
    let next = format!("UPDATE catalogs SET revision = revision + 1 WHERE tenant_number = {tenant}");
    execute(batch.connection_for(tenant)?, &next)?;
    let next = revision(batch.connection_for(tenant)?, tenant)?;
    batch.tell(Change::Catalog(tenant, next));
    Ok(next)
}
