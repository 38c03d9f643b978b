//! What comes out of compression, within bounds.

use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use brotli_decompressor::Decompressor;
use flate2::bufread::MultiGzDecoder;

use super::error::{FeedFault, SourceFault};
use crate::options::FeedLimits;

/// How a feed was compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    /// It was not told: not at all, or with gzip, as its first bytes say.
    Untold,
    Gzip,
    Brotli,
}

/// How much has been read, and whether to go on: shared with whoever waits for it.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    received: AtomicU64,
    decompressed: AtomicU64,
    has_ended: AtomicBool,
    is_stopped: AtomicBool,
}

impl Gauge {
    /// Bytes as they were sent.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Bytes of the feed itself.
    pub(crate) fn decompressed(&self) -> u64 {
        self.decompressed.load(Ordering::Relaxed)
    }

    /// Lets reading fail from here.
    pub(crate) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    fn go_on(&self) -> io::Result<()> {
        if self.is_stopped.load(Ordering::Relaxed) {
            return Err(io::Error::other(SourceFault(io::ErrorKind::ConnectionAborted.into())));
        }
        Ok(())
    }
}

/// The bytes of a feed, decompressed: at most as many as it may have, of at most as many that were sent, and at most so many
/// times more than those.
pub(crate) struct Decompressed<R: Read> {
    bytes: Form<Counted<R>>,
    gauge: Arc<Gauge>,
    max_bytes: u64,
    max_expansion: u64,
}

/// A source of which the first bytes were looked at.
type Restored<R> = io::Chain<Cursor<Vec<u8>>, R>;

enum Form<R: Read> {
    Unknown(Option<R>),
    Plain(Restored<R>),
    Gzip(Box<MultiGzDecoder<io::BufReader<Restored<R>>>>),
    Brotli(Box<Decompressor<SmallWindow<R>>>),
}

/// Up to so many bytes a feed may be however much larger than what was sent: a short list of like zones packs well.
const FREE_BYTES: u64 = 16 << 20;
const BUFFER_BYTES: usize = 32 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];
/// The first byte of a stream of "Large Window Brotli". In Brotli (RFC 7932, section 9.1) it is invalid.
const LARGE_WINDOW: u8 = 0x11;

impl<R: Read> Decompressed<R> {
    pub(crate) fn new(source: R, compression: Compression, limits: &FeedLimits, gauge: Arc<Gauge>) -> Self {
        let source = Counted { source, gauge: Arc::clone(&gauge), max_bytes: limits.max_feed_bytes };
        let bytes = match compression {
            Compression::Untold => Form::Unknown(Some(source)),
            Compression::Gzip => gzip(Vec::new(), source),
            Compression::Brotli => {
                let source = SmallWindow { source, is_begun: false };
                Form::Brotli(Box::new(Decompressor::new(source, BUFFER_BYTES)))
            }
        };
        Self { bytes, gauge, max_bytes: limits.max_feed_bytes, max_expansion: limits.max_expansion }
    }

    fn check(&self, more: usize) -> io::Result<()> {
        self.gauge.go_on()?;
        let bytes = self.gauge.decompressed.fetch_add(more as u64, Ordering::Relaxed) + more as u64;
        if bytes > self.max_bytes {
            return Err(FeedFault::io(format!("it is larger than {} bytes", self.max_bytes)));
        }
        let most = self.gauge.received().saturating_mul(self.max_expansion).max(FREE_BYTES);
        if bytes > most {
            let text =
                format!("it becomes more than {} times larger when it is decompressed", self.max_expansion);
            return Err(FeedFault::io(text));
        }
        Ok(())
    }
}

fn gzip<R: Read>(start: Vec<u8>, source: R) -> Form<R> {
    let bytes = io::BufReader::with_capacity(BUFFER_BYTES, Cursor::new(start).chain(source));
    Form::Gzip(Box::new(MultiGzDecoder::new(bytes)))
}

impl<R: Read> Read for Decompressed<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if let Form::Unknown(source) = &mut self.bytes
            && let Some(mut source) = source.take()
        {
            let mut start = Vec::new();
            source.by_ref().take(GZIP_MAGIC.len() as u64).read_to_end(&mut start)?;
            let is_gzip = start == GZIP_MAGIC;
            self.bytes =
                if is_gzip { gzip(start, source) } else { Form::Plain(Cursor::new(start).chain(source)) };
        }
        let read = match &mut self.bytes {
            Form::Unknown(_) => Ok(0),
            Form::Plain(bytes) => bytes.read(to),
            Form::Gzip(bytes) => bytes.read(to).map_err(told),
            // It says the same of what is broken and of what is not all there.
            Form::Brotli(bytes) => {
                bytes.read(to).map_err(|error| match self.gauge.has_ended.load(Ordering::Relaxed) {
                    true => io::ErrorKind::UnexpectedEof.into(),
                    false => told(error),
                })
            }
        }?;
        self.check(read)?;
        Ok(read)
    }
}

/// Refuses what the decompressor takes beyond Brotli: a window of up to 1 GiB, which it would hold in memory. Brotli's
/// own are of at most 16 MiB.
struct SmallWindow<R> {
    source: R,
    is_begun: bool,
}

impl<R: Read> Read for SmallWindow<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(to)?;
        if !self.is_begun && to[..read].first() == Some(&LARGE_WINDOW) {
            let text = "it is compressed with Brotli's large window, which is not allowed";
            return Err(FeedFault::io(text));
        }
        self.is_begun |= read > 0;
        Ok(read)
    }
}

/// What a decompressor says: its own errors, or those of its source.
fn told(error: io::Error) -> io::Error {
    let is_of_source =
        error.get_ref().is_some_and(|inner| inner.is::<FeedFault>() || inner.is::<SourceFault>());
    if is_of_source || error.kind() == io::ErrorKind::UnexpectedEof {
        return error;
    }
    FeedFault::io(format!("it cannot be decompressed: {error}"))
}

/// Counts what is read, and stops when it is told to, or when it is too much: of what was compressed nothing at all may come.
struct Counted<R> {
    source: R,
    gauge: Arc<Gauge>,
    max_bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.gauge.go_on()?;
        let read = self.source.read(to).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => io::Error::other(SourceFault(error)),
        })?;
        let received = self.gauge.received.fetch_add(read as u64, Ordering::Relaxed) + read as u64;
        if received > self.max_bytes {
            return Err(FeedFault::io(format!("more than {} bytes of it were sent", self.max_bytes)));
        }
        if read == 0 && !to.is_empty() {
            self.gauge.has_ended.store(true, Ordering::Relaxed);
        }
        Ok(read)
    }
}
