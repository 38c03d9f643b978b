//! What a run has staged becomes the catalog: a few statements over short rows, however many zones there are.

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use tenantry_domain::Timestamp;
use tenantry_storage_support::feed_run_publish::{Comparison, PublishBatch, Staging, Whence};

use crate::batch::WriteBatch;
use crate::engine::Postgres;
use crate::error::PostgresError;
use crate::literal::{Literal as _, execute, number};
use crate::moment::to_moment;
use crate::plan_slice::slices;

impl PublishBatch for WriteBatch {
    fn compare_staged(&mut self, staging: &Staging) -> Result<(), PostgresError> {
        let (tenant, staged_as) = (staging.tenant, staging.number);
        let staged = format!("(SELECT count(*) FROM staged_plans WHERE {})", staging.is_staged());
        let staged = number(self.connection_for(tenant)?, &staged)?.unsigned_abs();
        for slice in slices(staged) {
            let compare = format!(
                "UPDATE staged_plans AS s SET was_in_feed = p.in_feed, \
                 difference = CASE WHEN p.digest <> s.digest THEN 'changed' ELSE 'none' END, \
                 content_staging = coalesce(s.content_staging, (SELECT v.staging FROM plan_versions AS v \
                 WHERE v.tenant_number = {tenant} AND v.id = s.id AND v.digest = s.digest \
                 ORDER BY v.version DESC LIMIT 1)) \
                 FROM plans AS p WHERE p.tenant_number = {tenant} AND p.id = s.id \
                 AND s.tenant_number = {tenant} AND s.staging = {staged_as} AND s.{slice}",
                slice = slice.replace("AND id", "AND s.id")
            );
            execute(self.connection_for(tenant)?, &compare)?;
        }
        // What was the same and is not any more stands under an earlier version.
        let fill = format!(
            "UPDATE staged_plans AS s SET title = c.title, starts_at = c.starts_at, ends_at = c.ends_at, \
             min_cents = c.min_cents, max_cents = c.max_cents, is_online = (c.sell_mode = 'online'), \
             base_plan_id = p.base_plan_id, plan_id = p.plan_id FROM plan_contents AS c, plans AS p \
             WHERE c.tenant_number = {tenant} AND c.staging = s.content_staging AND c.id = s.id \
             AND p.tenant_number = {tenant} AND p.id = s.id AND s.tenant_number = {tenant} \
             AND s.staging = {staged_as} AND s.difference = 'changed' AND s.title IS NULL"
        );
        execute(self.connection_for(tenant)?, &fill)?;
        Ok(())
    }

    fn take_plans(
        &mut self,
        staging: &Staging,
        comparison: &Comparison,
        now: Timestamp,
        whence: Whence,
    ) -> Result<bool, PostgresError> {
        let (tenant, staged_as, staged, now) =
            (staging.tenant, staging.number, staging.is_staged(), to_moment(now));
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
                has_changed |= number(self.connection_for(tenant)?, &online)? > 0;
                let update = format!(
                    "UPDATE plans SET in_feed = true, seen_at = greatest(seen_at, $1) WHERE {returning}"
                );
                let update = diesel::sql_query(update).bind::<Timestamptz, _>(now);
                update.execute(self.connection_for(tenant)?)?;
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
                 WHERE s.tenant_number = {tenant} AND s.staging = {staged_as} AND s.difference <> 'none' ORDER BY s.id"
            );
            let versions = diesel::sql_query(versions).bind::<Timestamptz, _>(now);
            versions.execute(self.connection_for(tenant)?)?;
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
                staging.feed.literal()
            );
            let plans = diesel::sql_query(plans).bind::<Timestamptz, _>(now);
            plans.execute(self.connection_for(tenant)?)?;
        }
        Ok(true)
    }

    fn note_seen(
        &mut self,
        staging: &Staging,
        comparison: &Comparison,
        now: Timestamp,
    ) -> Result<(), PostgresError> {
        let staged = staging.is_staged();
        for slice in slices(comparison.counts.plans_unchanged) {
            let update = format!(
                "UPDATE plans SET seen_at = greatest(seen_at, $1) WHERE tenant_number = {} AND {slice} AND id IN \
                 (SELECT id FROM staged_plans WHERE {staged} AND {slice} AND difference = 'none')",
                staging.tenant
            );
            let update = diesel::sql_query(update).bind::<Timestamptz, _>(to_moment(now));
            update.execute(self.connection_for(staging.tenant)?)?;
        }
        Ok(())
    }

    fn leave_feed(&mut self, staging: &Staging, comparison: &Comparison) -> Result<bool, PostgresError> {
        let tenant = staging.tenant;
        let success = format!("(SELECT last_success_at FROM feeds WHERE {})", staging.is_feeds::<Postgres>());
        let mut any = false;
        for slice in slices(comparison.in_feed) {
            let leaving = format!(
                "{} AND in_feed AND {slice} AND NOT EXISTS (SELECT FROM staged_plans AS s \
                 WHERE s.tenant_number = {tenant} AND s.staging = {} AND s.id = plans.id)",
                staging.is_feeds::<Postgres>(),
                staging.number
            );
            let online = format!("(SELECT count(*) FROM plans WHERE {leaving} AND is_online)");
            any |= number(self.connection_for(tenant)?, &online)? > 0;
            let update = format!(
                "UPDATE plans SET in_feed = false, seen_at = greatest(seen_at, {success}) WHERE {leaving}"
            );
            execute(self.connection_for(tenant)?, &update)?;
        }
        Ok(any)
    }

    fn is_overtaken(connection: &mut PgConnection, staging: &Staging) -> Result<bool, PostgresError> {
        let taken = format!(
            "(SELECT count(*) FROM staged_plans AS s JOIN plans AS p ON p.tenant_number = {tenant} AND p.id = s.id \
             WHERE s.tenant_number = {tenant} AND s.staging = {} AND s.difference = 'new')",
            staging.number,
            tenant = staging.tenant
        );
        Ok(number(connection, &taken)? > 0)
    }

    fn keep_staged_rejects(
        connection: &mut PgConnection,
        staging: &Staging,
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
            staging.feed.literal(),
            staging.run.literal(),
            staging.is_staged()
        );
        diesel::sql_query(keep).bind::<Timestamptz, _>(to_moment(now)).execute(connection)?;
        Ok(())
    }
}
