//! Answers of memcached: `doc/protocol.txt` of its sources, "Meta Commands".

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

use super::ClientError;

/// The longest line: that of an error, with its reason.
const MAX_LINE_BYTES: u64 = 2_048;

/// The largest value that is read: the largest that Tenantry stores, and what is stored with it.
const MAX_DATA_BYTES: usize = 66 << 20;

/// An answer that is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// `VA`: what is held.
    Value { data: Bytes, cas: u64 },
    /// `EN`: nothing is held.
    Missing,
    /// `HD`, and `STORED`.
    Done,
    /// `NS`: something is held already.
    NotStored,
    /// `EX`: the CAS value is another.
    Exists,
    /// `NF`: there is nothing to compare with, or to remove.
    NotFound,
}

impl Reply {
    /// What it is called, without what it holds.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Value { .. } => "VA",
            Self::Missing => "EN",
            Self::Done => "HD",
            Self::NotStored => "NS",
            Self::Exists => "EX",
            Self::NotFound => "NF",
        }
    }
}

/// The next answer.
pub(crate) async fn read(reader: &mut (impl AsyncBufRead + Unpin)) -> Result<Reply, ClientError> {
    let mut line = Vec::new();
    let read = (&mut *reader).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await;
    read.map_err(|error| ClientError::Lost(error.to_string()))?;
    let Some(line) = line.strip_suffix(b"\r\n").and_then(|line| std::str::from_utf8(line).ok()) else {
        return Err(ClientError::Lost("the connection was lost, or an answer is no line".to_owned()));
    };
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "VA" => value(reader, rest).await,
        "EN" => Ok(Reply::Missing),
        "HD" | "STORED" => Ok(Reply::Done),
        "NS" => Ok(Reply::NotStored),
        "EX" => Ok(Reply::Exists),
        "NF" => Ok(Reply::NotFound),
        "SERVER_ERROR" => Err(ClientError::Refused(rest.to_owned())),
        // With these memcached may have lost its place among the bytes.
        "CLIENT_ERROR" | "ERROR" => Err(ClientError::Lost(format!("memcached answers {line:?}"))),
        _ => Err(ClientError::Lost("an answer is not memcached's".to_owned())),
    }
}

/// `VA <bytes> c<cas>`, and the data block.
async fn value(reader: &mut (impl AsyncBufRead + Unpin), rest: &str) -> Result<Reply, ClientError> {
    let lost = |reason: &str| ClientError::Lost(reason.to_owned());
    let mut words = rest.split(' ');
    let length = words.next().and_then(|length| length.parse::<usize>().ok());
    let cas = words.find_map(|word| word.strip_prefix('c')?.parse::<u64>().ok());
    let (Some(length), Some(cas)) = (length, cas) else {
        return Err(lost("a value has no length or no CAS value"));
    };
    if length > MAX_DATA_BYTES {
        return Err(lost("a value is larger than any that Tenantry stores"));
    }
    let mut data = BytesMut::zeroed(length + 2);
    reader.read_exact(&mut data).await.map_err(|error| ClientError::Lost(error.to_string()))?;
    if !data.ends_with(b"\r\n") {
        return Err(lost("a value does not end where it should"));
    }
    data.truncate(length);
    Ok(Reply::Value { data: data.freeze(), cas })
}
