//! Staging what a run has read, where no reader sees it.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use tenantry_domain::{
    PlanContent, PlanId, PlanRecord, ProviderId, RejectId, RejectedRecord, SellMode, TenantNumber, Timestamp,
};
use tenantry_ports::RunClaim;
use tenantry_storage_support::feed_run_claim::{Claimed, held};
use tenantry_storage_support::feed_run_stage::{Identity, PreparedBatch, PreparedPlan, count_staged};

use crate::batch::WriteBatch;
use crate::engine::Sqlite;
use crate::error::SqliteError;
use crate::plan_identity::{Identified, identify};
use crate::static_query::static_query;

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
    let connection = &mut batch.connection;
    let staging = standing.staging.unwrap_or_default();
    let (mut seen, mut rejected) = (0, 0);
    for plan in &prepared.plans {
        match stage_plan(connection, tenant, staging, plan)? {
            Staged::Taken => seen += 1,
            Staged::Again => {}
            Staged::Differs => rejected += stage_reject(connection, tenant, staging, &plan.duplicate)?,
        }
    }
    for reject in &prepared.rejects {
        rejected += stage_reject(connection, tenant, staging, reject)?;
    }
    if seen + rejected > 0 {
        count_staged::<Sqlite>(connection, claim.key, seen, rejected)?;
    }
    Ok(Ok(()))
}

enum Staged {
    /// It is the first of its key.
    Taken,
    /// One of the same content is staged.
    Again,
    /// One of other content is staged.
    Differs,
}

static_query! {
    /// Stages a plan of which nothing differs.
    InsertSame<'a> {
        "INSERT INTO staged_plans (tenant_number, staging, id, digest, difference, was_in_feed) VALUES ("
        tenant: i64 as BigInt,
        ", " staging: i64 as BigInt,
        ", " id: &'a [u8] as Binary,
        ", " digest: &'a [u8] as Binary,
        ", 'none', " was_in_feed: bool as Bool;
        ")"
    }
}

static_query! {
    /// Stages a plan of which something differs, or all.
    InsertDifferent<'a> {
        "INSERT INTO staged_plans (tenant_number, staging, id, derived_id, digest, difference, was_in_feed, \
         base_plan_id, plan_id, title, starts_at, ends_at, min_cents, max_cents, is_online, content_staging) VALUES ("
        tenant: i64 as BigInt,
        ", " staging: i64 as BigInt,
        ", " id: &'a [u8] as Binary,
        ", " derived_id: Option<&'a [u8]> as Nullable<Binary>,
        ", " digest: &'a [u8] as Binary,
        ", " difference: &'a str as Text,
        ", " was_in_feed: bool as Bool,
        ", " base_plan_id: &'a str as Text,
        ", " plan_id: &'a str as Text,
        ", " title: &'a str as Text,
        ", " starts_at: i64 as BigInt,
        ", " ends_at: i64 as BigInt,
        ", " min_cents: Option<i64> as Nullable<BigInt>,
        ", " max_cents: Option<i64> as Nullable<BigInt>,
        ", " is_online: bool as Bool,
        ", " content_staging: i64 as BigInt;
        ")"
    }
}

fn stage_plan(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    staging: i64,
    plan: &PreparedPlan,
) -> Result<Staged, SqliteError> {
    let Identity { derived: derived_id, past: past_id } = plan.identity;
    let Identified { id, staged, standing } = identify(connection, tenant, staging, derived_id, past_id)?;
    let (uuid, derived) = (id.get(), derived_id.get());
    let (id_bytes, digest) = (&uuid.as_bytes()[..], &plan.digest[..]);
    if let Some(staged) = staged {
        return Ok(if staged == digest { Staged::Again } else { Staged::Differs });
    }
    let was_in_feed = standing.as_ref().is_some_and(|(_, in_feed)| *in_feed);
    let difference = match &standing {
        None => "new",
        Some((standing, _)) if standing != digest => "changed",
        Some(_) => {
            let tenant = tenant.get();
            InsertSame { tenant, staging, id: id_bytes, digest, was_in_feed }.execute(connection)?;
            return Ok(Staged::Taken);
        }
    };
    let PlanRecord { key, content } = &plan.record;
    insert_content(connection, tenant, staging, id, content)?;
    let insert = InsertDifferent {
        tenant: tenant.get(),
        staging,
        id: id_bytes,
        derived_id: (id != derived_id).then_some(&derived.as_bytes()[..]),
        digest,
        difference,
        was_in_feed,
        base_plan_id: key.base_plan_id.as_str(),
        plan_id: key.plan_id.as_str(),
        title: content.title.as_str(),
        starts_at: content.time.starts_at().as_micros(),
        ends_at: content.time.ends_at().as_micros(),
        min_cents: content.prices.map(|prices| prices.min.as_cents()),
        max_cents: content.prices.map(|prices| prices.max.as_cents()),
        is_online: content.sell_mode == SellMode::Online,
        content_staging: staging,
    };
    insert.execute(connection)?;
    Ok(Staged::Taken)
}

