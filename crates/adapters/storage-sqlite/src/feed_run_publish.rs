//! What a run has staged becomes the catalog: a few statements over short rows, however many zones there are.

use diesel::SqliteConnection;
use tenantry_domain::{RunCounts, Timestamp};
use tenantry_storage_support::feed_run_publish::{Comparison, PublishBatch, Staging, Whence};

use crate::batch::WriteBatch;
use crate::engine::Sqlite;
use crate::error::SqliteError;
use crate::literal::{Literal as _, execute, number};

impl PublishBatch for WriteBatch {
    fn compare_staged(&mut self, staging: &Staging) -> Result<(), SqliteError> {
        let connection = &mut self.connection;
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
                staging.tenant, staging.number
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
                staging.tenant, staging.number
            ),
        )?;
        Ok(())
    }

    fn take_plans(
        &mut self,
        staging: &Staging,
        comparison: &Comparison,
        now: Timestamp,
        whence: Whence,
    ) -> Result<bool, SqliteError> {
        let connection = &mut self.connection;
        let (now, staged) = (now.as_micros(), staging.is_staged());
        let RunCounts { plans_new, plans_changed, .. } = comparison.counts;
        let in_feed = i64::from(whence == Whence::Feed);
        let mut has_changed = false;
        if comparison.returning > 0 && whence == Whence::Feed {
            let returning = format!(
                "tenant_number = {} AND id IN (SELECT id FROM staged_plans WHERE {staged} \
                 AND difference = 'none' AND was_in_feed = 0)",
                staging.tenant
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
            staging.tenant, staging.number
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
            staging.feed.literal()
        );
        execute(connection, &plans)?;
        Ok(true)
    }

    fn note_seen(&mut self, staging: &Staging, _: &Comparison, now: Timestamp) -> Result<(), SqliteError> {
        let connection = &mut self.connection;
        let update = format!(
            "UPDATE plans SET seen_at = max(seen_at, {}) WHERE tenant_number = {} AND id IN \
             (SELECT id FROM staged_plans WHERE {} AND difference = 'none')",
            now.as_micros(),
            staging.tenant,
            staging.is_staged()
        );
        execute(connection, &update)?;
        Ok(())
    }

    fn leave_feed(&mut self, staging: &Staging, _: &Comparison) -> Result<bool, SqliteError> {
        let connection = &mut self.connection;
        let leaving = format!(
            "{} AND in_feed = 1 AND NOT EXISTS (SELECT 1 FROM staged_plans s \
             WHERE s.tenant_number = {} AND s.staging = {} AND s.id = plans.id)",
            staging.is_feeds::<Sqlite>(),
            staging.tenant,
            staging.number
        );
        let online = format!("(SELECT count(*) FROM plans WHERE {leaving} AND is_online = 1)");
        let any = number(connection, &online)? > 0;
        let success = format!(
            "(SELECT coalesce(last_success_at, seen_at) FROM feeds WHERE {})",
            staging.is_feeds::<Sqlite>()
        );
        let update =
            format!("UPDATE plans SET in_feed = 0, seen_at = max(seen_at, {success}) WHERE {leaving}");
        execute(connection, &update)?;
        Ok(any)
    }

    fn is_overtaken(connection: &mut SqliteConnection, staging: &Staging) -> Result<bool, SqliteError> {
        let taken = format!(
            "(SELECT count(*) FROM staged_plans s JOIN plans p USING (tenant_number, id) \
             WHERE s.tenant_number = {} AND s.staging = {} AND s.difference = 'new')",
            staging.tenant, staging.number
        );
        Ok(number(connection, &taken)? > 0)
    }

    fn keep_staged_rejects(
        connection: &mut SqliteConnection,
        staging: &Staging,
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
            staging.feed.literal(),
            staging.run.literal(),
            staging.is_staged()
        );
        execute(connection, &keep)?;
        Ok(())
    }
}
