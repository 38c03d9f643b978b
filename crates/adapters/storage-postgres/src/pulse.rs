//! When the database last said something.
//!
//! libpq waits for an answer as long as the connection stands, and the connection of a server that is frozen
//! stands. So whoever waits for an answer looks whether the database still says anything at all, and gives up
//! when it does not. The thread that is stuck goes on when the server does, or when its connection is cut.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tenantry_ports::StorageError;

/// The time at which a connection was last heard of.
#[derive(Debug)]
pub(crate) struct Pulse {
    epoch: Instant,
    /// Milliseconds from `epoch`.
    last: AtomicU64,
    /// Somebody has given the database up, and nothing was heard of it since, on any of its connections.
    is_given_up: Arc<AtomicBool>,
}

/// Of a database that somebody has given up already, the others wait this part of the time to hear something: whoever
/// needs two answers, one after the other, is told in time too.
const PATIENCE_WITH_THE_SILENT: u32 = 4;

impl Pulse {
    pub(crate) fn new() -> Self {
        Self { epoch: Instant::now(), last: AtomicU64::new(0), is_given_up: Arc::default() }
    }

    /// That of other connections to the same database: they share what is known of its silence.
    pub(crate) fn beside(&self) -> Self {
        Self { is_given_up: Arc::clone(&self.is_given_up), ..Self::new() }
    }

    /// The database has answered just now.
    pub(crate) fn beat(&self) {
        let now = u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.fetch_max(now, Ordering::Relaxed);
        if self.is_given_up.load(Ordering::Relaxed) {
            self.is_given_up.store(false, Ordering::Relaxed);
        }
    }

    fn last(&self) -> Instant {
        self.epoch + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }

    /// Waits for `answer` as long as it beats.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when nothing was heard for `limit`, counted from now at the earliest; for a
    /// quarter of it, while the database is given up already.
    pub(crate) async fn watch<T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = Result<T, StorageError>>,
    ) -> Result<T, StorageError> {
        let mut answer = pin!(answer);
        let limit = match self.is_given_up.load(Ordering::Relaxed) {
            true => limit / PATIENCE_WITH_THE_SILENT,
            false => limit,
        };
        let begun = Instant::now();
        loop {
            let heard = self.last().max(begun);
            let left = limit.saturating_sub(heard.elapsed());
            match tokio::time::timeout(left, &mut answer).await {
                Ok(answer) => return answer,
                Err(_) if self.last() > heard => {}
                Err(_) => {
                    self.is_given_up.store(true, Ordering::Relaxed);
                    return Err(StorageError::Unavailable(format!(
                        "the database has not answered within {} ms: what became of it is not known",
                        limit.as_millis()
                    )));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn an_answer_in_time_is_handed_on() {
        assert_eq!(Pulse::new().watch(LIMIT, async { Ok(7) }).await, Ok(7));
    }

    #[tokio::test]
    async fn silence_is_given_up() {
        let begun = Instant::now();
        let answer = Pulse::new().watch(LIMIT, std::future::pending::<Result<(), _>>()).await;
        assert!(matches!(answer, Err(StorageError::Unavailable(_))));
        assert!(begun.elapsed() >= LIMIT);
    }

    #[tokio::test]
    async fn silence_from_before_anybody_asked_does_not_count() {
        let long_ago = Instant::now().checked_sub(40 * LIMIT).unwrap();
        let pulse = Pulse { epoch: long_ago, ..Pulse::new() };
        let answer = async {
            tokio::time::sleep(LIMIT / 10).await;
            Ok(7)
        };
        assert_eq!(pulse.watch(LIMIT, answer).await, Ok(7));
    }

    #[tokio::test]
    async fn a_database_that_is_given_up_is_waited_for_less_until_it_is_heard_of() {
        let long = 40 * LIMIT;
        let (reads, silence) = (Pulse::new(), std::future::pending::<Result<(), StorageError>>);
        let writes = reads.beside();
        assert!(reads.watch(LIMIT, silence()).await.is_err());
        let begun = Instant::now();
        assert!(writes.watch(long, silence()).await.is_err());
        assert!(begun.elapsed() < long, "it is known to be silent");
        reads.beat();
        let late = async {
            tokio::time::sleep(long / 3).await;
            Ok(())
        };
        assert_eq!(writes.watch(long, late).await, Ok(()), "it was heard of");
    }

    #[tokio::test]
    async fn an_answer_is_waited_for_as_long_as_something_is_heard() {
        let pulse = Arc::new(Pulse::new());
        let answer = {
            let pulse = Arc::clone(&pulse);
            async move {
                for _ in 0..40 {
                    tokio::time::sleep(LIMIT / 10).await;
                    pulse.beat();
                }
                Ok("late")
            }
        };
        assert_eq!(pulse.watch(LIMIT, answer).await, Ok("late"));
    }
}