static_query! {
    /// Stores what was told of a plan.
    InsertContent<'a> {
        "INSERT INTO plan_contents (tenant_number, staging, id, title, sell_mode, organizer_company_id, starts_at, \
         ends_at, sell_from, sell_to, sold_out, min_cents, max_cents, zones) VALUES (" tenant: i64 as BigInt,
        ", " staging: i64 as BigInt,
        ", " id: &'a [u8] as Binary,
        ", " title: &'a str as Text,
        ", " sell_mode: &'a str as Text,
        ", " organizer: Option<&'a str> as Nullable<Text>,
        ", " starts_at: i64 as BigInt,
        ", " ends_at: i64 as BigInt,
        ", " sell_from: Option<i64> as Nullable<BigInt>,
        ", " sell_to: Option<i64> as Nullable<BigInt>,
        ", " sold_out: bool as Bool,
        ", " min_cents: Option<i64> as Nullable<BigInt>,
        ", " max_cents: Option<i64> as Nullable<BigInt>,
        ", " zones: &'a str as Text;
        ") ON CONFLICT DO NOTHING"
    }
}

/// Stores what was told of a plan, under the staging that brought it.
pub(crate) fn insert_content(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    staging: i64,
    id: PlanId,
    content: &PlanContent,
) -> Result<(), SqliteError> {
    let id = id.get();
    let insert = InsertContent {
        tenant: tenant.get(),
        staging,
        id: id.as_bytes(),
        title: content.title.as_str(),
        sell_mode: content.sell_mode.as_str(),
        organizer: content.organizer_company_id.as_ref().map(ProviderId::as_str),
        starts_at: content.time.starts_at().as_micros(),
        ends_at: content.time.ends_at().as_micros(),
        sell_from: content.sell_from.map(Timestamp::as_micros),
        sell_to: content.sell_to.map(Timestamp::as_micros),
        sold_out: content.sold_out,
        min_cents: content.prices.map(|prices| prices.min.as_cents()),
        max_cents: content.prices.map(|prices| prices.max.as_cents()),
        zones: content.zones.as_json(),
    };
    insert.execute(connection)?;
    Ok(())
}

static_query! {
    /// Stages a record that cannot be taken, unless it is staged.
    InsertReject<'a> {
        "INSERT INTO staged_rejects (tenant_number, staging, reject_id, place_offset, base_plan_id, plan_id, code, \
         detail) VALUES (" tenant: i64 as BigInt,
        ", " staging: i64 as BigInt,
        ", " reject_id: &'a [u8] as Binary,
        ", " place_offset: i64 as BigInt,
        ", " base_plan_id: Option<&'a str> as Nullable<Text>,
        ", " plan_id: Option<&'a str> as Nullable<Text>,
        ", " code: &'a str as Text,
        ", " detail: &'a str as Text;
        ") ON CONFLICT DO NOTHING"
    }
}

static_query! {
    /// Stores the text of a record that cannot be taken.
    InsertText<'a> {
        "INSERT INTO reject_texts (tenant_number, staging, reject_id, raw) VALUES (" tenant: i64 as BigInt,
        ", " staging: i64 as BigInt,
        ", " reject_id: &'a [u8] as Binary,
        ", " raw: &'a str as Text;
        ") ON CONFLICT DO NOTHING"
    }
}

/// Stages a reject, and says how many that are: none where it was staged before.
fn stage_reject(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    staging: i64,
    (id, reject): &(RejectId, RejectedRecord),
) -> Result<usize, SqliteError> {
    let (tenant, bytes) = (tenant.get(), id.get());
    let insert = InsertReject {
        tenant,
        staging,
        reject_id: &bytes,
        place_offset: i64::try_from(reject.place.offset).unwrap_or(i64::MAX),
        base_plan_id: reject.place.base_plan_id.as_deref(),
        plan_id: reject.place.plan_id.as_deref(),
        code: reject.reason.code.as_str(),
        detail: &reject.reason.detail,
    };
    let inserted = insert.execute(connection)?;
    if inserted > 0 {
        insert_text(connection, tenant, staging, *id, &reject.raw)?;
    }
    Ok(inserted)
}

/// Stores the text of a reject, under the staging that brought it.
pub(crate) fn insert_text(
    connection: &mut SqliteConnection,
    tenant: i64,
    staging: i64,
    id: RejectId,
    raw: &str,
) -> Result<(), SqliteError> {
    InsertText { tenant, staging, reject_id: &id.get(), raw }.execute(connection)?;
    Ok(())
}
