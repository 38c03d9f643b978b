//! What a run has staged becomes the catalog: a few statements over short rows, however many zones there are.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use tenantry_domain::{CatalogRevision, FeedId, RejectId, RunCounts, RunId, TenantNumber, Timestamp};
use tenantry_ports::Validators;
use tenantry_storage_support::feed_run_row::{StoredRun, catalog_revision};

use crate::batch::{Change, WriteBatch};
use crate::error::SqliteError;
use crate::literal::{Literal as _, execute, number};

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
    pub(crate) fn compare_again(
        &self,
        connection: &mut SqliteConnection,
        run: &StoredRun,
    ) -> Result<(), SqliteError> {
        let imports = format!("(SELECT imports FROM feeds WHERE {})", self.is_feeds());
        if Some(number(connection, &imports)?) == run.feed_imports {
            return Ok(());
        }
        execute(
            connection,
            &format!(
                "UPDATE staged_plans SET was_in_feed = plans.in_feed, \
                 difference = CASE WHEN plans.digest <> staged_plans.digest THEN 'changed' ELSE 'none' END, \
                 content_staging = coalesce(content_staging, \
                 (SELECT staging FROM plan_versions v WHERE v.tenant_number = plans.tenant_number AND v.id = plans.id \
                 AND v.digest = staged_plans.digest ORDER BY version DESC LIMIT 1)) \
                 FROM plans WHERE plans.tenant_number = staged_plans.tenant_number AND plans.id = staged_plans.id \
                 AND staged_plans.tenant_number = {} AND staged_plans.staging = {}",
                self.tenant, self.number
            ),
        )?;
        // What was the same and is not any more stands under an earlier version.
        execute(
            connection,
            &format!(
                "UPDATE staged_plans SET title = c.title, starts_at = c.starts_at, ends_at = c.ends_at, \
                 min_cents = c.min_cents, max_cents = c.max_cents, is_online = (c.sell_mode = 'online'), \
                 base_plan_id = p.base_plan_id, plan_id = p.plan_id \
                 FROM plan_contents c, plans p WHERE c.tenant_number = staged_plans.tenant_number \
                 AND c.staging = staged_plans.content_staging AND c.id = staged_plans.id \
                 AND p.tenant_number = staged_plans.tenant_number AND p.id = staged_plans.id \
                 AND staged_plans.tenant_number = {} AND staged_plans.staging = {} \
                 AND staged_plans.difference = 'changed' AND staged_plans.title IS NULL",
                self.tenant, self.number
            ),
        )?;
        execute(
            connection,
            &format!(
                "UPDATE feed_runs SET feed_imports = {imports} WHERE {} AND run_id = {}",
                self.is_feeds(),
                self.run.literal()
            ),
        )?;
        Ok(())
    }

    /// Counts what would become of the feed's plans if what is staged were all that it has.
    pub(crate) fn compare(&self, connection: &mut SqliteConnection) -> Result<Comparison, SqliteError> {
        let select = format!(
            "SELECT difference, count(*) AS rows, sum(was_in_feed) AS were_in_feed FROM staged_plans WHERE {} \
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
        let in_feed = format!("(SELECT count(*) FROM plans WHERE {} AND in_feed = 1)", self.is_feeds());
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
        connection: &mut SqliteConnection,
        comparison: &Comparison,
        now: Timestamp,
        whence: Whence,
    ) -> Result<bool, SqliteError> {
        let (now, staged) = (now.as_micros(), self.is_staged());
        let RunCounts { plans_new, plans_changed, .. } = comparison.counts;
        let in_feed = i64::from(whence == Whence::Feed);
        let mut has_changed = false;
        if comparison.returning > 0 && whence == Whence::Feed {
            let returning = format!(
                "tenant_number = {} AND id IN (SELECT id FROM staged_plans WHERE {staged} \
                 AND difference = 'none' AND was_in_feed = 0)",
                self.tenant
            );
            let online = format!("(SELECT count(*) FROM plans WHERE {returning} AND is_online = 1)");
            has_changed = number(connection, &online)? > 0;
            let update =
                format!("UPDATE plans SET in_feed = 1, seen_at = max(seen_at, {now}) WHERE {returning}");
            execute(connection, &update)?;
        }
        if plans_new + plans_changed == 0 {
            return Ok(has_changed);
        }
        let versions = format!(
            "INSERT INTO plan_versions (tenant_number, id, version, seen_at, digest, staging) \
             SELECT s.tenant_number, s.id, coalesce(p.version, 0) + 1, max({now}, coalesce(p.seen_at, {now})), \
             s.digest, s.content_staging FROM staged_plans s \
             LEFT JOIN plans p ON p.tenant_number = s.tenant_number AND p.id = s.id \
             WHERE s.tenant_number = {} AND s.staging = {} AND s.difference <> 'none' ORDER BY s.id",
            self.tenant, self.number
        );
        execute(connection, &versions)?;
        let plans = format!(
            "INSERT INTO plans (tenant_number, id, derived_id, feed_id, base_plan_id, plan_id, version, digest, title, \
             starts_at, ends_at, min_cents, max_cents, is_online, ever_online, in_feed, first_seen_at, seen_at) \
             SELECT tenant_number, id, derived_id, {}, base_plan_id, plan_id, 1, digest, title, starts_at, ends_at, \
             min_cents, max_cents, is_online, is_online, {in_feed}, {now}, {now} FROM staged_plans \
             WHERE {staged} AND difference <> 'none' ORDER BY id \
             ON CONFLICT (tenant_number, id) DO UPDATE SET version = version + 1, digest = excluded.digest, \
             title = excluded.title, starts_at = excluded.starts_at, ends_at = excluded.ends_at, \
             min_cents = excluded.min_cents, max_cents = excluded.max_cents, is_online = excluded.is_online, \
             ever_online = max(ever_online, excluded.is_online), in_feed = max(in_feed, excluded.in_feed), \
             seen_at = max(seen_at, {now})",
            self.feed.literal()
        );
        execute(connection, &plans)?;
        Ok(true)
    }

    /// Leaves as they are, of plans that another system has kept, those that the catalog has with other content. Answers
    /// how many they are.
    pub(crate) fn leave_changed(&self, connection: &mut SqliteConnection) -> Result<u64, SqliteError> {
        let leave = format!(
            "UPDATE staged_plans SET difference = 'none' WHERE {} AND difference = 'changed'",
            self.is_staged()
        );
        Ok(execute(connection, &leave)? as u64)
    }

    /// Whether a plan that is staged as new has an id that another one has by now.
    pub(crate) fn is_overtaken(&self, connection: &mut SqliteConnection) -> Result<bool, SqliteError> {
        let taken = format!(
            "(SELECT count(*) FROM staged_plans s JOIN plans p USING (tenant_number, id) \
             WHERE s.tenant_number = {} AND s.staging = {} AND s.difference = 'new')",
            self.tenant, self.number
        );
        Ok(number(connection, &taken)? > 0)
    }

    /// Whether the whole feed was ever taken.
    pub(crate) fn was_fetched(&self, connection: &mut SqliteConnection) -> Result<bool, SqliteError> {
        let fetched =
            format!("(SELECT count(*) FROM feeds WHERE {} AND last_success_at IS NOT NULL)", self.is_feeds());
        Ok(number(connection, &fetched)? > 0)
    }

    /// Notes that plans of which nothing differs were seen now, where not the whole feed was.
    pub(crate) fn note_seen(
        &self,
        connection: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<(), SqliteError> {
        let update = format!(
            "UPDATE plans SET seen_at = max(seen_at, {}) WHERE tenant_number = {} AND id IN \
             (SELECT id FROM staged_plans WHERE {} AND difference = 'none')",
            now.as_micros(),
            self.tenant,
            self.is_staged()
        );
        execute(connection, &update)?;
        Ok(())
    }

    /// Takes the plans out of the feed that are not staged. Answers whether any of them was on sale.
    pub(crate) fn leave_feed(&self, connection: &mut SqliteConnection) -> Result<bool, SqliteError> {
        let leaving = format!(
            "{} AND in_feed = 1 AND NOT EXISTS (SELECT 1 FROM staged_plans s \
             WHERE s.tenant_number = {} AND s.staging = {} AND s.id = plans.id)",
            self.is_feeds(),
            self.tenant,
            self.number
        );
        let online = format!("(SELECT count(*) FROM plans WHERE {leaving} AND is_online = 1)");
        let any = number(connection, &online)? > 0;
        let success =
            format!("(SELECT coalesce(last_success_at, seen_at) FROM feeds WHERE {})", self.is_feeds());
        let update =
            format!("UPDATE plans SET in_feed = 0, seen_at = max(seen_at, {success}) WHERE {leaving}");
        execute(connection, &update)?;
        Ok(any)
    }

    /// Removes rejects that were tried again, unless they were met again.
    pub(crate) fn remove_tried(
        &self,
        connection: &mut SqliteConnection,
        tried: &[RejectId],
    ) -> Result<(), SqliteError> {
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
        connection: &mut SqliteConnection,
        now: Timestamp,
        max_rejects: u32,
    ) -> Result<(), SqliteError> {
        let now = now.as_micros();
        let keep = format!(
            "INSERT INTO feed_rejects (tenant_number, feed_id, reject_id, run_id, first_seen_at, last_seen_at, \
             place_offset, base_plan_id, plan_id, code, detail, staging) \
             SELECT tenant_number, {}, reject_id, {}, {now}, {now}, place_offset, base_plan_id, plan_id, code, detail, \
             staging FROM staged_rejects WHERE {} ORDER BY reject_id LIMIT {max_rejects} \
             ON CONFLICT DO UPDATE SET run_id = excluded.run_id, last_seen_at = max(last_seen_at, {now}), \
             place_offset = excluded.place_offset, base_plan_id = excluded.base_plan_id, plan_id = excluded.plan_id, \
             detail = excluded.detail",
            self.feed.literal(),
            self.run.literal(),
            self.is_staged()
        );
        execute(connection, &keep)?;
        let too_many = format!(
            "{} AND reject_id IN (SELECT reject_id FROM feed_rejects WHERE {} \
             ORDER BY last_seen_at DESC, reject_id LIMIT -1 OFFSET {max_rejects})",
            self.is_feeds(),
            self.is_feeds()
        );
        self.remove_rejects(connection, &too_many)
    }

    fn remove_rejects(&self, connection: &mut SqliteConnection, which: &str) -> Result<(), SqliteError> {
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
        connection: &mut SqliteConnection,
        run: &StoredRun,
        validators: &Validators,
    ) -> Result<(), SqliteError> {
        let version = run.feed_version.unwrap_or_default();
        let note = format!(
            "UPDATE feeds SET etag = CASE version WHEN {version} THEN ? END, \
             last_modified = CASE version WHEN {version} THEN ? END WHERE {}",
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
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
) -> Result<CatalogRevision, SqliteError> {
    let standing =
        format!("(SELECT coalesce(max(revision), 0) FROM catalogs WHERE tenant_number = {tenant})");
    Ok(catalog_revision(number(connection, &standing)?)?)
}

/// Gives the tenant's catalog its next revision, and has the listener told.
pub(crate) fn next_revision(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
) -> Result<CatalogRevision, SqliteError> {
    let next = format!(
        "INSERT INTO catalogs (tenant_number, revision) VALUES ({tenant}, 1) \
         ON CONFLICT (tenant_number) DO UPDATE SET revision = revision + 1"
    );
    execute(&mut batch.connection, &next)?;
    let next = revision(&mut batch.connection, tenant)?;
    batch.tell(Change::Catalog(tenant, next));
    Ok(next)
}
