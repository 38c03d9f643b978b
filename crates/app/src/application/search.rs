//! The thread that makes the search's snapshots.

use std::io;
use std::sync::Arc;
use std::thread;

use tenantry_http::print_found_plan;
use tenantry_ports::PlanRepository;
use tenantry_services::{SnapshotBuilder, SnapshotShelf};

/// Makes snapshots until it is told to finish: apart from the threads that serve, since a large one is a second of
/// work without a pause.
pub(super) struct SearchThread {
    shelf: Arc<SnapshotShelf>,
    thread: thread::JoinHandle<()>,
}

impl SearchThread {
    /// Starts it, over this shelf and these plans.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(shelf: Arc<SnapshotShelf>, plans: Arc<dyn PlanRepository>) -> io::Result<Self> {
        let builder = SnapshotBuilder::new(Arc::clone(&shelf), plans, print_found_plan);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread = thread::Builder::new()
            .name("search".to_owned())
            .spawn(move || runtime.block_on(builder.run()))?;
        Ok(Self { shelf, thread })
    }

    /// Lets it end the snapshot that it is at, and waits for that. Whoever waits for one gets an error.
    pub(super) async fn finish(self) {
        self.shelf.finish();
        let ended = tokio::task::spawn_blocking(move || self.thread.join().is_ok()).await;
        if !matches!(ended, Ok(true)) {
            tracing::error!("making snapshots for the search broke down");
        }
    }
}
