//! A JSON merge patch (RFC 7396) of what of a tenant may be changed.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use tenantry_domain::{
    JsonObject, NewTenant, Tenant, TenantDraft, Violation, Violations, check_json_text, merge_patch,
};

/// So many unknown members are told; who sent more will not read on.
const MAX_UNKNOWN_TOLD: usize = 16;

/// What the tenant is to be once `patch`, which is JSON text, was applied to it.
///
/// # Errors
/// Every rule that the outcome breaks, and every member that a tenant does not have.
pub(super) fn apply(current: &Tenant, patch: &str) -> Result<NewTenant, Violations> {
    let no_object = || Violations::one(Violation::new("", "object", "must be a JSON object"));
    let mut members: BTreeMap<String, &RawValue> = serde_json::from_str(patch).map_err(|_| no_object())?;

    let mut violations = Vec::new();
    let name = match members.remove("name").map(RawValue::get) {
        None => Some(current.name.as_str().to_owned()),
        Some("null") => None,
        Some(text) => serde_json::from_str(text).unwrap_or_else(|_| {
            violations.push(Violation::new("/name", "type", "must be a string"));
            // Stands in for what cannot be read, so that nothing else is said of the name.
            Some(current.name.as_str().to_owned())
        }),
    };
    let merged = members
        .remove("tenant_info")
        .map_or_else(|| current.info.as_raw().to_owned(), |info| merged_info(&current.info, info));
    violations.extend(members.keys().take(MAX_UNKNOWN_TOLD).map(|member| {
        let pointer = format!("/{}", member.replace('~', "~0").replace('/', "~1"));
        Violation::new(pointer, "unknown_field", "is not a member of a tenant that can be changed")
    }));

    let parsed = NewTenant::parse(TenantDraft { name, tenant_info: Some(&merged) });
    match (parsed, violations.is_empty()) {
        (Ok(wanted), true) => Ok(wanted),
        (parsed, _) => {
            violations.extend(parsed.err().into_iter().flat_map(Violations::into_vec));
            Err(Violations::from_list(violations).unwrap_or_else(no_object))
        }
    }
}

/// The info with `patch` applied; what cannot be merged is handed on as it is, to be refused by the rules
/// of info with the reason that it has.
fn merged_info(info: &JsonObject, patch: &RawValue) -> Box<RawValue> {
    if patch.get() == "null" {
        return JsonObject::empty().as_raw().to_owned();
    }
    // Bounds the recursion of the merge; what is too deep to be stored need not be merged.
    if check_json_text(patch.get(), JsonObject::MAX_DEPTH).is_err() {
        return patch.to_owned();
    }
    let merged = merge_patch(info.as_str(), patch.get()).and_then(RawValue::from_string);
    merged.unwrap_or_else(|_| patch.to_owned())
}

#[cfg(test)]
mod tests {
    use tenantry_domain::TenantStatus;

    use super::*;
    use crate::samples::acme;

    /// The name and info that the patch makes of acme's.
    fn patched(patch: &str) -> (String, String) {
        let wanted = apply(&acme(TenantStatus::Active), patch).unwrap();
        (wanted.name.as_str().to_owned(), wanted.info.as_str().to_owned())
    }

    /// Pointer and code of each violation.
    fn refused(patch: &str) -> Vec<(String, String)> {
        let violations = apply(&acme(TenantStatus::Active), patch).unwrap_err().into_vec();
        violations.into_iter().map(|fault| (fault.pointer, fault.code.into_owned())).collect()
    }

