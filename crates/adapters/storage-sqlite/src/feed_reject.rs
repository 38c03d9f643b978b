//! Records of feeds that could not be taken.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use tenantry_domain::{
    FeedId, Page, PageLimit, RecordPlace, Reject, RejectCode, RejectId, RejectReason, RejectedRecord, RunId,
    TenantNumber, Timestamp,
};

use crate::error::SqliteError;
use crate::feed::{self, stored_uuid};
use crate::literal::Literal as _;

/// The page of the feed's rejects; nothing where there is no such feed.
pub(crate) fn list(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    feed: FeedId,
    after: Option<RejectId>,
    limit: PageLimit,
    max_raw_bytes: u64,
) -> Result<Option<Page<Reject>>, SqliteError> {
    if feed::version(connection, tenant, feed)?.is_none() {
        return Ok(None);
    }
    let behind = after.map(|after| format!("AND reject_id > {}", after.literal())).unwrap_or_default();
    let select = format!(
        "SELECT r.*, t.raw FROM feed_rejects r JOIN reject_texts t USING (tenant_number, staging, reject_id) \
         WHERE tenant_number = {tenant} AND feed_id = {} {behind} ORDER BY reject_id LIMIT {}",
        feed.literal(),
        limit.get() + 1
    );
    let mut page = Page { items: Vec::new(), more: false };
    let mut bytes = 0_u64;
    for row in diesel::sql_query(select)
        .load_iter::<RejectRow, diesel::connection::DefaultLoadingMode>(connection)?
    {
        let is_full = !page.items.is_empty() && bytes >= max_raw_bytes;
        if is_full || page.items.len() == limit.get() {
            page.more = true;
            break;
        }
        let reject = row?.into_reject()?;
        bytes = bytes.saturating_add(reject.record.raw.len() as u64);
        page.items.push(reject);
    }
    Ok(Some(page))
}

/// A row of `feed_rejects` with its text, the tenant and the feed left out.
#[derive(Debug, QueryableByName)]
pub(crate) struct RejectRow {
    #[diesel(sql_type = Binary)]
    reject_id: Vec<u8>,
    #[diesel(sql_type = Binary)]
    run_id: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    first_seen_at: i64,
    #[diesel(sql_type = BigInt)]
    last_seen_at: i64,
    #[diesel(sql_type = BigInt)]
    place_offset: i64,
    #[diesel(sql_type = Nullable<Text>)]
    base_plan_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    plan_id: Option<String>,
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    detail: String,
    #[diesel(sql_type = Text)]
    raw: String,
}

impl RejectRow {
    pub(crate) fn into_reject(self) -> Result<Reject, SqliteError> {
        let damaged = |what: &str| SqliteError::Damaged(format!("a reject with {what}"));
        let id = self.reject_id.try_into().map_err(|_| damaged("an id that is none"))?;
        let code = RejectCode::parse(&self.code).ok_or_else(|| damaged("a code that is none"))?;
        let place = RecordPlace {
            offset: self.place_offset.unsigned_abs(),
            base_plan_id: self.base_plan_id,
            plan_id: self.plan_id,
        };
        Ok(Reject {
            id: RejectId::new(id),
            record: RejectedRecord {
                place,
                reason: RejectReason { code, detail: self.detail },
                raw: self.raw,
            },
            run: RunId::new(stored_uuid(&self.run_id, "a run's id")?),
            first_seen_at: Timestamp::from_micros(self.first_seen_at),
            last_seen_at: Timestamp::from_micros(self.last_seen_at),
        })
    }
}
