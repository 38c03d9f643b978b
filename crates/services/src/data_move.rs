//! Moving a whole installation from one storage to another, and proving that both hold the same.

mod cursor;
mod digest;
mod error;
mod marker;
#[cfg(test)]
mod tests;
mod verify;

use std::sync::Arc;

use futures_util::future::join;
use tenantry_domain::TenantNumber;
use tenantry_ports::{ExportBound, ExportRepository, ImportRepository, ImportRows, ImportStart};

use cursor::Cursor;
pub use error::{Difference, MoveError, MovedTable};
use marker::{Marker, Position};

/// A page, and so a transaction of the target: large enough to be fast, small enough to be held in memory a few
/// times.
const BOUND: ExportBound = ExportBound { rows: 10_000, bytes: 8 * 1024 * 1024 };

/// What a move is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveStep {
    /// Copying rows.
    Copying,
    /// Reading both sides and comparing.
    Verifying,
}

/// How far a move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoveProgress {
    /// What it is at.
    pub step: MoveStep,
    /// The rows of tenants' data that are done in this step.
    pub done: u64,
    /// How many there are.
    pub total: u64,
}

/// What was moved or compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MoveReport {
    /// A move that had begun before went on.
    pub was_resumed: bool,
    /// Tenants, of any status.
    pub tenants: u64,
    /// Access keys of tenants.
    pub access_keys: u64,
    /// Events.
    pub events: u64,
    /// Key-values.
    pub key_values: u64,
    /// Rows of catalogs: feeds, their runs and rejects, plans and their versions.
    pub catalog_rows: u64,
}

/// Moves what one storage holds into another. Neither may be served meanwhile.
pub struct DataMove {
    source: Arc<dyn ExportRepository>,
    /// The target, to be read back.
    target: Arc<dyn ExportRepository>,
    progress: Box<dyn Fn(MoveProgress) + Send + Sync>,
}

impl DataMove {
    /// Between these two. `progress` is called after each page, and must not block.
    pub fn new(
        source: Arc<dyn ExportRepository>,
        target: Arc<dyn ExportRepository>,
        progress: impl Fn(MoveProgress) + Send + Sync + 'static,
    ) -> Self {
        Self { source, target, progress: Box::new(progress) }
    }

    /// Copies everything through `import`, which writes into the target, and compares it row by row. A move of the
    /// same source that stopped in the middle goes on. Only when nothing differs is the target let go, to be served.
    ///
    /// # Errors
    /// [`MoveError::TargetNotEmpty`] and [`MoveError::OtherMove`], with the target as it was;
    /// [`MoveError::Differs`] when the copy is not what the source holds.
    pub async fn run(&self, import: &dyn ImportRepository) -> Result<MoveReport, MoveError> {
        let total = self.count().await?;
        let (position, was_resumed, fingerprint) = self.begin(import).await?;
        self.copy(import, position, fingerprint, total).await?;
        let report = self.compare(total).await?;
        import.finish().await.map_err(MoveError::Target)?;
        Ok(MoveReport { was_resumed, ..report })
    }

    /// Compares the two row by row, and changes neither.
    ///
    /// # Errors
    /// [`MoveError::Differs`], with the first differences.
    pub async fn verify(&self) -> Result<MoveReport, MoveError> {
        let total = self.count().await?;
        self.compare(total).await
    }

    async fn compare(&self, total: u64) -> Result<MoveReport, MoveError> {
        verify::compare(&*self.source, &*self.target, BOUND, &|done| {
            (self.progress)(MoveProgress { step: MoveStep::Verifying, done, total });
        })
        .await
    }

    /// How many rows of tenants' data there are.
    async fn count(&self) -> Result<u64, MoveError> {
        let (mut after, mut total) = (None, 0_u64);
        loop {
            let page = self.source.tenants(after, BOUND).await.map_err(MoveError::Source)?;
            let Some(last) = page.last() else { return Ok(total) };
            after = Some(last.tenant.number);
            for stored in &page {
                let rows = self.source.count_rows(stored.tenant.number).await;
                total = total.saturating_add(rows.map_err(MoveError::Source)?);
            }
        }
    }

