//! Tenantry's HTTP API, on actix-web.
//!
//! What belongs here: routes, wire shapes, status codes, problems, the OpenAPI document. What never will:
//! a business rule (those are in `tenantry-services`), SQL, or a decision about which adapter is behind a
//! port.
//!
//! [`Server::bind`] takes the listening address and the services; [`Server::run`] serves until
//! [`ServerHandle::stop`]. Every route stands in one table (`routes.rs`): path, method, scope and the
//! problems that it may answer, from which both the routing and the OpenAPI document are made.

mod accept;
mod access;
mod access_key;
mod body;
mod compat;
mod conventions;
mod cursor;
mod docs;
mod etag;
mod event;
mod event_batch;
mod event_query;
mod feed;
mod feed_run;
mod health;
mod hot_routes;
mod json;
mod key_value;
mod key_value_list;
mod openapi;
mod ping;
mod plan;
mod problem;
mod problem_code;
mod problem_page;
mod query;
mod request_id;
mod routes;
mod search;
mod server;
mod state;
mod streamed_body;
mod tenant;
mod unread_body;

pub use compat::{CompatOptions, OpenAccess, Opening};
pub use openapi::openapi_json;
pub use search::print_found_plan;
pub use server::{HttpOptions, Server, ServerHandle};
pub use state::{Limits, Services};
