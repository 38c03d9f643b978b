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
use crate::turns::Turns;

/// Takes a feed from a file, plain or compressed with gzip, as its first bytes say. The tenant, the URL and the validators
/// of the request are passed over: the end is never [`FetchEnd::NotModified`].
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
            reader: Turns::new(1).reader(),
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};

    use tenantry_domain::{FeedDraft, FeedSettings, TenantNumber};
    use tenantry_ports::{FeedItem, SinkClosed};

    use super::*;

    const FEED: &str = r#"<planList><output><base_plan base_plan_id="1" title="T" sell_mode="online"><plan
        plan_id="2" plan_start_date="2021-06-30T21:00:00" plan_end_date="2021-06-30T22:00:00"/><plan/></base_plan></output></planList>"#;

    #[derive(Default)]
    struct Collector(Mutex<Vec<FeedItem>>);

    #[async_trait]
    impl FeedSink for Collector {
        async fn take(&self, mut items: Vec<FeedItem>) -> Result<(), SinkClosed> {
            self.0.lock().unwrap().append(&mut items);
            Ok(())
        }

        async fn restart(&self) -> Result<(), SinkClosed> {
            Err(SinkClosed)
        }
    }

    async fn read(path: PathBuf) -> (usize, u64, FetchCost, Result<FetchEnd, FetchError>) {
        let draft = FeedDraft {
            name: Some("F".to_owned()),
            url: Some("http://a/".to_owned()),
            ..FeedDraft::default()
        };
        let url = FeedSettings::parse(draft).unwrap().url;
        let tenant = TenantNumber::new(1).unwrap();
        let request =
            FeedRequest { tenant, url, time_zone: TimeZone::UTC, validators: Validators::default() };
        let told = Arc::new(AtomicU64::new(0));
        let progress = Arc::clone(&told);
        let source = FileFeedSource::new(path, FeedLimits::default(), move |bytes| {
            progress.store(bytes, Ordering::Relaxed);
        });
        let sink = Arc::new(Collector::default());
        let (cost, end) = source.fetch(request, Arc::clone(&sink) as Arc<dyn FeedSink>).await;
        let items = sink.0.lock().unwrap().len();
        (items, told.load(Ordering::Relaxed), cost, end)
    }

    #[tokio::test]
    async fn a_file_is_read_plain_or_compressed_and_its_progress_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(FEED.as_bytes()).unwrap();
        for bytes in [FEED.as_bytes().to_vec(), packed.finish().unwrap()] {
            let path = directory.path().join("feed");
            std::fs::write(&path, &bytes).unwrap();
            let (items, progress, cost, end) = read(path).await;
            assert_eq!((items, end), (2, Ok(FetchEnd::Whole(Validators::default()))));
            assert_eq!((progress, cost.bytes, cost.attempts), (bytes.len() as u64, FEED.len() as u64, 1));
        }
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_or_not_whole_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("feed.xml");
        let (_, _, _, end) = read(path.clone()).await;
        assert!(matches!(end, Err(FetchError::Unavailable(text)) if text.contains("No such file")));
        std::fs::write(&path, &FEED[..FEED.len() - 1]).unwrap();
        let (.., end) = read(path).await;
        assert!(matches!(end, Err(FetchError::Unreadable(text)) if text == "it ends before planList does"));
    }
}
