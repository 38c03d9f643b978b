//! Finds the attributes in a tag, byte by byte.
//!
//! quick-xml can do this too. But a feed is little else, and this takes less time, since it also finds out on the way
//! whether a value means itself.

/// One attribute, as it stands in its tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawAttribute<'a> {
    pub(crate) name: &'a str,
    /// Between its quotes.
    pub(crate) value: &'a str,
    /// Whether the value means itself: no reference, no white space but spaces, nothing that XML does not allow.
    pub(crate) is_plain: bool,
}

/// Why a tag is no XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScanError {
    #[error("an attribute has no value")]
    NoValue,
    #[error("an attribute has no name")]
    NoName,
    #[error("the value of an attribute does not stand in quotes")]
    NoQuote,
    #[error("the value of an attribute does not end")]
    Open,
}

/// Goes through what stands behind the name of a tag. After an error there is nothing more.
pub(crate) struct AttributeScan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> AttributeScan<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// How many of the bytes from here on are so.
    fn count_while(&self, is_so: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        rest.iter().position(|b| !is_so(*b)).unwrap_or(rest.len())
    }

    /// Takes the byte here, if it is so.
    fn take_if(&mut self, is_so: impl Fn(u8) -> bool) -> Option<u8> {
        let byte = self.text.as_bytes().get(self.at).copied().filter(|b| is_so(*b))?;
        self.at += 1;
        Some(byte)
    }

    fn skip_white_space(&mut self) {
        self.at += self.count_while(is_white_space);
    }

    fn scan(&mut self) -> Result<RawAttribute<'a>, ScanError> {
        let name = self.at..self.at + self.count_while(|b| b != b'=' && !is_white_space(b));
        self.at = name.end;
        self.skip_white_space();
        if self.take_if(|b| b == b'=').is_none() {
            return Err(ScanError::NoValue);
        }
        if name.is_empty() {
            return Err(ScanError::NoName);
        }
        self.skip_white_space();
        let quote = self.take_if(|b| matches!(b, b'"' | b'\'')).ok_or(ScanError::NoQuote)?;
        let value = self.at..self.at + self.count_while(|b| b != quote);
        self.at = value.end;
        self.take_if(|b| b == quote).ok_or(ScanError::Open)?;
        let (name, value) = (&self.text[name], &self.text[value]);
        // No early end, so that it is done for many bytes at once.
        let is_plain = value.bytes().fold(true, |is_plain, b| is_plain & is_plain_byte(b));
        Ok(RawAttribute { name, value, is_plain })
    }
}

impl<'a> Iterator for AttributeScan<'a> {
    type Item = Result<RawAttribute<'a>, ScanError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_white_space();
        if self.at == self.text.len() {
            return None;
        }
        let scanned = self.scan();
        if scanned.is_err() {
            self.at = self.text.len();
        }
        Some(scanned)
    }
}

/// White space of XML (XML 1.0, section 2.3).
fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Whether a byte means itself in a value. EF begins, among others, the two characters of three bytes that XML forbids.
fn is_plain_byte(byte: u8) -> bool {
    (byte >= 0x20) & (byte != b'&') & (byte != 0xEF)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quick_xml::events::BytesStart;

    use super::*;

    fn found(text: &str) -> Result<Vec<(&str, &str, bool)>, ScanError> {
        AttributeScan::new(text).map(|found| found.map(|one| (one.name, one.value, one.is_plain))).collect()
    }

    #[test]
    fn attributes_are_found_however_they_are_spaced_and_quoted() {
        assert_eq!(found(" \t\r\n"), Ok(vec![]));
        assert_eq!(found(" a=\"1\" b = '\"' \n"), Ok(vec![("a", "1", true), ("b", "\"", true)]));
        assert_eq!(found("a=\"x=y>z\"b=''"), Ok(vec![("a", "x=y>z", true), ("b", "", true)]));
        assert_eq!(found(" ñ=\"ñ ｆ\""), Ok(vec![("ñ", "ñ ｆ", false)]));
        assert_eq!(found(" a=\"&amp;\" b=\"\t\""), Ok(vec![("a", "&amp;", false), ("b", "\t", false)]));
    }

    #[test]
    fn what_is_no_attribute_is_told() {
        for (text, error) in [
            (" a", ScanError::NoValue),
            (" a b=\"1\"", ScanError::NoValue),
            (" =\"1\"", ScanError::NoName),
            (" a=", ScanError::NoQuote),
            (" a=1", ScanError::NoQuote),
            (" a=\"1", ScanError::Open),
            (" a=\"1'", ScanError::Open),
        ] {
            assert_eq!(found(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_finds_what_quick_xml_finds(text in "([ \t\n]{0,2}[a-c]{1,3}[ ]?=[ ]?(\"[a-z&=' ñ]{0,4}\"|'[a-z\"> ]{0,4}'))*[ ab=]{0,2}") {
            let tag = BytesStart::from_content(format!("t {text}"), 1);
            let theirs: Result<Vec<_>, _> = tag
                .attributes()
                .with_checks(false)
                .map(|one| one.map(|one| (one.key.0.to_owned(), one.value.into_owned())))
                .collect();
            let ours = found(&text).map(|all| {
                all.into_iter().map(|(name, value, _)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>()
            });
            prop_assert_eq!(ours.ok(), theirs.ok());
        }

        #[test]
        fn any_text_comes_to_an_end(text in any::<String>()) {
            let count = AttributeScan::new(&text).count();
            prop_assert!(count <= text.len());
        }
    }
}
