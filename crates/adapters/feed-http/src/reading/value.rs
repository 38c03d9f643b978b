//! The value of an attribute: from its text in the feed to what it means.

/// Stands for bytes that are no text in the feed's encoding. XML allows it nowhere (XML 1.0, section 2.2), so a value
/// that holds it is refused, and the record with it, but not the feed.
pub(crate) const NOT_TEXT: char = '\u{FFFE}';

/// Why the value of an attribute cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ValueFault {
    #[error("holds bytes that are no text in the encoding of the feed")]
    NotText,
    #[error("holds the character U+{0:04X}, which XML does not allow")]
    Character(u32),
    #[error("holds an & that begins no reference")]
    Ampersand,
    #[error("holds the reference &{0};, which XML does not have by itself")]
    Reference(String),
}

/// What the text of an attribute's value means: references are replaced, and white space is made spaces (XML 1.0,
/// section 3.3.3). Most texts mean themselves, and are not brought here
/// ([`is_plain`](super::attribute_scan::RawAttribute)).
pub(crate) fn decode(raw: &str) -> Result<String, ValueFault> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        match character {
            '&' => {
                let end = rest.bytes().take(MAX_REFERENCE_BYTES).position(|b| b == b';');
                let name = &rest[..end.ok_or(ValueFault::Ampersand)?];
                text.push(referred(name)?);
                rest = &rest[name.len() + 1..];
            }
            // A line's end of two characters counts as one (XML 1.0, section 2.11).
            '\r' if rest.starts_with('\n') => {}
            '\t' | '\n' | '\r' => text.push(' '),
            NOT_TEXT => return Err(ValueFault::NotText),
            other => text.push(allowed(u32::from(other))?),
        }
    }
    Ok(text)
}

/// The longest name of a reference that is looked at, with its semicolon.
const MAX_REFERENCE_BYTES: usize = 16;

fn referred(name: &str) -> Result<char, ValueFault> {
    let unknown = || ValueFault::Reference(name.to_owned());
    let digits = |digits: &str, radix: u32| {
        let are_digits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
        let code = are_digits.then(|| u32::from_str_radix(digits, radix).ok()).flatten();
        allowed(code.ok_or_else(unknown)?)
    };
    match name {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => match name.strip_prefix('#') {
            None if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '&') => {
                Err(ValueFault::Ampersand)
            }
            None => Err(unknown()),
            Some(number) => match number.strip_prefix('x') {
                Some(number) => digits(number, 16),
                None => digits(number, 10),
            },
        },
    }
}

/// The character of that code, if XML allows it (XML 1.0, section 2.2).
fn allowed(code: u32) -> Result<char, ValueFault> {
    let character = char::from_u32(code).ok_or(ValueFault::Character(code))?;
    match character {
        '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'.. => Ok(character),
        _ => Err(ValueFault::Character(code)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn references_and_white_space_are_what_they_mean() {
        for (raw, text) in [
            ("", ""),
            ("Pista", "Pista"),
            ("Rock &amp; Roll", "Rock & Roll"),
            ("&lt;&gt;&quot;&apos;&amp;amp;", "<>\"'&amp;"),
            ("&#241;&#xF1;&#xf1;&#x1F3B5;", "ñññ🎵"),
            ("a\tb\nc\r\nd\re", "a b c d e"),
            ("a&#9;b&#10;c", "a\tb\nc"),
            ("niño ｆ \u{FFFD}", "niño ｆ \u{FFFD}"),
        ] {
            assert_eq!(decode(raw).as_deref(), Ok(text), "{raw}");
        }
    }

    #[test]
    fn what_is_no_text_of_xml_is_refused() {
        for raw in
            ["&", "a & b", "R&B", "&;", "& ;", "&a&amp;", "&#x1234567890123456;", "&averyveryverylongname;"]
        {
            assert_eq!(decode(raw), Err(ValueFault::Ampersand), "{raw}");
        }
        for name in ["nbsp", "lol9", "AMP", "#", "#x", "#xG", "#12a", "#-1", "#+1", "#99999999999"] {
            let found = decode(&format!("a&{name};"));
            assert_eq!(found, Err(ValueFault::Reference(name.to_owned())), "{name}");
        }
        for raw in ["&#0;", "&#x1F;", "&#xD800;", "&#xFFFE;", "&#x110000;", "\u{1}", "\u{0}", "\u{FFFF}"] {
            assert!(matches!(decode(raw), Err(ValueFault::Character(_))), "{raw:?}");
        }
        assert_eq!(decode("a\u{FFFE}"), Err(ValueFault::NotText));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_grows_by_no_byte(raw in any::<String>()) {
            if let Ok(text) = decode(&raw) {
                prop_assert!(text.len() <= raw.len());
            }
        }
    }
}
