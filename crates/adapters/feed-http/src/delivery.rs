//! From a source of bytes to a sink of records.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tenantry_domain::TimeZone;
use tenantry_ports::{FeedItem, FeedSink};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::options::FeedLimits;
use crate::reading::{Compression, Decompressed, Gauge, ReadError, Utf8Text, read_feed};
use crate::turns::{InTurns, Reader};

/// What is to be read, and how.
pub(crate) struct Delivery<R> {
    pub(crate) source: R,
    pub(crate) compression: Compression,
    pub(crate) limits: FeedLimits,
    pub(crate) time_zone: TimeZone,
    pub(crate) gauge: Arc<Gauge>,
    /// The same that the source has, if it may have to wait for its bytes.
    pub(crate) reader: Arc<Reader>,
}

impl<R: Read + Send + 'static> Delivery<R> {
    /// Reads on a thread of its own, when it is its turn, and hands the records to the sink. While the sink waits, two
    /// lots of them are held and the source is not read. `has_delivered` is set when the sink is first asked to take some.
    ///
    /// If this future is dropped, the thread ends with what it is about to read next.
    pub(crate) async fn run(self, sink: &dyn FeedSink, has_delivered: &AtomicBool) -> Result<(), ReadError> {
        let _stop = StopOnDrop(Arc::clone(&self.gauge));
        let (lots, mut arriving) = mpsc::channel::<Vec<FeedItem>>(1);
        let reading = spawn_blocking(move || {
            let reader = self.reader;
            let _working = reader.begin();
            // Little that was received may be much to read, and much of it may come to nothing.
            let source = InTurns::new(self.source, &reader);
            let bytes = Decompressed::new(source, self.compression, &self.limits, self.gauge);
            let bytes = InTurns::new(bytes, &reader);
            // Also where the sink need not be waited for: others have waited long enough.
            let mut take =
                |items| reader.while_waiting(|| lots.blocking_send(items)).map_err(|_| ReadError::Closed);
            read_feed(Utf8Text::new(bytes), &self.limits, self.time_zone, &mut take)
        });
        while let Some(items) = arriving.recv().await {
            has_delivered.store(true, Ordering::Relaxed);
            sink.take(items).await.map_err(|_| ReadError::Closed)?;
        }
        reading.await.unwrap_or_else(|_| Err(ReadError::Source("its reader broke down".to_owned())))
    }
}

/// Whoever reads for one that has gone stops.
struct StopOnDrop(Arc<Gauge>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}
