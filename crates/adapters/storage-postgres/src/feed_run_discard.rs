//! What runs have left behind is removed, a bounded number of rows at a time.

use diesel::PgConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Uuid as SqlUuid};
use tenantry_domain::TenantNumber;
use uuid::Uuid;

use crate::batch::WriteBatch;
use crate::claim::Claim;
use crate::error::PostgresError;
use crate::literal::{execute, number};
use crate::storage::PostgresStorage;
use crate::tenant::tenant_number;

/// How many rows a transaction removes at most. Each may have a few pages of zones.
const STEP: i64 = 500;

/// What a write holds while it waits, about.
const WEIGHT: usize = 256;

impl PostgresStorage {
    /// Removes what stagings of the tenant that have ended have left, step by step, for as long as somebody waits. What
    /// is left over then is taken up by whoever comes next; a failure is nothing to whoever waits, either.
    pub(crate) async fn discard(&self, tenant: TenantNumber) {
        let claim = Claim::Catalog(tenant);
        loop {
            match self.write(claim, WEIGHT, (), move |(), batch| discard_some(batch, tenant)).await {
                Ok(((), true)) => {}
                Ok(((), false)) => return,
                Err(error) => {
                    tracing::debug!(%error, "what a run has staged was not removed: it is tried again later");
                    return;
                }
            }
        }
    }

    /// A step for any tenant that has something left over.
    pub(crate) async fn discard_any(&self) {
        let write = self.write(Claim::AnyCatalog, WEIGHT, (), |(), batch| {
            for tenant in batch.run(tenants_with_discards)? {
                if batch.lock_free_catalog(tenant)? {
                    return discard_some(batch, tenant);
                }
            }
            Ok(false)
        });
        if let Err(error) = write.await {
            tracing::debug!(%error, "what runs have staged was not removed: it is tried again later");
        }
    }
}

/// Some tenants of which something is left over.
fn tenants_with_discards(connection: &mut PgConnection) -> Result<Vec<TenantNumber>, PostgresError> {
    let some = sql::<BigInt>("SELECT * FROM tenants_with_discards(10)");
    some.load(connection)?.into_iter().map(tenant_number).collect()
}

/// Removes some rows, and says whether there may be more.
fn discard_some(batch: &mut WriteBatch, tenant: TenantNumber) -> Result<bool, PostgresError> {
    if !batch.is_catalog_open(tenant) {
        return Ok(false);
    }
    let connection = batch.connection_for(tenant)?;
    let any = format!("(SELECT count(*) FROM discards WHERE tenant_number = {tenant})");
    if number(connection, &any)? == 0 {
        return Ok(false);
    }
    let first = format!("(SELECT min(staging) FROM discards WHERE tenant_number = {tenant})");
    let staging = number(connection, &first)?;
    let staged = format!("tenant_number = {tenant} AND staging = {staging}");
    if !remove_plans(connection, &staged)? && !remove_rejects(connection, &staged)? {
        execute(connection, &format!("DELETE FROM discards WHERE {staged}"))?;
    }
    Ok(true)
}

/// Removes the first staged plans, and such of their contents as no version names. Whether there were any.
fn remove_plans(connection: &mut PgConnection, staged: &str) -> Result<bool, PostgresError> {
    let first = format!("SELECT id FROM staged_plans WHERE {staged} ORDER BY id LIMIT {STEP}");
    let ids: Vec<Uuid> = sql::<SqlUuid>(&first).load(connection)?;
    if ids.is_empty() {
        return Ok(false);
    }
    let contents = format!(
        "DELETE FROM plan_contents AS c WHERE {staged} AND id = ANY ($1) \
         AND NOT EXISTS (SELECT FROM plan_versions AS v WHERE v.tenant_number = c.tenant_number \
         AND v.id = c.id AND v.staging = c.staging)"
    );
    diesel::sql_query(contents).bind::<Array<SqlUuid>, _>(&ids).execute(connection)?;
    let plans = format!("DELETE FROM staged_plans WHERE {staged} AND id = ANY ($1)");
    diesel::sql_query(plans).bind::<Array<SqlUuid>, _>(&ids).execute(connection)?;
    Ok(true)
}

/// Removes some staged rejects, or some texts that no reject names. Whether there were any.
fn remove_rejects(connection: &mut PgConnection, staged: &str) -> Result<bool, PostgresError> {
    let rejects = format!(
        "DELETE FROM staged_rejects WHERE {staged} AND reject_id IN \
         (SELECT reject_id FROM staged_rejects WHERE {staged} LIMIT {STEP})"
    );
    let texts = format!(
        "DELETE FROM reject_texts WHERE {staged} AND reject_id IN (SELECT t.reject_id FROM reject_texts AS t \
         WHERE {staged} AND NOT EXISTS (SELECT FROM feed_rejects AS r WHERE r.tenant_number = t.tenant_number \
         AND r.staging = t.staging AND r.reject_id = t.reject_id) LIMIT {STEP})"
    );
    Ok(execute(connection, &rejects)? + execute(connection, &texts)? > 0)
}
