//! Files of lines, read in bounded memory.

use std::io::{self, BufRead, Read};

/// No line may be longer: an event's body is at most this.
const MAX_LINE_BYTES: usize = 1024 * 1024;

/// A line, or that it is too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Its bytes, without its end.
    Whole(Vec<u8>),
    /// It was passed over.
    TooLong,
}

/// The next line; nothing at the end.
pub(super) fn next(reader: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let bound = MAX_LINE_BYTES as u64 + 1;
    if reader.by_ref().take(bound).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > MAX_LINE_BYTES {
        skip_line(reader)?;
        return Ok(Some(Line::TooLong));
    }
    Ok(Some(Line::Whole(line)))
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(buffer.len(), |end| end + 1);
        reader.consume(taken);
        if end.is_some() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Vec<Line> {
        let mut reader = io::BufReader::with_capacity(7, text);
        std::iter::from_fn(|| next(&mut reader).unwrap()).collect()
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    #[test]
    fn lines_come_one_by_one_and_the_last_needs_no_end() {
        assert_eq!(all(b"a\n\nbc"), [whole("a"), whole(""), whole("bc")]);
        assert_eq!(all(b""), []);
    }

    #[test]
    fn a_line_of_the_bound_is_whole_and_a_longer_one_is_passed_over() {
        let line = "x".repeat(MAX_LINE_BYTES);
        assert_eq!(all(format!("{line}\nb").as_bytes()), [whole(&line), whole("b")]);
        assert_eq!(all(format!("{line}y\nb").as_bytes()), [Line::TooLong, whole("b")]);
        assert_eq!(all(format!("a\n{line}{line}").as_bytes()), [whole("a"), Line::TooLong]);
    }
}
