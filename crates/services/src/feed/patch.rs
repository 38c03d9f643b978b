//! A JSON merge patch (RFC 7396) of a feed's settings.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use tenantry_domain::{FeedSettings, Violation, Violations};

/// So many unknown members are told; who sent more will not read on.
const MAX_UNKNOWN_TOLD: usize = 16;

/// What the feed is to be once `patch`, which is JSON text, was applied to it. A member that is null has its default
/// again.
///
/// # Errors
/// Every rule that the outcome breaks, and every member that a feed does not have.
pub(super) fn apply(current: &FeedSettings, patch: &str) -> Result<FeedSettings, Violations> {
    let no_object = || Violations::one(Violation::new("", "object", "must be a JSON object"));
    let mut members: BTreeMap<String, &RawValue> = serde_json::from_str(patch).map_err(|_| no_object())?;
    let mut draft = current.to_draft();
    let mut violations = Vec::new();
    for (name, type_name, read) in [
        ("name", "a string", into(&mut draft.name)),
        ("url", "a string", into(&mut draft.url)),
        ("interval_seconds", "a whole number", into(&mut draft.interval_seconds)),
        ("time_zone", "a string", into(&mut draft.time_zone)),
        ("enabled", "true or false", into(&mut draft.enabled)),
    ] {
        if let Some(value) = members.remove(name)
            && !read(value.get())
        {
            violations.push(Violation::new(format!("/{name}"), "type", format!("must be {type_name}")));
        }
    }
    violations.extend(members.keys().take(MAX_UNKNOWN_TOLD).map(|member| {
        let pointer = format!("/{}", member.replace('~', "~0").replace('/', "~1"));
        Violation::new(pointer, "unknown_field", "is not a member of a feed that can be changed")
    }));
    match (FeedSettings::parse(draft), violations.is_empty()) {
        (Ok(wanted), true) => Ok(wanted),
        (parsed, _) => {
            violations.extend(parsed.err().into_iter().flat_map(Violations::into_vec));
            Err(Violations::from_list(violations).unwrap_or_else(no_object))
        }
    }
}

/// Reads JSON text into the field, and says whether it could. What cannot be read leaves the field as it stands, so
/// that nothing else is said of it.
fn into<'a, T>(field: &'a mut Option<T>) -> Box<dyn FnOnce(&str) -> bool + 'a>
where
    T: serde::de::DeserializeOwned,
{
    Box::new(|text| serde_json::from_str(text).map(|value| *field = value).is_ok())
}

#[cfg(test)]
mod tests {
    use tenantry_domain::TimeZone;

    use super::*;
    use crate::samples::feed_settings;

    fn refused(patch: &str) -> Vec<(String, String)> {
        let violations = apply(&feed_settings(), patch).unwrap_err().into_vec();
        violations.into_iter().map(|fault| (fault.pointer, fault.code.into_owned())).collect()
    }

    fn faults<const N: usize>(faults: [(&str, &str); N]) -> Vec<(String, String)> {
        faults.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())).into()
    }

    #[test]
    fn what_a_patch_does_not_name_stays() {
        assert_eq!(apply(&feed_settings(), "{}"), Ok(feed_settings()));
        let paused = apply(&feed_settings(), r#" {"enabled": false, "interval_seconds": 60} "#).unwrap();
        assert_eq!(paused, FeedSettings { enabled: false, interval_seconds: 60, ..feed_settings() });
    }

    #[test]
    fn what_is_patched_away_has_its_default_again() {
        let patch = r#"{"enabled":null,"interval_seconds":null,"time_zone":null}"#;
        let settings = FeedSettings {
            enabled: false,
            interval_seconds: 60,
            time_zone: TimeZone::parse("Europe/Madrid").unwrap(),
            ..feed_settings()
        };
        let expected = FeedSettings {
            enabled: true,
            interval_seconds: 3600,
            time_zone: TimeZone::UTC,
            ..feed_settings()
        };
        assert_eq!(apply(&settings, patch), Ok(expected));
    }

    #[test]
    fn every_fault_is_told_at_once_where_it_stands() {
        assert_eq!(
            refused(
                r#"{"name":null,"url":7,"interval_seconds":1.5,"enabled":"yes","time_zone":"Mars","a/b":1}"#
            ),
            faults([
                ("/a~1b", "unknown_field"),
                ("/enabled", "type"),
                ("/interval_seconds", "type"),
                ("/name", "required"),
                ("/time_zone", "time_zone"),
                ("/url", "type"),
            ])
        );
    }

    #[test]
    fn a_patch_that_is_no_object_is_refused() {
        for patch in ["null", "[]", "1", "", "{"] {
            assert_eq!(refused(patch), faults([("", "object")]), "{patch}");
        }
    }

    #[test]
    fn no_more_than_sixteen_unknown_members_are_told() {
        let members: Vec<_> = (0..1000).map(|at| format!(r#""x{at}":1"#)).collect();
        assert_eq!(refused(&format!("{{{}}}", members.join(","))).len(), 16);
    }
}
