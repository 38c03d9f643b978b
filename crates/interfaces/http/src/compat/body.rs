//! Reading the bodies of old clients.

use actix_web::dev::{Payload, RequestHead};
use actix_web::web::Bytes;
use serde::Deserialize;

use crate::problem::Problem;
use crate::state::State;
use crate::{body, json};

/// Reads a body, whatever its `Content-Type` says: the predecessors did not look at it.
pub(super) async fn read(state: &State, head: &RequestHead, payload: Payload) -> Result<Bytes, Problem> {
    body::require_no_encoding(head)?;
    body::read(head, payload, state.limits.max_json_body_bytes, state.body_timeout).await
}

/// Reads a JSON object. Members that the route does not know are passed over, as the predecessors did.
pub(super) fn object<'a, T: Deserialize<'a>>(state: &State, text: &'a [u8]) -> Result<T, Problem> {
    json::read_object(text, state.limits.max_json_depth)
}

/// As [`object`]; no body at all is an object without members, so that each that is missing is told.
pub(super) fn object_or_nothing<'a, T: Deserialize<'a>>(state: &State, text: &'a [u8]) -> Result<T, Problem> {
    object(state, if text.trim_ascii().is_empty() { b"{}" } else { text })
}
