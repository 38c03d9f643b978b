//! What runs have left behind is removed, a bounded number of rows at a time.

use diesel::prelude::*;
use diesel::sql_types::{Binary, Nullable};
use tenantry_domain::TenantNumber;

use crate::batch::WriteBatch;
use crate::error::SqliteError;
use crate::literal::{execute, number};
use crate::storage::SqliteStorage;
use crate::tenant::tenant_number;

/// How many rows a transaction removes at most. Each may have a few pages of zones.
const STEP: i64 = 500;

/// What a write holds while it waits, about.
const WEIGHT: usize = 256;

impl SqliteStorage {
    /// Removes what stagings of the tenant that have ended have left, step by step, for as long as somebody waits. What
    /// is left over then is taken up by whoever comes next; a failure is nothing to whoever waits, either.
    pub(crate) async fn discard(&self, tenant: TenantNumber) {
        loop {
            match self.write(WEIGHT, (), move |(), batch| discard_some(batch, tenant)).await {
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
        let write = self.write(WEIGHT, (), |(), batch| match tenant_with_discards(&mut batch.connection)? {
            Some(tenant) => discard_some(batch, tenant),
            None => Ok(false),
        });
        if let Err(error) = write.await {
            tracing::debug!(%error, "what runs have staged was not removed: it is tried again later");
        }
    }
}

fn tenant_with_discards(connection: &mut SqliteConnection) -> Result<Option<TenantNumber>, SqliteError> {
    let first = "(SELECT coalesce(min(tenant_number), 0) FROM discards)";
    match number(connection, first)? {
        0 => Ok(None),
        first => tenant_number(first).map(Some),
    }
}

/// Removes some rows, and says whether there may be more.
fn discard_some(batch: &mut WriteBatch, tenant: TenantNumber) -> Result<bool, SqliteError> {
    let connection = &mut batch.connection;
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

/// The first and the last of the staged plans that are removed next.
#[derive(Debug, QueryableByName)]
struct Window {
    #[diesel(sql_type = Nullable<Binary>)]
    first: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    last: Option<Vec<u8>>,
}

/// Removes the first staged plans, and such of their contents as no version names. Whether there were any.
fn remove_plans(connection: &mut SqliteConnection, staged: &str) -> Result<bool, SqliteError> {
    let window = format!(
        "SELECT min(id) AS first, max(id) AS last FROM \
         (SELECT id FROM staged_plans WHERE {staged} ORDER BY id LIMIT {STEP})"
    );
    let Window { first: Some(first), last: Some(last) } = diesel::sql_query(window).get_result(connection)?
    else {
        return Ok(false);
    };
    let contents = format!(
        "DELETE FROM plan_contents WHERE {staged} AND id BETWEEN ? AND ? \
         AND NOT EXISTS (SELECT 1 FROM plan_versions v WHERE v.tenant_number = plan_contents.tenant_number \
         AND v.id = plan_contents.id AND v.staging = plan_contents.staging)"
    );
    diesel::sql_query(contents).bind::<Binary, _>(&first).bind::<Binary, _>(&last).execute(connection)?;
    let plans = format!("DELETE FROM staged_plans WHERE {staged} AND id <= ?");
    diesel::sql_query(plans).bind::<Binary, _>(&last).execute(connection)?;
    Ok(true)
}

/// Removes some staged rejects, or some texts that no reject names. Whether there were any.
fn remove_rejects(connection: &mut SqliteConnection, staged: &str) -> Result<bool, SqliteError> {
    let rejects = format!(
        "DELETE FROM staged_rejects WHERE {staged} AND reject_id IN \
         (SELECT reject_id FROM staged_rejects WHERE {staged} LIMIT {STEP})"
    );
    let texts = format!(
        "DELETE FROM reject_texts WHERE rowid IN (SELECT t.rowid FROM reject_texts t WHERE {staged} \
         AND NOT EXISTS (SELECT 1 FROM feed_rejects r WHERE r.tenant_number = t.tenant_number \
         AND r.staging = t.staging AND r.reject_id = t.reject_id) LIMIT {STEP})"
    );
    Ok(execute(connection, &rejects)? + execute(connection, &texts)? > 0)
}
