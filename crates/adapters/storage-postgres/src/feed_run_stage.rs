//! Staging what a run has read, where no reader sees it: a few statements a batch, however many records it has.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tenantry_domain::{PlanId, ProviderId, RejectId, RejectedRecord, SellMode, TenantNumber};
use tenantry_ports::RunClaim;
use tenantry_storage_support::feed_run_claim::{Claimed, held};
use tenantry_storage_support::feed_run_stage::{PreparedBatch, PreparedPlan, count_staged};
use uuid::Uuid;

use crate::batch::WriteBatch;
use crate::engine::Postgres;
use crate::error::PostgresError;
use crate::literal::storable;
use crate::moment::to_moment;
use crate::plan_identity::identify;

pub(crate) fn stage(
    batch: &mut WriteBatch,
    claim: &RunClaim,
    prepared: &PreparedBatch,
) -> Claimed<(), WriteBatch> {
    let standing = match held(batch, claim)? {
        Ok(standing) => standing,
        Err(lost) => return Ok(Err(lost)),
    };
    let tenant = claim.key.tenant;
    let staging = standing.staging.unwrap_or_default();
    let connection = batch.connection_for(tenant)?;
    let identities: Vec<_> = prepared.plans.iter().map(|plan| plan.identity).collect();
    let ids = identify(connection, tenant, staging, &identities)?;
    let plans: Vec<_> = ids.into_iter().zip(&prepared.plans).collect();
    let (first, mut rejects) = first_of_each(connection, tenant, staging, plans)?;
    rejects.extend(&prepared.rejects);
    let seen = first.len();
    stage_plans(batch, tenant, staging, &first)?;
    let rejected = stage_rejects(batch.connection_for(tenant)?, tenant, staging, &rejects)?;
    if seen + rejected > 0 {
        count_staged::<Postgres>(batch.connection_for(tenant)?, claim.key, seen, rejected)?;
    }
    Ok(Ok(()))
}

/// A plan by its id.
type IdentifiedPlan<'a> = (PlanId, &'a PreparedPlan);

/// A reject by its id.
type IdentifiedReject = (RejectId, RejectedRecord);

/// An id with a digest.
#[derive(Debug, QueryableByName)]
struct DigestRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Binary)]
    digest: Vec<u8>,
}

/// Of the plans those whose key was not staged before; and what those are rejected as that differ from what was.
fn first_of_each<'a>(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    staging: i64,
    plans: Vec<IdentifiedPlan<'a>>,
) -> Result<(Vec<IdentifiedPlan<'a>>, Vec<&'a IdentifiedReject>), PostgresError> {
    let ids: Vec<Uuid> = plans.iter().map(|(id, _)| id.get()).collect();
    let select = format!(
        "SELECT id, digest FROM staged_plans WHERE tenant_number = {tenant} AND staging = {staging} AND id = ANY ($1)"
    );
    let staged: Vec<DigestRow> =
        diesel::sql_query(select).bind::<Array<SqlUuid>, _>(&ids).load(connection)?;
    let mut digests: HashMap<Uuid, Vec<u8>> = staged.into_iter().map(|row| (row.id, row.digest)).collect();
    let (mut first, mut rejects) = (Vec::with_capacity(plans.len()), Vec::new());
    for (id, plan) in plans {
        match digests.entry(id.get()) {
            Entry::Vacant(place) => {
                place.insert(plan.digest.to_vec());
                first.push((id, plan));
            }
            Entry::Occupied(staged) if staged.get()[..] != plan.digest => rejects.push(&plan.duplicate),
            Entry::Occupied(_) => {}
        }
    }
    Ok((first, rejects))
}

/// A plan as it stands.
#[derive(Debug, QueryableByName)]
struct StandingRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Binary)]
    digest: Vec<u8>,
    #[diesel(sql_type = Bool)]
    in_feed: bool,
}

