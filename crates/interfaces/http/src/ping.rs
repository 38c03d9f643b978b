//! `GET /api/v1/ping`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::json;
use crate::problem::Problem;

/// The answer to a ping.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Pong {
    #[schema(example = true)]
    status: bool,
    #[schema(example = "pong")]
    message: &'static str,
}

/// Answers, so that a caller knows that the API is reached.
#[utoipa::path(get, path = "/api/v1/ping", tag = "About",
    responses((status = 200, description = "The API is reached.", body = Pong)))]
pub(crate) async fn ping() -> Result<HttpResponse, Problem> {
    json::answer(StatusCode::OK, &Pong { status: true, message: "pong" })
}
