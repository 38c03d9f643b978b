//! `tenantry openapi`: prints the OpenAPI document.

use super::{CommandError, print};

pub(super) fn run() -> Result<(), CommandError> {
    print(&tenantry_http::openapi_json())
}
