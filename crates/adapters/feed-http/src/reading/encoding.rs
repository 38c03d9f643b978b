//! Makes UTF-8 of whatever encoding a feed is in.

use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::error::FeedFault;
use super::value::NOT_TEXT;

/// So many bytes are asked for at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// Within so many bytes an XML declaration ends.
const DECLARATION_BYTES: usize = 1024;

/// The text of a feed as UTF-8, without its byte order mark. What is no text in the feed's encoding becomes [`NOT_TEXT`].
///
/// The encoding is that of the byte order mark, else the one that the XML declaration names, else UTF-8 (XML 1.0,
/// appendix F). What HTTP's `Content-Type` says is not regarded: servers say it without looking into the file.
pub(crate) struct Utf8Text<R> {
    source: R,
    decoding: Decoding,
    /// Bytes as they came; UTF-8 is handed on from here. What has been handed on, what may be, what was read.
    bytes: Vec<u8>,
    read: usize,
    /// What had to be made anew, and is handed on from here.
    made: String,
    serving: Serving,
    at: usize,
    end: usize,
    has_ended: bool,
}

enum Decoding {
    Unknown,
    Utf8,
    Other(Box<Decoder>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Serving {
    Bytes,
    Made,
}

impl<R: Read> Utf8Text<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            source,
            decoding: Decoding::Unknown,
            bytes: vec![0; CHUNK_BYTES],
            read: 0,
            made: String::new(),
            serving: Serving::Bytes,
            at: 0,
            end: 0,
            has_ended: false,
        }
    }

    /// Reads more behind what was read.
    fn read_some(&mut self) -> io::Result<()> {
        loop {
            match self.source.read(&mut self.bytes[self.read..]) {
                Ok(0) => self.has_ended = true,
                Ok(read) => self.read += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            return Ok(());
        }
    }

    /// Looks at the beginning for what the encoding is.
    fn begin(&mut self) -> io::Result<()> {
        while !self.has_ended && self.read < DECLARATION_BYTES && !declaration_ends(&self.bytes[..self.read])
        {
            self.read_some()?;
        }
        let start = &self.bytes[..self.read];
        let (encoding, mark_bytes) = match Encoding::for_bom(start) {
            Some(found) => found,
            None => (declared(start)?, 0),
        };
        self.bytes.copy_within(mark_bytes..self.read, 0);
        self.read -= mark_bytes;
        self.decoding = if encoding == UTF_8 {
            Decoding::Utf8
        } else {
            Decoding::Other(Box::new(encoding.new_decoder_without_bom_handling()))
        };
        self.prepare();
        Ok(())
    }

    /// Makes what was read ready to be handed on.
    fn prepare(&mut self) {
        self.at = 0;
        let bytes = &self.bytes[..self.read];
        match &mut self.decoding {
            Decoding::Other(decoder) => {
                decode(decoder, bytes, &mut self.made, self.has_ended);
                (self.serving, self.end, self.read) = (Serving::Made, self.made.len(), 0);
            }
            _ => match std::str::from_utf8(bytes) {
                Ok(_) => (self.serving, self.end) = (Serving::Bytes, self.read),
                // The last character is not there in whole yet.
                Err(error) if error.error_len().is_none() && !self.has_ended => {
                    (self.serving, self.end) = (Serving::Bytes, error.valid_up_to());
                }
                Err(_) => {
                    let held_back = mend(bytes, &mut self.made, self.has_ended);
                    let from = self.read - held_back;
                    self.bytes.copy_within(from..self.read, 0);
                    (self.serving, self.end, self.read) = (Serving::Made, self.made.len(), held_back);
                }
            },
        }
    }
}

