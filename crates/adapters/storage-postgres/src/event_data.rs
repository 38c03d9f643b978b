//! An event's data as it stands in the index, and a part of it as it is looked for there.
//!
//! The index must lead to every event whose data contains the part in the sense of the domain's
//! [`json_contains`](tenantry_domain::json_contains), which compares numbers as 64-bit integers or as binary
//! floats; `jsonb` compares them as decimals. So each number stands there as the binary float next to it: equal
//! numbers of the domain have equal floats. That is also why no number is too large for `jsonb`.

use serde_json::{Number, Value};
use tenantry_domain::TenantNumber;

/// What stands in the index for this data; nothing where the index can't lead to it: it is empty, or a number in
/// it is larger than any float, for which the domain says that it contains nothing.
pub(crate) fn index_document(tenant: TenantNumber, data: &str) -> Option<String> {
    if data == "{}" {
        return None;
    }
    let data: Value = serde_json::from_str(data).ok()?;
    if data.as_object().is_none_or(serde_json::Map::is_empty) {
        return None;
    }
    Some(wrapped(tenant, data))
}

/// What is looked for in the index for this part; nothing where the index is of no use: only plain values lead
/// to something in it.
pub(crate) fn index_part(tenant: TenantNumber, part: &Value) -> Option<String> {
    has_plain_value(part).then(|| wrapped(tenant, part.clone()))
}

/// Whether an event's data, which is an object without U+0000, can contain the part at all.
pub(crate) fn can_be_contained(part: &Value) -> bool {
    part.is_object() && !has_nul(part)
}

fn wrapped(tenant: TenantNumber, mut data: Value) -> String {
    use_floats(&mut data);
    format!("{{\"{tenant}\":{data}}}")
}

fn use_floats(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().and_then(Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(use_floats),
        Value::Object(members) => members.values_mut().for_each(use_floats),
        _ => {}
    }
}

fn has_plain_value(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(has_plain_value),
        Value::Object(members) => members.values().any(has_plain_value),
        _ => true,
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(elements) => elements.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tenant() -> TenantNumber {
        TenantNumber::new(7).unwrap()
    }

    #[test]
    fn the_tenant_comes_first_and_numbers_are_floats() {
        let document = index_document(tenant(), r#"{ "a": 1, "b": [9007199254740993, 0.10, "1"] }"#);
        assert_eq!(document.as_deref(), Some(r#"{"7":{"a":1.0,"b":[9007199254740992.0,0.1,"1"]}}"#));
    }

    #[test]
    fn what_no_plain_value_leads_to_is_not_indexed_and_not_looked_for() {
        assert_eq!(index_document(tenant(), "{}"), None);
        assert_eq!(index_document(tenant(), r#"{"a":1e400}"#), None);
        assert_eq!(index_part(tenant(), &json!({"a": {}, "b": []})), None);
        assert_eq!(index_part(tenant(), &json!({"a": [null]})).as_deref(), Some(r#"{"7":{"a":[null]}}"#));
    }

    #[test]
    fn what_is_no_object_or_holds_nul_is_contained_in_nothing() {
        assert!(can_be_contained(&json!({})) && can_be_contained(&json!({"a": [1]})));
        for part in [json!([]), json!(1), json!(null), json!({"a": ["\0"]}), json!({"a\0": 1})] {
            assert!(!can_be_contained(&part), "{part}");
        }
    }
}
