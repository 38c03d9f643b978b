//! Why a feed was not read to its end.

use std::io;

use super::attribute_scan::ScanError;

/// Why a feed was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// It is no feed, or breaks a bound.
    #[error("{0}")]
    Unreadable(String),
    /// It stops before its root element ends.
    #[error("it ends before {0} does")]
    EndsEarly(String),
    /// Its bytes could not be had.
    #[error("{0}")]
    Source(String),
    /// Nobody takes the records any more.
    #[error("nobody takes the records any more")]
    Closed,
}

/// A fault of the feed itself, found by a layer that can only return [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct FeedFault(pub(crate) String);

/// A fault of whoever brings the bytes, told through layers that have errors of their own.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SourceFault(pub(crate) io::Error);

impl FeedFault {
    /// As an error of reading.
    pub(crate) fn io(text: impl Into<String>) -> io::Error {
        io::Error::other(Self(text.into()))
    }
}

impl ReadError {
    pub(crate) fn unreadable(text: impl Into<String>) -> Self {
        Self::Unreadable(text.into())
    }

    /// A tag whose attributes are not XML.
    pub(crate) fn of_tag(error: ScanError, offset: u64) -> Self {
        Self::Unreadable(format!("it is not XML in the tag at byte {offset}: {error}"))
    }

    /// An error of quick-xml, at that byte of the feed.
    pub(crate) fn of_xml(error: quick_xml::Error, offset: u64) -> Self {
        match error {
            quick_xml::Error::Io(error) => Self::of_io(&error),
            other => Self::Unreadable(format!("it is not XML at byte {offset}: {other}")),
        }
    }

    /// An error of whatever brings the bytes.
    pub(crate) fn of_io(error: &io::Error) -> Self {
        let fault = error.get_ref().and_then(|inner| inner.downcast_ref::<FeedFault>());
        match fault {
            Some(fault) => Self::Unreadable(fault.0.clone()),
            // The decompressors say so.
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                Self::EndsEarly("what was compressed".to_owned())
            }
            None => Self::Source(error.to_string()),
        }
    }
}
