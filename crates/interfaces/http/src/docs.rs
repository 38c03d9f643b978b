//! The API's documentation: Swagger UI and the OpenAPI document, from the binary itself.

use std::sync::{Arc, LazyLock};

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa_swagger_ui::Config;

use crate::openapi::openapi_json;
use crate::problem::Problem;
use crate::problem_code::Code;

static DOCUMENT: LazyLock<web::Bytes> = LazyLock::new(|| web::Bytes::from(openapi_json()));

/// The OpenAPI 3.1 document of this API.
#[utoipa::path(get, path = "/openapi.json", tag = "About",
    responses((status = 200, description = "The document.", content_type = "application/json", body = Object)))]
pub(crate) async fn get_openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DOCUMENT.clone())
}

/// Leads from the root to the documentation.
pub(crate) async fn redirect_to_docs() -> HttpResponse {
    HttpResponse::Found().insert_header((header::LOCATION, "/docs/")).finish()
}

/// Serves Swagger UI. It is embedded, and loads nothing from elsewhere.
pub(crate) async fn get_docs(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let file = request.match_info().query("file");
    let config = Arc::new(Config::from("/openapi.json").try_it_out_enabled(true).persist_authorization(true));
    match utoipa_swagger_ui::serve(file, config) {
        Ok(Some(file)) => {
            Ok(HttpResponse::Ok().content_type(file.content_type).body(file.bytes.into_owned()))
        }
        Ok(None) => Err(Problem::plain(Code::RouteNotFound)),
        Err(error) => Err(Problem::internal(error.to_string())),
    }
}
