//! Reads a feed: bytes in, records out, in bounded memory.
//!
//! The layers, from the bytes upwards: [`Decompressed`] bounds what comes out of compression, [`Utf8Text`] makes
//! UTF-8 of any encoding, [`Allowance`](allowance::Allowance) bounds each tag, quick-xml finds the tags, and
//! [`read_feed`] makes records of them.

mod allowance;
mod attribute_scan;
mod attributes;
mod base_plan;
mod decompressed;
mod dialect;
mod document;
mod encoding;
mod error;
mod feed;
mod items;
mod plan;
mod read_again;
mod reject;
mod value;
mod zone;

#[cfg(test)]
mod tests;

pub(crate) use decompressed::{Compression, Decompressed, Gauge};
pub(crate) use encoding::Utf8Text;
pub(crate) use error::ReadError;
pub(crate) use feed::read_feed;
pub(crate) use read_again::read_again;
