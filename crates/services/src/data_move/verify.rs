//! Compares two storages, table by table and tenant by tenant, by what they answer when they are read.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join;
use tenantry_domain::TenantNumber;
use tenantry_ports::{ExportBound, ExportRepository, StoredTenant};

use super::MoveReport;
use super::digest::{self, Checksum};
use super::error::{Difference, MoveError, MovedTable};

/// So many differences are told; more would say no more.
const MOST_DIFFERENCES: usize = 20;

struct Comparison<'a> {
    source: &'a dyn ExportRepository,
    target: &'a dyn ExportRepository,
    bound: ExportBound,
    differences: Vec<Difference>,
    report: MoveReport,
}

/// Compares the two. `progress` is told how many rows of the source were read.
pub(super) async fn compare(
    source: &dyn ExportRepository,
    target: &dyn ExportRepository,
    bound: ExportBound,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<MoveReport, MoveError> {
    let mut comparison =
        Comparison { source, target, bound, differences: Vec::new(), report: MoveReport::default() };
    comparison.installation().await?;
    comparison.tenants(progress).await?;
    match comparison.differences.is_empty() {
        true => Ok(comparison.report),
        false => Err(MoveError::Differs(comparison.differences)),
    }
}

impl Comparison<'_> {
    async fn installation(&mut self) -> Result<(), MoveError> {
        for table in [MovedTable::Settings, MovedTable::AdminKeys] {
            let source = digest::of_installation(self.source, table).await.map_err(MoveError::Source)?;
            let target = digest::of_installation(self.target, table).await.map_err(MoveError::Target)?;
            self.note(None, table, source, target);
        }
        let source = self.source.last_tenant_number().await.map_err(MoveError::Source)?;
        let target = self.target.last_tenant_number().await.map_err(MoveError::Target)?;
        if source != target {
            self.differ(None, MovedTable::Tenants, 0, 0);
        }
        Ok(())
    }

    async fn tenants(&mut self, progress: &(dyn Fn(u64) + Sync)) -> Result<(), MoveError> {
        let read = AtomicU64::new(0);
        let read_more = |rows| progress(read.fetch_add(rows, Ordering::Relaxed) + rows);
        let mut after = None;
        loop {
            let page = self.source.tenants(after, self.bound).await.map_err(MoveError::Source)?;
            for stored in &page {
                self.tenant(after, stored).await?;
                self.data(stored.tenant.number, &read_more).await?;
                self.report.tenants += 1;
                after = Some(stored.tenant.number);
                if self.differences.len() >= MOST_DIFFERENCES {
                    return Ok(());
                }
            }
            if page.is_empty() {
                return self.no_more(after).await;
            }
        }
    }

    /// Whether the target's next tenant is this one.
    async fn tenant(
        &mut self,
        mut after: Option<TenantNumber>,
        stored: &StoredTenant,
    ) -> Result<(), MoveError> {
        let number = stored.tenant.number;
        loop {
            match self.next_of_target(after).await? {
                Some(found) if found.tenant.number < number => {
                    after = Some(found.tenant.number);
                    self.differ(after, MovedTable::Tenants, 0, 1);
                    if self.differences.len() >= MOST_DIFFERENCES {
                        return Ok(());
                    }
                }
                Some(found) if found.tenant.number == number => {
                    if digest::of_row(&found) != digest::of_row(stored) {
                        self.differ(Some(number), MovedTable::Tenants, 1, 1);
                    }
                    return Ok(());
                }
                _ => {
                    self.differ(Some(number), MovedTable::Tenants, 1, 0);
                    return Ok(());
                }
            }
        }
    }

    async fn no_more(&mut self, after: Option<TenantNumber>) -> Result<(), MoveError> {
        if let Some(found) = self.next_of_target(after).await? {
            self.differ(Some(found.tenant.number), MovedTable::Tenants, 0, 1);
        }
        Ok(())
    }

    async fn next_of_target(&self, after: Option<TenantNumber>) -> Result<Option<StoredTenant>, MoveError> {
        let one = ExportBound { rows: 1, ..self.bound };
        Ok(self.target.tenants(after, one).await.map_err(MoveError::Target)?.into_iter().next())
    }

    async fn data(&mut self, tenant: TenantNumber, read: &(dyn Fn(u64) + Sync)) -> Result<(), MoveError> {
        for table in [MovedTable::AccessKeys, MovedTable::Events, MovedTable::KeyValues, MovedTable::Catalog]
        {
            let (source, target) = join(
                digest::of_tenant(self.source, tenant, table, self.bound, read),
                digest::of_tenant(self.target, tenant, table, self.bound, &|_| {}),
            )
            .await;
            let (source, target) = (source.map_err(MoveError::Source)?, target.map_err(MoveError::Target)?);
            self.note(Some(tenant), table, source, target);
            match table {
                MovedTable::AccessKeys => self.report.access_keys += source.rows,
                MovedTable::Events => self.report.events += source.rows,
                MovedTable::Catalog => self.report.catalog_rows += source.rows,
                _ => self.report.key_values += source.rows,
            }
        }
        Ok(())
    }

    fn note(&mut self, tenant: Option<TenantNumber>, table: MovedTable, source: Checksum, target: Checksum) {
        if source != target {
            self.differ(tenant, table, source.rows, target.rows);
        }
    }

    fn differ(
        &mut self,
        tenant: Option<TenantNumber>,
        table: MovedTable,
        source_rows: u64,
        target_rows: u64,
    ) {
        self.differences.push(Difference { tenant, table, source_rows, target_rows });
    }
}