impl<R: Read> BufRead for Utf8Text<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if matches!(self.decoding, Decoding::Unknown) {
            self.begin()?;
        }
        while self.at == self.end && !self.has_ended {
            if self.serving == Serving::Bytes {
                // The beginning of a character may be left.
                self.bytes.copy_within(self.end..self.read, 0);
                self.read -= self.end;
            }
            self.read_some()?;
            self.prepare();
        }
        Ok(match self.serving {
            Serving::Bytes => &self.bytes[self.at..self.end],
            Serving::Made => &self.made.as_bytes()[self.at..self.end],
        })
    }

    fn consume(&mut self, bytes: usize) {
        self.at = self.end.min(self.at + bytes);
    }
}

impl<R: Read> Read for Utf8Text<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let bytes = available.len().min(to.len());
        to[..bytes].copy_from_slice(&available[..bytes]);
        self.consume(bytes);
        Ok(bytes)
    }
}

/// UTF-8 with [`NOT_TEXT`] where it is none; how many bytes at the end are held back, since they may begin a character.
fn mend(bytes: &[u8], made: &mut String, is_last: bool) -> usize {
    made.clear();
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(text) => {
                made.push_str(text);
                return 0;
            }
            Err(error) => {
                let (text, other) = rest.split_at(error.valid_up_to());
                made.push_str(std::str::from_utf8(text).unwrap_or_default());
                if error.error_len().is_none() && !is_last {
                    return other.len();
                }
                made.push(NOT_TEXT);
                rest = &other[error.error_len().unwrap_or(other.len())..];
            }
        }
    }
}

/// Another encoding, decoded whole.
fn decode(decoder: &mut Decoder, bytes: &[u8], made: &mut String, is_last: bool) {
    made.clear();
    let mut rest = bytes;
    loop {
        // The most that can come of it; where even the number is too large, the loop goes on as it fills.
        made.reserve(decoder.max_utf8_buffer_length_without_replacement(rest.len()).unwrap_or(CHUNK_BYTES));
        let (result, read) = decoder.decode_to_string_without_replacement(rest, made, is_last);
        rest = &rest[read..];
        match result {
            DecoderResult::InputEmpty => return,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => {
                made.reserve(NOT_TEXT.len_utf8());
                made.push(NOT_TEXT);
            }
        }
    }
}

fn declaration_ends(start: &[u8]) -> bool {
    start.windows(2).any(|pair| pair == b"?>") || !may_declare(start)
}

/// Whether this can be the beginning of an XML declaration, or of white space before one.
fn may_declare(start: &[u8]) -> bool {
    let start = start.trim_ascii_start();
    let known = start.len().min(DECLARATION.len());
    start[..known] == DECLARATION[..known]
        || start.contains(&0)
        || start.starts_with(&[0xEF])
        || start.starts_with(&[0xFE])
        || start.starts_with(&[0xFF])
}

const DECLARATION: &[u8] = b"<?xml";

/// The encoding that an XML declaration names; UTF-8 where there is none.
fn declared(start: &[u8]) -> io::Result<&'static Encoding> {
    match start {
        [b'<', 0, ..] => return Ok(UTF_16LE),
        [0, b'<', ..] => return Ok(UTF_16BE),
        _ => {}
    }
    let Some(declaration) = start.trim_ascii_start().strip_prefix(DECLARATION) else { return Ok(UTF_8) };
    let end = declaration.windows(2).position(|pair| pair == b"?>");
    let Some(label) = end.and_then(|end| encoding_label(&declaration[..end])) else { return Ok(UTF_8) };
    match Encoding::for_label_no_replacement(label) {
        // It could be read as ASCII so far, so it is not that.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok(UTF_8),
        Some(encoding) => Ok(encoding),
        None => {
            let label: String = String::from_utf8_lossy(label).chars().take(60).collect();
            Err(FeedFault::io(format!("it is in an encoding that is not known: {label}")))
        }
    }
}

/// What stands in quotes behind `encoding =`.
fn encoding_label(declaration: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"encoding";
    let at = declaration.windows(NAME.len()).position(|part| part == NAME)?;
    let value = declaration[at + NAME.len()..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first().filter(|(quote, _)| matches!(quote, b'"' | b'\''))?;
    value.split(|b| b == quote).next()
}