fn stage_plans(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    staging: i64,
    plans: &[IdentifiedPlan<'_>],
) -> Result<(), PostgresError> {
    if plans.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = plans.iter().map(|(id, _)| id.get()).collect();
    let select =
        format!("SELECT id, digest, in_feed FROM plans WHERE tenant_number = {tenant} AND id = ANY ($1)");
    let standing: Vec<StandingRow> =
        diesel::sql_query(select).bind::<Array<SqlUuid>, _>(&ids).load(batch.connection_for(tenant)?)?;
    let standing: HashMap<Uuid, StandingRow> = standing.into_iter().map(|row| (row.id, row)).collect();
    let (mut same, mut different) = (Vec::new(), Vec::new());
    for plan in plans {
        let held = standing.get(&plan.0.get());
        let was_in_feed = held.is_some_and(|row| row.in_feed);
        match held {
            Some(row) if row.digest[..] == plan.1.digest => same.push((*plan, was_in_feed)),
            Some(_) => different.push((*plan, "changed", was_in_feed)),
            None => different.push((*plan, "new", false)),
        }
    }
    insert_same(batch.connection_for(tenant)?, tenant, staging, &same)?;
    insert_different(batch.connection_for(tenant)?, tenant, staging, &different)?;
    let contents: Vec<_> =
        different.iter().map(|((id, plan), ..)| (staging, *id, &plan.record.content)).collect();
    insert_contents(batch.connection_for(tenant)?, tenant, &contents)
}

fn insert_same(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    staging: i64,
    plans: &[(IdentifiedPlan<'_>, bool)],
) -> Result<(), PostgresError> {
    let insert = format!(
        "INSERT INTO staged_plans (tenant_number, staging, id, digest, difference, was_in_feed) \
         SELECT {tenant}, {staging}, id, digest, 'none', was_in_feed FROM unnest($1, $2, $3) \
         AS n (id, digest, was_in_feed)"
    );
    let column = plans.iter();
    diesel::sql_query(insert)
        .bind::<Array<SqlUuid>, _>(column.clone().map(|((id, _), _)| id.get()).collect::<Vec<_>>())
        .bind::<Array<Binary>, _>(column.clone().map(|((_, plan), _)| &plan.digest[..]).collect::<Vec<_>>())
        .bind::<Array<Bool>, _>(column.map(|(_, was_in_feed)| *was_in_feed).collect::<Vec<_>>())
        .execute(connection)?;
    Ok(())
}

fn insert_different(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    staging: i64,
    plans: &[(IdentifiedPlan<'_>, &str, bool)],
) -> Result<(), PostgresError> {
    let insert = format!(
        "INSERT INTO staged_plans (tenant_number, staging, id, derived_id, digest, difference, was_in_feed, \
         base_plan_id, plan_id, title, starts_at, ends_at, min_cents, max_cents, is_online, content_staging) \
         SELECT {tenant}, {staging}, n.*, {staging} \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) AS n"
    );
    macro_rules! column {
        (|$plan:ident, $content:ident| $value:expr) => {
            plans
                .iter()
                .map(|((_, $plan), ..)| {
                    let $content = &$plan.record.content;
                    let _ = $content;
                    $value
                })
                .collect::<Vec<_>>()
        };
    }
    diesel::sql_query(insert)
        .bind::<Array<SqlUuid>, _>(plans.iter().map(|((id, _), ..)| id.get()).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(
            plans.iter().map(|(plan, ..)| other_id(*plan)).collect::<Vec<_>>(),
        )
        .bind::<Array<Binary>, _>(column!(|plan, _content| &plan.digest[..]))
        .bind::<Array<Text>, _>(plans.iter().map(|(_, difference, _)| *difference).collect::<Vec<_>>())
        .bind::<Array<Bool>, _>(plans.iter().map(|(.., was_in_feed)| *was_in_feed).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(column!(|plan, _content| plan.record.key.base_plan_id.as_str()))
        .bind::<Array<Text>, _>(column!(|plan, _content| plan.record.key.plan_id.as_str()))
        .bind::<Array<Text>, _>(column!(|plan, content| content.title.as_str()))
        .bind::<Array<Timestamptz>, _>(column!(|plan, content| to_moment(content.time.starts_at())))
        .bind::<Array<Timestamptz>, _>(column!(|plan, content| to_moment(content.time.ends_at())))
        .bind::<Array<Nullable<BigInt>>, _>(column!(|plan, content| content.prices.map(|p| p.min.as_cents())))
        .bind::<Array<Nullable<BigInt>>, _>(column!(|plan, content| content.prices.map(|p| p.max.as_cents())))
        .bind::<Array<Bool>, _>(column!(|plan, content| content.sell_mode == SellMode::Online))
        .execute(connection)?;
    Ok(())
}

/// The id that follows from the plan's key, if that is another than its own.
fn other_id((id, plan): IdentifiedPlan<'_>) -> Option<Uuid> {
    let derived = plan.identity.derived;
    (derived != id).then(|| derived.get())
}

/// Stores what was told of plans, each under a staging; what is there stays.
pub(crate) fn insert_contents(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    contents: &[(i64, PlanId, &tenantry_domain::PlanContent)],
) -> Result<(), PostgresError> {
    let insert = format!(
        "INSERT INTO plan_contents (tenant_number, staging, id, title, sell_mode, organizer_company_id, starts_at, \
         ends_at, sell_from, sell_to, sold_out, min_cents, max_cents, zones) SELECT {tenant}, n.* \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) AS n ON CONFLICT DO NOTHING"
    );
    macro_rules! column {
        (|$content:ident| $value:expr) => {
            contents.iter().map(|(_, _, $content)| $value).collect::<Vec<_>>()
        };
    }
    diesel::sql_query(insert)
        .bind::<Array<BigInt>, _>(contents.iter().map(|(staging, ..)| *staging).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(contents.iter().map(|(_, id, _)| id.get()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(column!(|content| content.title.as_str()))
        .bind::<Array<Text>, _>(column!(|content| content.sell_mode.as_str()))
        .bind::<Array<Nullable<Text>>, _>(column!(|content| {
            content.organizer_company_id.as_ref().map(ProviderId::as_str)
        }))
        .bind::<Array<Timestamptz>, _>(column!(|content| to_moment(content.time.starts_at())))
        .bind::<Array<Timestamptz>, _>(column!(|content| to_moment(content.time.ends_at())))
        .bind::<Array<Nullable<Timestamptz>>, _>(column!(|content| content.sell_from.map(to_moment)))
        .bind::<Array<Nullable<Timestamptz>>, _>(column!(|content| content.sell_to.map(to_moment)))
        .bind::<Array<Bool>, _>(column!(|content| content.sold_out))
        .bind::<Array<Nullable<BigInt>>, _>(column!(|content| content.prices.map(|p| p.min.as_cents())))
        .bind::<Array<Nullable<BigInt>>, _>(column!(|content| content.prices.map(|p| p.max.as_cents())))
        .bind::<Array<Text>, _>(column!(|content| content.zones.as_json()))
        .execute(connection)?;
    Ok(())
}

/// Stages rejects, and says how many are new.
fn stage_rejects(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    staging: i64,
    rejects: &[&IdentifiedReject],
) -> Result<usize, PostgresError> {
    if rejects.is_empty() {
        return Ok(0);
    }
    let insert = format!(
        "INSERT INTO staged_rejects (tenant_number, staging, reject_id, place_offset, base_plan_id, plan_id, code, \
         detail) SELECT {tenant}, {staging}, n.* FROM unnest($1, $2, $3, $4, $5, $6) AS n ON CONFLICT DO NOTHING"
    );
    macro_rules! column {
        (|$reject:ident| $value:expr) => {
            rejects.iter().map(|(_, $reject)| $value).collect::<Vec<_>>()
        };
    }
    let inserted = diesel::sql_query(insert)
        .bind::<Array<Binary>, _>(rejects.iter().map(|(id, _)| id.get().to_vec()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(column!(|reject| i64::try_from(reject.place.offset).unwrap_or(i64::MAX)))
        .bind::<Array<Nullable<Text>>, _>(column!(|reject| reject
            .place
            .base_plan_id
            .as_deref()
            .map(storable)))
        .bind::<Array<Nullable<Text>>, _>(column!(|reject| reject.place.plan_id.as_deref().map(storable)))
        .bind::<Array<Text>, _>(column!(|reject| reject.reason.code.as_str()))
        .bind::<Array<Text>, _>(column!(|reject| storable(&reject.reason.detail)))
        .execute(connection)?;
    let texts: Vec<_> = rejects.iter().map(|(id, reject)| (staging, *id, reject.raw.as_str())).collect();
    insert_texts(connection, tenant, &texts)?;
    Ok(inserted)
}

/// Stores the texts of rejects, each under a staging; what is there stays.
pub(crate) fn insert_texts(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    texts: &[(i64, RejectId, &str)],
) -> Result<(), PostgresError> {
    let insert = format!(
        "INSERT INTO reject_texts (tenant_number, staging, reject_id, raw) SELECT {tenant}, n.* \
         FROM unnest($1, $2, $3) AS n ON CONFLICT DO NOTHING"
    );
    diesel::sql_query(insert)
        .bind::<Array<BigInt>, _>(texts.iter().map(|(staging, ..)| *staging).collect::<Vec<_>>())
        .bind::<Array<Binary>, _>(texts.iter().map(|(_, id, _)| id.get().to_vec()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(texts.iter().map(|(.., raw)| storable(raw)).collect::<Vec<_>>())
        .execute(connection)?;
    Ok(())
}
