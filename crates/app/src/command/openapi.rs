//! `tenantry openapi`: prints the OpenAPI document.

use std::io::Write;

use super::CommandError;

pub(super) fn run() -> Result<(), CommandError> {
    let document = tenantry_http::openapi_json();
    std::io::stdout().write_all(document.as_bytes()).map_err(CommandError::failed)
}
