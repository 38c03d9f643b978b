//! Records of feeds that could not be taken.

use diesel::PgConnection;
use diesel::data_types::PgTimestamp;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tenantry_domain::{
    FeedId, Page, PageLimit, RecordPlace, Reject, RejectCode, RejectId, RejectReason, RejectedRecord, RunId,
    TenantNumber,
};
use uuid::Uuid;

use crate::error::PostgresError;
use crate::feed;
use crate::literal::Literal as _;
use crate::moment::from_moment;

/// The page of the feed's rejects; nothing where there is no such feed.
pub(crate) fn list(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    feed: FeedId,
    after: Option<RejectId>,
    limit: PageLimit,
    max_raw_bytes: u64,
) -> Result<Option<Page<Reject>>, PostgresError> {
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
    for row in diesel::sql_query(select).load_iter::<RejectRow, PgRowByRowLoadingMode>(connection)? {
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
    #[diesel(sql_type = SqlUuid)]
    run_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    first_seen_at: PgTimestamp,
    #[diesel(sql_type = Timestamptz)]
    last_seen_at: PgTimestamp,
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
    pub(crate) fn into_reject(self) -> Result<Reject, PostgresError> {
        let damaged = |what: &str| PostgresError::Damaged(format!("a reject with {what}"));
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
            run: RunId::new(self.run_id),
            first_seen_at: from_moment(self.first_seen_at),
            last_seen_at: from_moment(self.last_seen_at),
        })
    }
}
