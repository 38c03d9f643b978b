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
    let whole = |code, detail: String| Violations::one(Violation::new("", code, detail));
    if !patch.trim_start().starts_with('{') {
        return Err(whole("object", "must be a JSON object".to_owned()));
    }
    let mut members: BTreeMap<String, &RawValue> =
        serde_json::from_str(patch).map_err(|error| whole("object", format!("is not JSON: {error}")))?;

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
            Err(Violations::from_list(violations).unwrap_or_else(|| whole("object", String::new())))
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
