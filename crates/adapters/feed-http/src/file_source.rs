//! A feed in a file.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use tenantry_domain::{PlanRecord, RejectReason, TimeZone};
use tenantry_ports::{FeedRequest, FeedSink, FeedSource, FetchCost, FetchEnd, FetchError, Validators};

use crate::delivery::Delivery;
use crate::options::FeedLimits;
use crate::reading::{Compression, Gauge, ReadError, read_again};

/// Takes a feed from a file, plain or compressed with gzip, as its first bytes say. The URL and the validators of the
/// request are passed over: the end is never [`FetchEnd::NotModified`].
///
/// To be used in a tokio runtime.
pub struct FileFeedSource {
    path: PathBuf,
    limits: FeedLimits,
    progress: Arc<dyn Fn(u64) + Send + Sync>,
}

impl FileFeedSource {
    /// The feed in that file. `progress` is told of each read how many bytes of the file have been read by then, on the
    /// thread that reads: it should return at once.
    pub fn new(
        path: impl Into<PathBuf>,
        limits: FeedLimits,
        progress: impl Fn(u64) + Send + Sync + 'static,
    ) -> Self {
        Self { path: path.into(), limits, progress: Arc::new(progress) }
    }

    async fn read(
        &self,
        zone: TimeZone,
        gauge: &Arc<Gauge>,
        sink: &dyn FeedSink,
    ) -> Result<FetchEnd, FetchError> {
        let path = self.path.clone();
        let source = FileBytes { path, file: None, read: 0, progress: Arc::clone(&self.progress) };
        let delivery = Delivery {
            source,
            compression: Compression::Untold,
            limits: self.limits.clone(),
            time_zone: zone,
            gauge: Arc::clone(gauge),
        };
        match delivery.run(sink, &AtomicBool::new(false)).await {
            Ok(()) => Ok(FetchEnd::Whole(Validators::default())),
            Err(ReadError::Closed) => Err(FetchError::Stopped),
            Err(ReadError::Source(text)) => Err(FetchError::Unavailable(text)),
            // A file that ends early now does so later.
            Err(error @ (ReadError::Unreadable(_) | ReadError::EndsEarly(_))) => {
                Err(FetchError::Unreadable(error.to_string()))
            }
        }
    }
}

#[async_trait]
impl FeedSource for FileFeedSource {
    async fn fetch(
        &self,
        request: FeedRequest,
        sink: Arc<dyn FeedSink>,
    ) -> (FetchCost, Result<FetchEnd, FetchError>) {
        let gauge = Arc::new(Gauge::default());
        let end = self.read(request.time_zone, &gauge, sink.as_ref()).await;
        (FetchCost { attempts: 1, bytes: gauge.decompressed() }, end)
    }

    fn read_again(&self, raw: &str, time_zone: TimeZone) -> Result<PlanRecord, RejectReason> {
        read_again(raw, &self.limits, time_zone)
    }
}

/// The bytes of a file, which is opened where it is read: on a thread that may block.
struct FileBytes {
    path: PathBuf,
    file: Option<File>,
    read: u64,
    progress: Arc<dyn Fn(u64) + Send + Sync>,
}

impl Read for FileBytes {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::open(&self.path)?),
        };
        let read = file.read(to)?;
        self.read += read as u64;
        (self.progress)(self.read);
        Ok(read)
    }
}
