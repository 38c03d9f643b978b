//! The listening server.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use actix_cors::Cors;
use actix_service::IntoServiceFactory as _;
use actix_web::dev::ServerHandle as ActixHandle;
use actix_web::middleware::{Condition, from_fn};
use actix_web::{App, HttpServer, web};

use crate::compat::CompatOptions;
use crate::conventions::conventions;
use crate::cursor::CursorSeal;
use crate::hot_routes::HotRoutes;
use crate::routes;
use crate::state::{Limits, Services, State};

/// Where and how to listen.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// The address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Threads that answer requests; 0: one a core.
    pub workers: usize,
    /// The most connections at once, over all workers; further ones wait to be accepted.
    pub max_connections: usize,
    /// How long an idle connection is kept.
    pub keep_alive: Duration,
    /// How long the head of a request may take to arrive.
    pub header_timeout: Duration,
    /// How long the body of a request may take to arrive.
    pub body_timeout: Duration,
    /// How long a graceful stop waits for requests in flight.
    pub shutdown_timeout: Duration,
    /// How much a caller may send or ask for at once.
    pub limits: Limits,
    /// Origins whose pages may call the API from a browser; `*`: any; none: CORS is off.
    pub cors_origins: Vec<String>,
    /// Whether each request is logged.
    pub log_requests: bool,
    /// Whether the contracts of the predecessors are spoken, and to whom.
    pub compat: CompatOptions,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            workers: 0,
            max_connections: 25_000,
            keep_alive: Duration::from_secs(75),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(30),
            limits: Limits::default(),
            cors_origins: Vec::new(),
            log_requests: false,
            compat: CompatOptions::default(),
        }
    }
}

/// A server that is bound to its address and not yet serving.
pub struct Server {
    address: SocketAddr,
    inner: actix_web::dev::Server,
}

/// Stops a [`Server`].
#[derive(Clone)]
pub struct ServerHandle(ActixHandle);

impl ServerHandle {
    /// Stops accepting, and (if `graceful`) waits for what is in flight, at most the configured time.
    pub async fn stop(&self, graceful: bool) {
        self.0.stop(graceful).await;
    }
}

impl Server {
    /// Binds the address, so that connections are accepted from now on and answered once [`Server::run`]
    /// is polled. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn bind(options: HttpOptions, services: Services) -> io::Result<Self> {
        let cursors = CursorSeal::new(&services.cursor_secret).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidInput, "the cursor secret has a wrong length")
        })?;
        let state = web::Data::new(State {
            services,
            limits: options.limits,
            body_timeout: options.body_timeout,
            cursors,
            log_requests: options.log_requests,
            compat: options.compat,
        });
        let workers = match options.workers {
            0 => std::thread::available_parallelism().map_or(2, usize::from),
            workers => workers,
        };
        let origins = options.cors_origins;
        let server = HttpServer::new(move || {
            let app = App::new()
                .app_data(state.clone())
                .wrap(Condition::new(!origins.is_empty(), cors(&origins)))
                .wrap(from_fn(conventions))
                .configure(|config| routes::configure(config, state.compat.enabled));
            // CORS and the log of requests are the router's.
            let is_plain = origins.is_empty() && !state.log_requests;
            HotRoutes::new(app.into_factory(), is_plain.then(|| state.clone()))
        })
        .workers(workers)
        .max_connections(options.max_connections.div_ceil(workers))
        .keep_alive(options.keep_alive)
        .client_request_timeout(options.header_timeout)
        .shutdown_timeout(options.shutdown_timeout.as_secs())
        .disable_signals()
        .bind_auto_h2c(options.listen)?;
        let address = server.addrs().first().copied().unwrap_or(options.listen);
        Ok(Self { address, inner: server.run() })
    }

    /// The address that is bound: with the port taken where 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What stops the server.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        ServerHandle(self.inner.handle())
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    /// When a worker cannot be started.
    pub async fn run(self) -> io::Result<()> {
        self.inner.await
    }
}

fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allow_any_method()
        .allow_any_header()
        .expose_headers(["etag", "location", "link", "retry-after", "tenantry-version", "x-request-id"])
        .max_age(3600);
    if origins.iter().any(|origin| origin == "*") {
        return cors.allow_any_origin();
    }
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
