//! Walks through all tenants' data, page by page.

use std::collections::VecDeque;

use tenantry_domain::TenantNumber;
use tenantry_ports::{CatalogRow, ExportBound, ExportRepository, ImportRows, KeyPosition, StorageError};

use super::marker::{Next, Position};

/// About what a row takes beside its long texts and values.
const ROW_BYTES: u64 = 200;

/// Rows to be stored in one transaction.
pub(super) struct CopiedPage {
    pub(super) rows: Vec<ImportRows>,
    /// How many rows they are.
    pub(super) count: u64,
    /// Where it goes on behind them.
    pub(super) position: Position,
}

/// Where the walk is.
pub(super) struct Cursor<'a> {
    source: &'a dyn ExportRepository,
    bound: ExportBound,
    /// Tenants that were read and come next.
    tenants: VecDeque<TenantNumber>,
    /// The last tenant that was read.
    last: Option<TenantNumber>,
    at: Option<Position>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(source: &'a dyn ExportRepository, bound: ExportBound, at: Option<Position>) -> Self {
        let last = at.as_ref().map(|position| position.tenant);
        Self { source, bound, tenants: VecDeque::new(), last, at }
    }

    /// The next rows; nothing in the end. Small tenants share a page.
    pub(super) async fn next(&mut self) -> Result<Option<CopiedPage>, StorageError> {
        let (mut rows, mut count, mut bytes) = (Vec::new(), 0_u64, 0_u64);
        while count < u64::from(self.bound.rows) && bytes < self.bound.bytes {
            let Some(position) = self.position().await? else { break };
            if let Some((page, page_count, page_bytes)) = self.step(position).await? {
                rows.push(page);
                count += page_count;
                bytes += page_bytes + page_count * ROW_BYTES;
            }
        }
        match (&self.at, rows.is_empty()) {
            (Some(at), false) => Ok(Some(CopiedPage { rows, count, position: at.clone() })),
            _ => Ok(None),
        }
    }

    /// Where the walk is, at the next tenant perhaps.
    async fn position(&mut self) -> Result<Option<Position>, StorageError> {
        if let Some(at) = self.at.clone().filter(|at| at.next != Next::Tenant) {
            return Ok(Some(at));
        }
        if self.tenants.is_empty() {
            let page = self.source.tenants(self.last, self.bound).await?;
            self.tenants = page.iter().map(|stored| stored.tenant.number).collect();
        }
        let Some(tenant) = self.tenants.pop_front() else { return Ok(None) };
        self.last = Some(tenant);
        Ok(Some(Position { tenant, next: Next::AccessKeys, rows: 0 }))
    }

    /// Reads a page of one table of one tenant, and moves on behind it.
    async fn step(&mut self, position: Position) -> Result<Option<(ImportRows, u64, u64)>, StorageError> {
        let Position { tenant, next, rows } = position;
        let (next, read) = match next {
            Next::AccessKeys => {
                let keys = all_access_keys(self.source, tenant, self.bound).await?;
                let count = keys.len() as u64;
                (Next::Events(None), Some((ImportRows::AccessKeys(tenant, keys), count, 0)))
            }
            Next::Events(after) => {
                let events = self.source.events(tenant, after, self.bound).await?;
                match events.last().map(|event| event.sequence) {
                    None => (Next::KeyValues(None), None),
                    Some(last) => {
                        let bytes = events
                            .iter()
                            .map(|event| event.message.as_str().len() + event.data.as_str().len());
                        let (count, bytes) = (events.len() as u64, bytes.sum::<usize>() as u64);
                        (Next::Events(Some(last)), Some((ImportRows::Events(tenant, events), count, bytes)))
                    }
                }
            }
            Next::KeyValues(after) => {
                let entries = self.source.key_values(tenant, after, self.bound).await?;
                match entries.last().map(|entry| entry.meta.key.clone()) {
                    None => (Next::Catalog(None), None),
                    Some(last) => {
                        let (count, bytes) = (
                            entries.len() as u64,
                            entries.iter().map(|entry| entry.value.len() as u64).sum(),
                        );
                        (
                            Next::KeyValues(Some(last)),
                            Some((ImportRows::KeyValues(tenant, entries), count, bytes)),
                        )
                    }
                }
            }
            Next::Catalog(after) => {
                let page = self.source.catalog(tenant, after, self.bound).await?;
                match page.last().map(CatalogRow::position) {
                    None => (Next::Tenant, None),
                    Some(last) => {
                        let bytes = page.iter().map(|row| row.bytes() as u64).sum();
                        let count = page.len() as u64;
                        (Next::Catalog(Some(last)), Some((ImportRows::Catalog(tenant, page), count, bytes)))
                    }
                }
            }
            Next::Tenant => (Next::Tenant, None),
        };
        let count = read.as_ref().map_or(0, |(_, count, _)| *count);
        self.at = Some(Position { tenant, next, rows: rows + count });
        Ok(read.filter(|(_, count, _)| *count > 0))
    }
}

/// All access keys of a tenant: they are few, and short.
async fn all_access_keys(
    source: &dyn ExportRepository,
    tenant: TenantNumber,
    bound: ExportBound,
) -> Result<Vec<tenantry_domain::AccessKey>, StorageError> {
    let mut keys = Vec::new();
    loop {
        let after = keys
            .last()
            .map(|key: &tenantry_domain::AccessKey| KeyPosition { created_at: key.created_at, id: key.id });
        let page = source.access_keys(tenant, after, bound).await?;
        if page.is_empty() {
            return Ok(keys);
        }
        keys.extend(page);
    }
}
