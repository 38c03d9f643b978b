//! Events: filtered by JSON that the data contains.

use serde_json::Value;
use tenantry_domain::{EventFilter, NewEvent};

use super::event_filter::assert_shows;
use crate::fixture::Fixture;
use crate::samples::{event, object};

fn holding(part: Value) -> EventFilter {
    EventFilter { data_contains: Some(part), ..EventFilter::default() }
}

pub async fn data_contains_goes_by_jsons_containment(s: &Fixture) {
    let tenant = s.tenant().await;
    let data = [
        r#"{}"#,
        r#"{"a": 1}"#,
        r#"{"a": 1.0, "b": null}"#,
        r#"{"a": "1", "b": false}"#,
        r#"{"a": [1, [2, 3], {"x": 1, "y": "z"}]}"#,
        r#"{"a": {"b": {"c": [true, null, "t"]}}, "d": {}}"#,
        r#"{"a": []}"#,
        r#"{"a": {}}"#,
        r#"{"big": 9007199254740993}"#,
        r#"{"big": 9007199254740992}"#,
        r#"{"big": 18446744073709551615, "small": 1.5e-7}"#,
        r#"{"twice": 1, "twice": 2}"#,
        r#"{"quo'te\"d": "it's \"x\"", "do.t": {"$[0]": "%_"}, "": 0}"#,
        r#"{"grüße": "Straße", "\u0061scii": "\ud83e\udd80"}"#,
        r#"{"hundred": 1e2, "minus": -0.5}"#,
    ];
    let mut events = Vec::new();
    for (number, data) in (0..).zip(data) {
        events.push(s.append(tenant, NewEvent { data: object(data), ..event(number) }).await);
    }
    let parts = [
        r#"{}"#,
        r#"{"a": 1}"#,
        r#"{"a": 1.0}"#,
        r#"{"a": "1"}"#,
        r#"{"a": [1]}"#,
        r#"{"a": [2]}"#,
        r#"{"a": [[3]]}"#,
        r#"{"a": [{"y": "z"}]}"#,
        r#"{"a": [{"y": "z"}, 1, 1]}"#,
        r#"{"a": {}}"#,
        r#"{"a": []}"#,
        r#"{"a": null}"#,
        r#"{"b": null}"#,
        r#"{"b": false}"#,
        r#"{"a": {"b": {}}}"#,
        r#"{"d": {}}"#,
        r#"{"a": {"b": {"c": ["t", true]}}}"#,
        r#"{"a": {"b": {"c": "t"}}}"#,
        r#"{"a": {"c": ["t"]}}"#,
        r#"{"big": 9007199254740993}"#,
        r#"{"big": 18446744073709551615}"#,
        r#"{"small": 0.00000015}"#,
        r#"{"twice": 1}"#,
        r#"{"twice": 2}"#,
        r#"{"quo'te\"d": "it's \"x\""}"#,
        r#"{"do.t": {"$[0]": "%_"}}"#,
        r#"{"do.t": {"$[0]": "%"}}"#,
        r#"{"do": {"t": {}}}"#,
        r#"{"": 0}"#,
        r#"{"grüße": "Straße"}"#,
        r#"{"grüße": "STRASSE"}"#,
        r#"{"ascii": "🦀"}"#,
        r#"{"hundred": 100}"#,
        r#"{"minus": -0.5, "hundred": 100.0}"#,
        r#"{"absent": 1}"#,
        r#"[]"#,
        r#"["a"]"#,
        r#""a""#,
        r#"1"#,
        r#"null"#,
        r#"[{"a": 1}]"#,
    ];
    for part in parts {
        assert_shows(s, tenant, &events, &holding(serde_json::from_str(part).unwrap())).await;
    }
}
