//! Planted faults: what a queue that loses or doubles work would leave behind.

use super::requests::Asked;
use crate::Result;
use crate::database::SCHEMA;
use crate::private::PrivateServer;
use crate::psql;

/// Removes the run that was asked for first, which has long ended, behind the product's back.
pub(super) fn lose_run(postgres: &PrivateServer, asked: &[Asked]) -> Result<()> {
    let Asked { feed, run } = asked.first().ok_or("no run was asked for")?;
    let removal = format!("DELETE FROM {SCHEMA}.feed_runs WHERE run_id = '{run}' RETURNING 1");
    if psql::query(postgres, &removal)? != "1" {
        return Err(format!("run {run} is not there to begin with").into());
    }
    println!("planted: run {run} of feed {feed} removed");
    Ok(())
}

/// Has a plan the same version twice, as if a run had been carried out once more.
pub(super) fn double_effect(postgres: &PrivateServer) -> Result<()> {
    let doubling = format!(
        "INSERT INTO {SCHEMA}.plan_versions (tenant_number, id, version, seen_at, digest, staging) \
         SELECT v.tenant_number, v.id, v.version + 1, v.seen_at, v.digest, v.staging FROM {SCHEMA}.plan_versions v \
         JOIN {SCHEMA}.plans p USING (tenant_number, id, version) WHERE p.title LIKE '% changing %' LIMIT 1 \
         RETURNING id"
    );
    let plan = psql::query(postgres, &doubling)?;
    if plan.is_empty() {
        return Err("no plan has a version to begin with".into());
    }
    println!("planted: the last version of plan {plan} doubled");
    Ok(())
}
