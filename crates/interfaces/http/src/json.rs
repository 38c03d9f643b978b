//! JSON in and out.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tenantry_domain::{JsonTextError, Violation, Violations, check_json_text};

use crate::problem::Problem;
use crate::problem_code::Code;

/// Reads a JSON body.
///
/// What is not JSON is 400; what is JSON of another shape (a wrong type, an unknown or repeated field) is
/// 422 with the place. `max_depth` bounds arrays and objects inside one another.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a [u8], max_depth: usize) -> Result<T, Problem> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Problem::new(Code::InvalidJson, format!("the body is not UTF-8: {error}")))?;
    let value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) if error.is_data() => return Err(Problem::invalid(shape_fault::<T>(text, "", &error))),
        Err(error) => return Err(Problem::new(Code::InvalidJson, error.to_string())),
    };
    check_depth(text, max_depth)?;
    Ok(value)
}

/// As [`read`], where the body must be an object: serde would take the elements of an array for its members.
pub(crate) fn read_object<'a, T: Deserialize<'a>>(body: &'a [u8], max_depth: usize) -> Result<T, Problem> {
    if is_array(body) {
        // What is not JSON at all is told first.
        read::<&serde_json::value::RawValue>(body, max_depth)?;
        return Err(Problem::invalid(no_object("")));
    }
    read(body, max_depth)
}

fn is_array(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"[")
}

fn no_object(pointer: &str) -> Violations {
    Violations::one(Violation::new(pointer, "type", "must be a JSON object"))
}

/// Reads one element of a JSON array that was read, which must be an object; `pointer` is its place.
pub(crate) fn read_part<'a, T: Deserialize<'a>>(text: &'a str, pointer: &str) -> Result<T, Violations> {
    if is_array(text.as_bytes()) {
        return Err(no_object(pointer));
    }
    serde_json::from_str(text).map_err(|error| shape_fault::<T>(text, pointer, &error))
}

fn check_depth(text: &str, max_depth: usize) -> Result<(), Problem> {
    match check_json_text(text, max_depth) {
        Err(error @ JsonTextError::TooDeep { .. }) => Err(Problem::violation("", "depth", error.to_string())),
        // Text that cannot be stored is told by whoever knows the field it stands in.
        Ok(()) | Err(JsonTextError::Nul | JsonTextError::LoneSurrogate) => Ok(()),
    }
}

/// Reads once more, slowly, to say where the shape is wrong.
fn shape_fault<'a, T: Deserialize<'a>>(text: &'a str, at: &str, first: &serde_json::Error) -> Violations {
    let mut reader = serde_json::Deserializer::from_str(text);
    let (path, detail) = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Err(error) => (pointer_of(error.path()), error.inner().to_string()),
        Ok(_) => (String::new(), first.to_string()),
    };
    // serde_json ends its messages with the place in the text, which the pointer says better.
    let detail = detail.rsplit_once(" at line ").map_or(detail.as_str(), |(message, _)| message);
    let (code, field) = if let Some(rest) = detail.strip_prefix("unknown field `") {
        ("unknown_field", rest.split('`').next())
    } else if let Some(rest) = detail.strip_prefix("duplicate field `") {
        ("duplicate_field", rest.split('`').next())
    } else {
        ("type", None)
    };
    let pointer = match field {
        Some(field) if !path.ends_with(&format!("/{}", escaped(field))) => {
            format!("{at}{path}/{}", escaped(field))
        }
        _ => format!("{at}{path}"),
    };
    Violations::one(Violation::new(pointer, code, detail))
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escaped(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// RFC 6901, section 3.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Reads a small JSON object that borrows nothing.
pub(crate) fn read_owned<T: DeserializeOwned>(body: &[u8], max_depth: usize) -> Result<T, Problem> {
    read_object(body, max_depth)
}

/// An answer whose body is `value` as JSON.
pub(crate) fn answer<T: Serialize>(status: StatusCode, value: &T) -> Result<HttpResponse, Problem> {
    Ok(builder(status).body(write(value)?))
}

/// The beginning of an answer in JSON.
pub(crate) fn builder(status: StatusCode) -> actix_web::HttpResponseBuilder {
    let mut builder = HttpResponse::build(status);
    builder.insert_header((header::CONTENT_TYPE, header::HeaderValue::from_static("application/json")));
    builder
}

/// `value` as JSON text.
pub(crate) fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, Problem> {
    let mut text = Vec::with_capacity(512);
    serde_json::to_writer(&mut text, value).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its reading is tested")]
    struct Sample<'a> {
        name: Option<String>,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
        list: Option<Vec<u8>>,
    }

    fn fault(text: &str) -> (u16, String, String) {
        let problem = read::<Sample<'_>>(text.as_bytes(), 4).unwrap_err();
        let error = problem.errors.first();
        (
            problem.code.status().as_u16(),
            error.map(|error| error.pointer.clone()).unwrap_or_default(),
            error.map(|error| error.code.to_string()).unwrap_or_default(),
        )
    }

    #[test]
    fn a_wrong_shape_is_told_with_its_place() {
        let expect = |pointer: &str, code: &str| (422, pointer.to_owned(), code.to_owned());
        assert_eq!(fault(r#"{"name":5}"#), expect("/name", "type"));
        assert_eq!(fault(r#"{"list":[1,"x"]}"#), expect("/list/1", "type"));
        assert_eq!(fault(r#"{"nmae":"x"}"#), expect("/nmae", "unknown_field"));
        assert_eq!(fault(r#"{"a/b~c":"x"}"#), expect("/a~1b~0c", "unknown_field"));
        assert_eq!(fault(r#"{"name":"x","name":"y"}"#), expect("/name", "duplicate_field"));
        assert_eq!(fault("[]"), expect("", "type"));
        assert_eq!(fault(r#"{"data":{"a":{"b":{"c":{}}}}}"#), expect("", "depth"));
    }

    #[test]
    fn what_is_not_json_is_unreadable() {
        for text in [
            "",
            "{",
            "{\"name\":}",
            "nul",
            "{} x",
            "{\"name\":\"\\ud800\"}",
            "{'name':1}",
            "{\"name\":\"a\u{1}\"}",
        ] {
            assert_eq!(fault(text).0, 400, "{text}");
        }
        assert_eq!(read::<Sample<'_>>(b"{\"name\":\"\xff\"}", 4).unwrap_err().code, Code::InvalidJson);
    }

    #[test]
    fn what_fits_is_read_without_copying_data() {
        let sample: Sample<'_> = read(br#"{"name":"x","data":{ "a":1.10 }}"#, 4).unwrap();
        assert_eq!(sample.data.unwrap().get(), r#"{ "a":1.10 }"#);
    }
}
