//! The OpenAPI document as the yardstick: whatever is answered must be documented, and be of its schema.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::answer::Answer;

/// The document that this build serves.
pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&tenantry_http::openapi_json()).unwrap());

static VALIDATORS: LazyLock<Mutex<HashMap<String, Validator>>> = LazyLock::new(Mutex::default);

/// An operation that the document describes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) description: &'static Value,
}

impl Operation {
    /// Every operation of the canonical API.
    pub(crate) fn all() -> Vec<Self> {
        Self::documented().into_iter().filter(|operation| !operation.is_of_a_predecessor()).collect()
    }

    /// Every operation of the predecessors' contracts.
    pub(crate) fn of_predecessors() -> Vec<Self> {
        Self::documented().into_iter().filter(Self::is_of_a_predecessor).collect()
    }

    fn is_of_a_predecessor(&self) -> bool {
        self.path.starts_with("/compat/")
    }

    fn documented() -> Vec<Self> {
        let paths: &'static Map<String, Value> = DOCUMENT["paths"].as_object().unwrap();
        let of_path = |(path, item): (&'static String, &'static Value)| {
            let operations = item.as_object().unwrap().iter();
            operations.map(move |(method, description)| Self {
                method: match method.as_str() {
                    "get" => "GET",
                    "post" => "POST",
                    "put" => "PUT",
                    "patch" => "PATCH",
                    "delete" => "DELETE",
                    other => panic!("{other} is new here"),
                },
                path,
                description,
            })
        };
        paths.iter().flat_map(of_path).collect()
    }

    /// The codes of the problems that it may answer, with their statuses.
    pub(crate) fn problems(&self) -> Vec<(u16, &'static str)> {
        let responses = self.description["responses"].as_object().unwrap();
        let of_response = |(status, response): (&'static String, &'static Value)| {
            let examples = &response["content"]["application/problem+json"]["examples"];
            let codes = examples.as_object().into_iter().flatten();
            codes.map(|(code, _)| (status.parse().unwrap(), code.as_str()))
        };
        responses.iter().flat_map(of_response).collect()
    }

    /// Whether it takes a key.
    pub(crate) fn takes_a_key(&self) -> bool {
        !self.description["security"].as_array().unwrap().is_empty()
    }

    fn serves(&self, method: &str, path: &str) -> bool {
        let method_fits = self.method == method || self.method == "GET" && method == "HEAD";
        method_fits && fits(self.path, path)
    }
}

/// Whether a path is one of a template. The key of a key-value is all that follows.
fn fits(template: &str, path: &str) -> bool {
    if let Some(prefix) = template.strip_suffix("{key}") {
        return path.starts_with(prefix);
    }
    let (mut wanted, mut found) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(wanted), Some(found))
                if wanted.starts_with('{') && !found.is_empty() || wanted == found => {}
            _ => return false,
        }
    }
}

/// Insists that the document foresees the answer to this request.
#[track_caller]
pub(crate) fn check(method: &str, target: &str, answer: &Answer) {
    let path = target.split('?').next().unwrap_or_default();
    let Some(operation) =
        Operation::documented().into_iter().find(|operation| operation.serves(method, path))
    else {
        // Pages for people, preflights and what is refused for its path or method.
        return;
    };
    let place = format!("{method} {target} answered {answer:?}");
    let response = &operation.description["responses"][answer.status.to_string()];
    assert!(response.is_object(), "the status is not documented: {place}");
    if method == "HEAD" || answer.headers.contains_key("content-encoding") {
        return;
    }
    let Some(contents) = response["content"].as_object() else {
        assert!(answer.body.is_empty(), "no body is documented: {place}");
        return;
    };
    let kind = answer.the("content-type").split(';').next().unwrap_or_default();
    let content = contents.get(kind);
    if contents.contains_key("application/octet-stream") {
        return;
    }
    let content = content.unwrap_or_else(|| panic!("the content type is not documented: {place}"));
    if !kind.ends_with("json") {
        return;
    }
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("no JSON: {place}"));
    if kind == "application/problem+json" {
        let code = body["code"].as_str().unwrap_or_default();
        assert!(content["examples"][code].is_object(), "the problem is not documented: {place}");
    }
    if let Some(fault) = faults(&content["schema"], &body) {
        panic!("{fault}: {place}");
    }
}

/// What in `value` is not as the schema says.
pub(crate) fn faults(schema: &Value, value: &Value) -> Option<String> {
    let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let validator = validators.entry(schema.to_string()).or_insert_with(|| validator(schema));
    let faults: Vec<String> =
        validator.iter_errors(value).map(|fault| format!("{fault} at {}", fault.instance_path())).collect();
    (!faults.is_empty()).then(|| faults.join("; "))
}

/// The value that the examples of a schema make up.
pub(crate) fn example(schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return example(DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap());
    }
    if let Some(alternatives) = schema["oneOf"].as_array() {
        return example(&alternatives[0]);
    }
    if schema.get("example").is_some() {
        return schema["example"].clone();
    }
    let members = schema["properties"].as_object().into_iter().flatten();
    members.map(|(name, schema)| (name.clone(), example(schema))).collect::<Map<_, _>>().into()
}

/// A validator of a schema that may refer to those of the document, which are closed: a member that is
/// not documented is a fault.
fn validator(schema: &Value) -> Validator {
    let mut components = DOCUMENT["components"].clone();
    for schema in components["schemas"].as_object_mut().unwrap().values_mut() {
        if schema.get("properties").is_some() {
            schema["additionalProperties"] = json!(false);
        } else if schema.get("allOf").is_some() {
            schema["unevaluatedProperties"] = json!(false);
        }
    }
    let mut whole = json!({"components": components});
    for (name, value) in schema.as_object().unwrap() {
        whole[name] = value.clone();
    }
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .build(&whole)
        .unwrap_or_else(|error| panic!("{error} in {schema}"))
}
