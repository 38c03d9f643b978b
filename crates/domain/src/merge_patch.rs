//! JSON merge patch (RFC 7396) that leaves what it does not touch to the letter.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

type Members<'a> = BTreeMap<std::borrow::Cow<'a, str>, &'a RawValue>;

/// Applies `patch` to `target`, both JSON text, and returns the outcome as JSON text.
///
/// A member whose patch is null leaves; an object is merged; anything else replaces. Members that stay
/// keep their text, numbers of any size included. In a merged object they come first, then those that the
/// patch sets; of a name that occurs twice the last counts.
///
/// It calls itself once for each level of the patch: bound that before
/// ([`check_json_text`](crate::check_json_text)).
///
/// # Errors
/// When either text is not JSON.
pub fn merge_patch(target: &str, patch: &str) -> Result<String, serde_json::Error> {
    let mut out = String::with_capacity(target.len() + patch.len());
    merge(Some(target), patch, &mut out)?;
    Ok(out)
}

fn merge(target: Option<&str>, patch: &str, out: &mut String) -> Result<(), serde_json::Error> {
    let patch = patch.trim();
    if !patch.starts_with('{') {
        serde_json::from_str::<&RawValue>(patch)?;
        out.push_str(patch);
        return Ok(());
    }
    let patch: Members<'_> = serde_json::from_str(patch)?;
    let target: Members<'_> = match target.map(str::trim).filter(|target| target.starts_with('{')) {
        Some(target) => serde_json::from_str(target)?,
        None => BTreeMap::new(),
    };
    out.push('{');
    let mut first = true;
    let mut name = |name: &str, out: &mut String| -> Result<(), serde_json::Error> {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        out.push_str(&serde_json::to_string(name)?);
        out.push(':');
        Ok(())
    };
    for (member, value) in &target {
        if !patch.contains_key(member) {
            name(member, out)?;
            out.push_str(value.get());
        }
    }
    for (member, value) in &patch {
        if value.get() != "null" {
            name(member, out)?;
            merge(target.get(member).map(|value| value.get()), value.get(), out)?;
        }
    }
    out.push('}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// The test cases of RFC 7396, appendix A.
    #[test]
    fn the_cases_of_the_rfc_hold() {
        for (target, patch, expected) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            let merged: Value = serde_json::from_str(&merge_patch(target, patch).unwrap()).unwrap();
            assert_eq!(merged, serde_json::from_str::<Value>(expected).unwrap(), "{target} {patch}");
        }
    }

    #[test]
    fn what_is_not_touched_keeps_every_digit() {
        let merged = merge_patch(r#"{"n":12345678901234567890.10}"#, r#"{"a":{"x":1e2}}"#).unwrap();
        assert_eq!(merged, r#"{"n":12345678901234567890.10,"a":{"x":1e2}}"#);
    }
}
