//! The floor that this stack allows: an actix-web server that answers the same and does nothing else.

use std::io::{self, Read};
use std::time::Duration;

use actix_web::http::header::ContentType;
use actix_web::{App, HttpResponse, HttpServer, web};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use xtask::arguments::Arguments;

use crate::Result;

/// The same connections, workers and timeouts as the product's defaults (`config/tenantry.toml`).
const MAX_CONNECTIONS: usize = 25_000;
const KEEP_ALIVE: Duration = Duration::from_secs(75);
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// The value that every key has.
pub(crate) const VALUE: [u8; crate::bench::VALUE_LENGTH] = [b'v'; crate::bench::VALUE_LENGTH];

/// An event, parsed and written again.
#[derive(Debug, Serialize, Deserialize)]
struct Event<'a> {
    component: &'a str,
    environment: &'a str,
    message: &'a str,
    email: Option<&'a str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// `xtask-load bare --port N`: serves until standard input ends.
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    let port: u16 = arguments.value("--port")?.unwrap_or(0);
    arguments.words()?;
    actix_web::rt::System::new().block_on(serve(port))
}

async fn serve(port: u16) -> Result<()> {
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let server = HttpServer::new(|| {
        App::new().service(
            web::scope("/api/v1")
                .service(
                    web::resource("/kv/{key}")
                        .route(web::get().to(get_value))
                        .route(web::put().to(echo_value)),
                )
                .route("/events", web::post().to(echo_event))
                .route("/search", web::get().to(get_page)),
        )
    })
    .workers(workers)
    .max_connections(MAX_CONNECTIONS.div_ceil(workers))
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(HEADER_TIMEOUT)
    .disable_signals()
    .bind_auto_h2c(("127.0.0.1", port))?;
    let address = server.addrs().first().copied().ok_or("no address is bound")?;
    let server = server.run();
    let handle = server.handle();
    // Whoever started it holds the other end: when it is gone, so is this.
    std::thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        drop(handle.stop(false));
    });
    println!("bare is ready on http://{address}");
    Ok(server.await?)
}

async fn get_value() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::octet_stream()).body(&VALUE[..])
}

async fn get_page() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(&crate::bench::SEARCH_PAGE[..])
}

async fn echo_value(value: web::Bytes) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::octet_stream()).body(value)
}

async fn echo_event(body: web::Bytes) -> HttpResponse {
    match serde_json::from_slice::<Event<'_>>(&body) {
        Ok(event) => HttpResponse::Created().json(event),
        Err(error) => HttpResponse::BadRequest().body(error.to_string()),
    }
}
