//! Whether the process lives, and whether it can do its work.

use std::collections::BTreeMap;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::json;
use crate::problem::Problem;
use crate::state::State;

/// Whether the process lives.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Liveness {
    #[schema(example = "alive")]
    status: &'static str,
}

/// Whether the server can do its work.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// `ready`, or `not-ready`.
    #[schema(example = "ready")]
    status: &'static str,
    /// Everything that it uses, by name. It is ready without what only makes it faster, as a shared cache does.
    dependencies: BTreeMap<&'static str, DependencyState>,
}

/// Whether one thing that the server uses works.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DependencyState {
    /// `up` or `down`.
    #[schema(example = "up")]
    status: &'static str,
}

/// Says that the process lives.
#[utoipa::path(get, path = "/livez", tag = "About",
    responses((status = 200, description = "The process lives.", body = Liveness)))]
pub(crate) async fn livez() -> Result<HttpResponse, Problem> {
    json::answer(StatusCode::OK, &Liveness { status: "alive" })
}

/// Says whether the server can do its work, and the state of each thing that it uses.
#[utoipa::path(get, path = "/readyz", tag = "About",
    responses(
        (status = 200, description = "It can.", body = Readiness),
        (status = 503, description = "Something that it needs is down.", body = Readiness)))]
pub(crate) async fn readyz(state: web::Data<State>) -> Result<HttpResponse, Problem> {
    let mut dependencies = BTreeMap::new();
    let mut ready = true;
    for probe in &state.services.health {
        let outcome = probe.check().await;
        if let Err(error) = &outcome {
            tracing::warn!(dependency = probe.name(), %error, "a dependency is down");
        }
        ready &= outcome.is_ok() || !probe.is_needed();
        dependencies
            .insert(probe.name(), DependencyState { status: if outcome.is_ok() { "up" } else { "down" } });
    }
    let (status, word) = match ready {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not-ready"),
    };
    let mut answer = json::builder(status);
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    if !ready {
        answer.insert_header((header::RETRY_AFTER, "1"));
    }
    Ok(answer.body(json::write(&Readiness { status: word, dependencies })?))
}