    fn faults<const N: usize>(faults: [(&str, &str); N]) -> Vec<(String, String)> {
        faults.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())).into()
    }

    #[test]
    fn what_a_patch_does_not_name_stays() {
        for (patch, name, info) in [
            ("{}", "acme", r#"{"plan":"gold","seats":5}"#),
            (r#" { "name" : "new" } "#, "new", r#"{"plan":"gold","seats":5}"#),
            (r#"{"tenant_info":{}}"#, "acme", r#"{"plan":"gold","seats":5}"#),
            (r#"{"tenant_info":{"seats":6.50}}"#, "acme", r#"{"plan":"gold","seats":6.50}"#),
            (r#"{"tenant_info":{"seats":null,"a":{"b":null}}}"#, "acme", r#"{"plan":"gold","a":{}}"#),
        ] {
            assert_eq!(patched(patch), (name.to_owned(), info.to_owned()), "{patch}");
        }
    }

    #[test]
    fn info_that_is_patched_away_is_empty() {
        assert_eq!(patched(r#"{"tenant_info": null}"#), ("acme".to_owned(), "{}".to_owned()));
    }

    #[test]
    fn a_name_that_is_patched_away_is_missing() {
        assert_eq!(refused(r#"{"name": null}"#), faults([("/name", "required")]));
    }

    #[test]
    fn a_name_that_is_no_text_is_refused() {
        for name in ["1", "true", "[]", r#"{"a":"b"}"#] {
            assert_eq!(refused(&format!(r#"{{"name":{name}}}"#)), faults([("/name", "type")]), "{name}");
        }
    }

    #[test]
    fn info_that_is_no_object_is_refused() {
        for info in ["1", "true", "[]", r#""text""#] {
            let patch = format!(r#"{{"tenant_info":{info}}}"#);
            assert_eq!(refused(&patch), faults([("/tenant_info", "object")]), "{info}");
        }
    }

    #[test]
    fn a_member_that_a_tenant_does_not_have_is_refused_where_it_stands() {
        assert_eq!(
            refused(r#"{"status":"active","a/b~c":null}"#),
            faults([("/a~1b~0c", "unknown_field"), ("/status", "unknown_field")])
        );
    }

    #[test]
    fn every_fault_is_told_at_once() {
        assert_eq!(
            refused(r#"{"x":1,"name":"no spaces","tenant_info":[]}"#),
            faults([("/name", "pattern"), ("/tenant_info", "object"), ("/x", "unknown_field")])
        );
    }

    #[test]
    fn a_patch_that_is_no_object_is_refused() {
        for patch in ["null", "[]", "1", r#""{}""#, "", "{"] {
            assert_eq!(refused(patch), faults([("", "object")]), "{patch}");
        }
    }

    #[test]
    fn what_cannot_be_stored_is_refused_before_it_is_merged() {
        // Each level of a merge is a level of the call stack: this many would end the process.
        let deep = format!("{}{}", r#"{"a":"#.repeat(200_000), "1".to_owned() + &"}".repeat(200_000));
        for (info, code) in [
            (format!("{}{}", r#"{"a":"#.repeat(33), "1".to_owned() + &"}".repeat(33)), "depth"),
            (r#"{"a":"\u0000"}"#.to_owned(), "nul"),
            (format!(r#"{{"a":"{}"}}"#, "x".repeat(JsonObject::MAX_BYTES)), "length"),
        ] {
            let patch = format!(r#"{{"tenant_info":{info}}}"#);
            assert_eq!(refused(&patch), faults([("/tenant_info", code)]), "{code}");
        }
        assert_eq!(refused(&format!(r#"{{"tenant_info":{deep}}}"#)).len(), 1);
    }

    #[test]
    fn the_whole_is_bounded_and_not_only_the_patch() {
        let patch = format!(r#"{{"tenant_info":{{"a":"{}"}}}}"#, "x".repeat(JsonObject::MAX_BYTES - 10));
        assert_eq!(refused(&patch), faults([("/tenant_info", "length")]));
    }

    #[test]
    fn no_more_than_sixteen_unknown_members_are_told() {
        let members: Vec<_> = (0..1000).map(|at| format!(r#""x{at}":1"#)).collect();
        assert_eq!(refused(&format!("{{{}}}", members.join(","))).len(), 16);
    }
}
