//! Bounded offload: blocking reads on a pool of connections, without a thread for those who wait.

use std::sync::Arc;
use std::time::Duration;

use r2d2::{ManageConnection, Pool};
use tenantry_ports::StorageError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections for reading, and a place for as many readers as there are connections.
///
/// Whoever finds no place waits as a task, not as a thread: the semaphore comes before the blocking
/// thread, and the check-out, which then hardly ever waits, comes inside it.
#[derive(Clone)]
pub struct ReadPool<M: ManageConnection> {
    connections: Pool<M>,
    places: Arc<Semaphore>,
    max_wait: Duration,
}

impl<M: ManageConnection> ReadPool<M> {
    /// Offloads onto `connections`; a read waits for its place at most `max_wait`.
    #[must_use]
    pub fn new(connections: Pool<M>, max_wait: Duration) -> Self {
        let places = usize::try_from(connections.max_size()).unwrap_or(1);
        Self { connections, places: Arc::new(Semaphore::new(places)), max_wait }
    }

    /// Runs `work` on a blocking thread with a connection. Dropping the future does not end work that
    /// has begun, which keeps its place until it ends.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when no place or no connection became free in time;
    /// [`StorageError::Failed`] when `work` panicked; else what `work` failed with.
    pub async fn read<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut M::Connection) -> Result<T, StorageError> + Send + 'static,
    {
        let place = self.place().await?;
        let connections = self.connections.clone();
        let task = tokio::task::spawn_blocking(move || {
            let mut connection = connections.get().map_err(|error| {
                StorageError::Unavailable(format!("no connection for reading became free: {error}"))
            })?;
            let answer = work(&mut connection);
            // The connection goes back before the place: whoever gets the place finds a connection.
            drop(connection);
            drop(place);
            answer
        });
        task.await.unwrap_or_else(|error| {
            Err(if error.is_panic() {
                StorageError::Failed(format!("a read panicked: {error}"))
            } else {
                StorageError::Unavailable("storage is shutting down".to_owned())
            })
        })
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, StorageError> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let wait = tokio::time::timeout(self.max_wait, Arc::clone(&self.places).acquire_owned());
        match wait.await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) => Err(StorageError::Unavailable("storage is shutting down".to_owned())),
            Err(_) => Err(StorageError::Unavailable("too many reads are waiting".to_owned())),
        }
    }
}