    /// Where to begin, and of which source.
    async fn begin(
        &self,
        import: &dyn ImportRepository,
    ) -> Result<(Option<Position>, bool, String), MoveError> {
        let fingerprint = digest::fingerprint(&*self.source, BOUND).await.map_err(MoveError::Source)?;
        let marker = Marker { fingerprint: fingerprint.clone(), position: None };
        match import.begin(marker.to_bytes()).await.map_err(MoveError::Target)? {
            ImportStart::Begun => Ok((None, false, fingerprint)),
            ImportStart::NotEmpty(found) => Err(MoveError::TargetNotEmpty(found)),
            ImportStart::Unfinished(held) => match Marker::from_bytes(&held) {
                Some(held) if held.fingerprint == fingerprint => Ok((held.position, true, fingerprint)),
                _ => Err(MoveError::OtherMove),
            },
        }
    }

    async fn copy(
        &self,
        import: &dyn ImportRepository,
        position: Option<Position>,
        fingerprint: String,
        total: u64,
    ) -> Result<(), MoveError> {
        if position.is_none() {
            self.copy_registry(import, &fingerprint).await?;
        }
        let mut done = self.rows_before(position.as_ref()).await?;
        let mut cursor = Cursor::new(&*self.source, BOUND, position);
        let mut next = cursor.next().await.map_err(MoveError::Source)?;
        // One page is written while the next is read.
        while let Some(page) = next {
            let marker = Marker { fingerprint: fingerprint.clone(), position: Some(page.position) };
            let (written, read) = join(import.import(page.rows, marker.to_bytes()), cursor.next()).await;
            written.map_err(MoveError::Target)?;
            next = read.map_err(MoveError::Source)?;
            done = done.saturating_add(page.count);
            (self.progress)(MoveProgress { step: MoveStep::Copying, done: done.min(total), total });
        }
        Ok(())
    }

    /// What is no tenant's data, and the tenants themselves. It is brought again when it was interrupted.
    async fn copy_registry(&self, import: &dyn ImportRepository, fingerprint: &str) -> Result<(), MoveError> {
        let marker = || Marker { fingerprint: fingerprint.to_owned(), position: None }.to_bytes();
        let mut rows = vec![
            ImportRows::Settings(self.source.settings().await.map_err(MoveError::Source)?),
            ImportRows::AdminKeys(self.source.admin_keys().await.map_err(MoveError::Source)?),
        ];
        if let Some(last) = self.source.last_tenant_number().await.map_err(MoveError::Source)? {
            rows.push(ImportRows::LastTenantNumber(last));
        }
        import.import(rows, marker()).await.map_err(MoveError::Target)?;
        let mut after = None;
        loop {
            let page = self.source.tenants(after, BOUND).await.map_err(MoveError::Source)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.tenant.number);
            import.import(vec![ImportRows::Tenants(page)], marker()).await.map_err(MoveError::Target)?;
        }
    }

    /// About how many rows lie before that position: those of the tenants before.
    async fn rows_before(&self, position: Option<&Position>) -> Result<u64, MoveError> {
        let Some(position) = position else { return Ok(0) };
        let (mut after, mut rows) = (None::<TenantNumber>, 0_u64);
        loop {
            let page = self.source.tenants(after, BOUND).await.map_err(MoveError::Source)?;
            for stored in &page {
                if stored.tenant.number >= position.tenant {
                    return Ok(rows.saturating_add(position.rows));
                }
                let count = self.source.count_rows(stored.tenant.number).await;
                rows = rows.saturating_add(count.map_err(MoveError::Source)?);
            }
            match page.last() {
                Some(last) => after = Some(last.tenant.number),
                None => return Ok(rows),
            }
        }
    }
}
