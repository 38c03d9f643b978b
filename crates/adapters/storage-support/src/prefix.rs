//! Texts that begin alike, as a range of texts.

/// The lowest text that is higher, byte by byte, than every text that begins with `prefix`; nothing
/// where there is none.
///
/// UTF-8 orders texts as their code points do, so the last character that has a successor gets it, and
/// what stands behind goes.
#[must_use]
pub fn end_of_prefix(prefix: &str) -> Option<String> {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        // The range of characters leaps over the surrogates, which are none.
        if let Some(next) = (last..=char::MAX).nth(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_character_that_has_a_successor_gets_it() {
        let end = |prefix: &str| end_of_prefix(prefix).unwrap();
        assert_eq!(end("a"), "b");
        assert_eq!(end("a\u{7f}"), "a\u{80}");
        assert_eq!(end("é"), "ê");
        assert_eq!(end("\u{d7ff}"), "\u{e000}");
        assert_eq!(end("a\u{10ffff}\u{10ffff}"), "b");
        assert_eq!(end("\u{ffff}"), "\u{10000}");
    }

    #[test]
    fn what_has_no_end_is_told() {
        assert_eq!(end_of_prefix(""), None);
        assert_eq!(end_of_prefix("\u{10ffff}\u{10ffff}"), None);
    }

    /// Texts with many of the characters at the edges of UTF-8's lengths.
    fn text() -> impl Strategy<Value = String> {
        let edges = "ab\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}";
        let edges = proptest::sample::select(edges.chars().collect::<Vec<_>>());
        proptest::collection::vec(prop_oneof![3 => edges, 1 => any::<char>()], 0..5)
            .prop_map(|characters| characters.into_iter().collect())
    }

    proptest! {
        #[test]
        fn a_text_begins_so_exactly_if_it_lies_in_the_range(prefix in text(), other in text(), tail in text()) {
            for text in [other, format!("{prefix}{tail}")] {
                let below_end = end_of_prefix(&prefix).is_none_or(|end| text.as_bytes() < end.as_bytes());
                let in_range = text.as_bytes() >= prefix.as_bytes() && below_end;
                prop_assert_eq!(in_range, text.starts_with(&prefix));
            }
        }
    }
}
