//! Rules for JSON text that a parser does not hold: how deep it nests, and no text that some engine
//! cannot store.

/// Why JSON text is refused although it is JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonTextError {
    /// More arrays and objects inside one another than allowed.
    #[error("is nested deeper than {limit} levels")]
    TooDeep {
        /// The most levels allowed.
        limit: usize,
    },
    /// `\u0000`, which PostgreSQL cannot store.
    #[error("must not contain the character U+0000")]
    Nul,
    /// Half of a surrogate pair (`\ud800` to `\udfff` alone), which is no character.
    #[error("contains half of a surrogate pair, which is no character")]
    LoneSurrogate,
}

/// Checks text that is known to be JSON, in one pass and without memory.
///
/// `max_depth` counts arrays and objects inside one another; a plain value has depth 0.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_json_text(json: &str, max_depth: usize) -> Result<(), JsonTextError> {
    let bytes = json.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > max_depth {
                    return Err(JsonTextError::TooDeep { limit: max_depth });
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => at = skip_string(bytes, at + 1)?,
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// Returns the place of the quotation mark that ends the string whose text starts at `at`.
fn skip_string(bytes: &[u8], mut at: usize) -> Result<usize, JsonTextError> {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return Ok(at),
            b'\\' if bytes.get(at + 1) == Some(&b'u') => {
                let unit = code_unit(bytes, at);
                at += 6;
                match unit {
                    Some(0) => return Err(JsonTextError::Nul),
                    Some(0xD800..=0xDBFF) => {
                        let low = if bytes.get(at) == Some(&b'\\') { code_unit(bytes, at) } else { None };
                        if !matches!(low, Some(0xDC00..=0xDFFF)) {
                            return Err(JsonTextError::LoneSurrogate);
                        }
                        at += 6;
                    }
                    Some(0xDC00..=0xDFFF) => return Err(JsonTextError::LoneSurrogate),
                    _ => {}
                }
            }
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    Ok(at)
}

/// The UTF-16 code unit of the escape `\uXXXX` at `at`.
fn code_unit(bytes: &[u8], at: usize) -> Option<u32> {
    if bytes.get(at + 1) != Some(&b'u') {
        return None;
    }
    let digits = bytes.get(at + 2..at + 6)?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nul_is_found_however_it_is_written_and_only_where_it_is() {
        assert_eq!(check_json_text(r#"{"a":"\u0000"}"#, 8), Err(JsonTextError::Nul));
        assert_eq!(check_json_text(r#"{"\u0000":1}"#, 8), Err(JsonTextError::Nul));
        assert_eq!(check_json_text(r#"{"a":"\\\u0000"}"#, 8), Err(JsonTextError::Nul));
        assert_eq!(check_json_text(r#"{"a":"\\u0000"}"#, 8), Ok(()));
        assert_eq!(check_json_text(r#"{"a":"\u0001\"\u00e9"}"#, 8), Ok(()));
    }

    #[test]
    fn half_a_surrogate_pair_is_refused() {
        for text in [r#""\ud800""#, r#""\udc00""#, r#""\ud83d\u0041""#, r#""\ud83dx""#, r#""\ud83d\n""#] {
            assert_eq!(check_json_text(text, 8), Err(JsonTextError::LoneSurrogate), "{text}");
        }
        assert_eq!(check_json_text(r#""\ud83d\ude00""#, 8), Ok(()));
    }

    #[test]
    fn depth_counts_arrays_and_objects_but_not_brackets_in_strings() {
        assert_eq!(check_json_text(r#"{"a":[{}]}"#, 3), Ok(()));
        assert_eq!(check_json_text(r#"{"a":[{}]}"#, 2), Err(JsonTextError::TooDeep { limit: 2 }));
        assert_eq!(check_json_text(r#"["[[[[[{{{","\"[[["]"#, 1), Ok(()));
        assert_eq!(check_json_text("[[],[],[]]", 2), Ok(()));
    }

    proptest! {
        #[test]
        fn any_text_that_serde_writes_passes_unless_it_holds_nul(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let expected = if text.contains('\0') { Err(JsonTextError::Nul) } else { Ok(()) };
            prop_assert_eq!(check_json_text(&json, 0), expected);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = check_json_text(&text, 4);
        }
    }
}
