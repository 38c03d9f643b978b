//! The rows of `COPY … FROM stdin`, in PostgreSQL's text format: fields between tabs, `\N` for NULL, and escapes by a
//! backslash (PostgreSQL's documentation of COPY, "Text Format").

use std::ops::Range;

use crate::value::Value;

/// A row's fields, in a buffer that the next row takes over.
#[derive(Default)]
pub(super) struct Fields {
    bytes: Vec<u8>,
    fields: Vec<Option<Range<usize>>>,
}

impl Fields {
    /// Takes a line apart.
    pub(super) fn read(&mut self, line: &[u8]) {
        self.bytes.clear();
        self.fields.clear();
        for field in line.split(|byte| *byte == b'\t') {
            if field == b"\\N" {
                self.fields.push(None);
                continue;
            }
            let start = self.bytes.len();
            unescape(field, &mut self.bytes);
            self.fields.push(Some(start..self.bytes.len()));
        }
    }

    /// The fields as values.
    pub(super) fn values(&self) -> Vec<Value<'_>> {
        let value = |field: &Option<Range<usize>>| match field {
            None => Value::Null,
            Some(range) => Value::of_bytes(&self.bytes[range.clone()]),
        };
        self.fields.iter().map(value).collect()
    }
}

fn unescape(field: &[u8], into: &mut Vec<u8>) {
    let mut rest = field;
    while let Some(place) = rest.iter().position(|byte| *byte == b'\\') {
        into.extend_from_slice(&rest[..place]);
        rest = &rest[place + 1..];
        let Some((&escaped, behind)) = rest.split_first() else { return };
        rest = behind;
        let byte = match escaped {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0b,
            b'0'..=b'7' => {
                let (value, digits) = number(&[&[escaped], rest].concat()[..], 8, 3);
                rest = &rest[digits - 1..];
                value
            }
            b'x' => match number(rest, 16, 2) {
                (_, 0) => b'x',
                (value, digits) => {
                    rest = &rest[digits..];
                    value
                }
            },
            other => other,
        };
        into.push(byte);
    }
    into.extend_from_slice(rest);
}

/// The number at the start of `text`, of at most so many digits, and how many it has. Of its bits the lower eight count.
fn number(text: &[u8], base: u32, most: usize) -> (u8, usize) {
    let digits = text.iter().take(most).map_while(|byte| char::from(*byte).to_digit(base));
    let (value, count) = digits.fold((0_u32, 0), |(value, count), digit| (value * base + digit, count + 1));
    ((value & 0xff) as u8, count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(line: &[u8]) -> Vec<Option<Vec<u8>>> {
        let mut fields = Fields::default();
        fields.read(line);
        let bytes = |value: Value<'_>| match value {
            Value::Null | Value::TooLong => None,
            Value::Text(text) => Some(text.as_bytes().to_vec()),
            Value::Bytes(bytes) => Some(bytes.into_owned()),
        };
        fields.values().into_iter().map(bytes).collect()
    }

    #[test]
    fn every_escape_is_resolved() {
        for (written, meant) in [
            (&b"plain"[..], &b"plain"[..]),
            (b"", b""),
            (br"a\tb\nc\rd\be\ff\vg", b"a\tb\nc\rd\x08e\x0cf\x0bg"),
            (br"back\\slash\\n", br"back\slash\n"),
            (br"\101\60\7", b"A0\x07"),
            (br"\x41\x4\xzz", b"A\x04xzz"),
            (br"\.", b"."),
            (b"\\", b""),
            ("é🦀".as_bytes(), "é🦀".as_bytes()),
        ] {
            assert_eq!(fields(written), [Some(meant.to_vec())], "{}", String::from_utf8_lossy(written));
        }
    }

    #[test]
    fn only_a_whole_field_is_null() {
        assert_eq!(
            fields(b"\\N\t\\\\N\tx\\N\t"),
            [None, Some(b"\\N".to_vec()), Some(b"xN".to_vec()), Some(vec![])]
        );
    }

    proptest! {
        /// What PostgreSQL writes (CopyAttributeOutText) comes back.
        #[test]
        fn what_is_escaped_comes_back(values in proptest::collection::vec(proptest::option::of(".*"), 1..5)) {
            let escape = |text: &String| {
                let mut written = String::new();
                for c in text.chars() {
                    match c {
                        '\\' => written.push_str("\\\\"),
                        '\n' => written.push_str("\\n"),
                        '\r' => written.push_str("\\r"),
                        '\t' => written.push_str("\\t"),
                        '\u{8}' => written.push_str("\\b"),
                        '\u{b}' => written.push_str("\\v"),
                        '\u{c}' => written.push_str("\\f"),
                        c => written.push(c),
                    }
                }
                written
            };
            let line: Vec<_> =
                values.iter().map(|value| value.as_ref().map_or_else(|| "\\N".to_owned(), escape)).collect();
            let expected: Vec<_> = values.into_iter().map(|value| value.map(String::into_bytes)).collect();
            prop_assert_eq!(fields(line.join("\t").as_bytes()), expected);
        }

        #[test]
        fn no_line_breaks_it(line in proptest::collection::vec(any::<u8>(), 0..100)) {
            fields(&line);
        }
    }
}
