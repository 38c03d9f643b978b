//! Records of feeds that could not be taken.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use tenantry_domain::{
    FeedId, Page, PageLimit, RecordPlace, Reject, RejectCode, RejectId, RejectReason, RejectedRecord, RunId,
    TenantNumber,
};

use crate::engine::{CatalogEngine, Damaged, Engine, Load, StoredId as _};
use crate::feed;
use crate::page::bounded_page;

/// The page of the feed's rejects; nothing where there is no such feed.
pub fn list<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    feed: FeedId,
    after: Option<RejectId>,
    limit: PageLimit,
    max_raw_bytes: u64,
) -> Result<Option<Page<Reject>>, E::Error> {
    if feed::version::<E>(connection, tenant, feed)?.is_none() {
        return Ok(None);
    }
    let behind = after.map(|after| format!("AND reject_id > {}", after.in_text::<E>())).unwrap_or_default();
    let select = format!(
        "SELECT r.*, t.raw FROM feed_rejects r JOIN reject_texts t USING (tenant_number, staging, reject_id) \
         WHERE tenant_number = {tenant} AND feed_id = {} {behind} ORDER BY reject_id LIMIT {}",
        feed.in_text::<E>(),
        limit.get() + 1
    );
    let rows = <E as Load<RejectRow<E>>>::each(connection, select)?;
    let rejects = rows.map(|row| Ok(row?.into_reject()?));
    bounded_page(rejects, limit, max_raw_bytes, |reject: &Reject| reject.record.raw.len()).map(Some)
}

/// A row of `feed_rejects` with its text, the tenant and the feed left out.
#[derive(QueryableByName)]
pub struct RejectRow<E: Engine> {
    #[diesel(sql_type = Binary)]
    reject_id: Vec<u8>,
    #[diesel(sql_type = E::UuidType)]
    run_id: E::Uuid,
    #[diesel(sql_type = E::TimeType)]
    first_seen_at: E::Time,
    #[diesel(sql_type = E::TimeType)]
    last_seen_at: E::Time,
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

impl<E: Engine> RejectRow<E> {
    /// The reject that it is.
    pub fn into_reject(self) -> Result<Reject, Damaged> {
        let damaged = |what: &str| Damaged(format!("a reject with {what}"));
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
            run: RunId::new(E::uuid(self.run_id, "a run's id")?),
            first_seen_at: E::time(self.first_seen_at),
            last_seen_at: E::time(self.last_seen_at),
        })
    }
}
