//! The routes that are called most, answered before the router is asked.
//!
//! actix-web's way from a request to a handler (the router, its guards, the middleware, the extractors, a
//! future in a box for each) costs more than these handlers do. So a request for one of them goes from the
//! protocol straight to the handler, and its answer through [`dress`], as every other. The router has the
//! same handlers, for requests that need more than that: CORS, the log of requests, a body in chunks.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_http::{Request, Response};
use actix_web::body::BoxBody;
use actix_web::dev::{AppConfig, Service, ServiceFactory, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse, web};
use futures_util::future::LocalBoxFuture;

use crate::conventions::dress;
use crate::problem::Problem;
use crate::request_id::RequestId;
use crate::state::State;
use crate::{event, key_value, search};

/// See [`key_value::get_key_value`].
pub(crate) async fn get_key_value(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    key_value::get_key_value(&state, request.head()).await
}

/// See [`key_value::put_key_value`].
pub(crate) async fn put_key_value(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    key_value::put_key_value(&state, request.head(), payload.into_inner()).await
}

/// See [`event::create_events`].
pub(crate) async fn create_events(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    event::create_events(&state, request.head(), payload.into_inner()).await
}

/// See [`search::search_plans`].
pub(crate) async fn search_plans(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    search::search_plans(&state, request.head()).await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HotRoute {
    GetKeyValue,
    PutKeyValue,
    CreateEvents,
    SearchPlans,
}

impl HotRoute {
    /// Which one the request is for, if it needs nothing that only the router has.
    fn of(request: &Request) -> Option<Self> {
        let path = request.path();
        let route = match *request.method() {
            Method::GET if path.starts_with("/api/v1/kv/") => Self::GetKeyValue,
            Method::PUT if path.starts_with("/api/v1/kv/") => Self::PutKeyValue,
            Method::POST if path == "/api/v1/events" => Self::CreateEvents,
            Method::GET if path == "/api/v1/search" => Self::SearchPlans,
            _ => return None,
        };
        (!request.headers().contains_key(header::TRANSFER_ENCODING)).then_some(route)
    }

    async fn answer(self, state: web::Data<State>, request: Request) -> Response<BoxBody> {
        let (head, payload) = request.into_parts();
        let id = RequestId::of(head.headers());
        let answer = match self {
            Self::GetKeyValue => key_value::get_key_value(&state, &head).await,
            Self::PutKeyValue => key_value::put_key_value(&state, &head, payload).await,
            Self::CreateEvents => event::create_events(&state, &head, payload).await,
            Self::SearchPlans => search::search_plans(&state, &head).await,
        };
        let answer = answer.unwrap_or_else(HttpResponse::from_error);
        dress(&head, &id, None, answer).into()
    }
}

/// Makes a [`HotService`] over what the application's factory makes.
pub(crate) struct HotRoutes<F> {
    application: F,
    state: Option<web::Data<State>>,
}

impl<F> HotRoutes<F> {
    /// Before this application; without a state, every request is the application's.
    pub(crate) fn new(application: F, state: Option<web::Data<State>>) -> Self {
        Self { application, state }
    }
}

impl<F> ServiceFactory<Request> for HotRoutes<F>
where
    F: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse<BoxBody>, Error = Error>,
    F::Future: 'static,
{
    type Response = Response<BoxBody>;
    type Error = Error;
    type Config = AppConfig;
    type Service = HotService<F::Service>;
    type InitError = F::InitError;
    type Future = LocalBoxFuture<'static, Result<Self::Service, F::InitError>>;

    fn new_service(&self, config: AppConfig) -> Self::Future {
        let application = self.application.new_service(config);
        let state = self.state.clone();
        Box::pin(async move { Ok(HotService { application: application.await?, state }) })
    }
}

/// Answers the hot routes, and hands everything else to the application.
pub(crate) struct HotService<S> {
    application: S,
    state: Option<web::Data<State>>,
}

impl<S> Service<Request> for HotService<S>
where
    S: Service<Request, Response = ServiceResponse<BoxBody>, Error = Error>,
{
    type Response = Response<BoxBody>;
    type Error = Error;
    type Future = HotFuture<S::Future>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.application.poll_ready(context)
    }

    fn call(&self, request: Request) -> Self::Future {
        match (&self.state, HotRoute::of(&request)) {
            (Some(state), Some(route)) => {
                HotFuture::Hot { answer: Box::pin(route.answer(state.clone(), request)) }
            }
            _ => HotFuture::Application { answer: Box::pin(self.application.call(request)) },
        }
    }
}

/// The answer of a [`HotService`].
pub(crate) enum HotFuture<F> {
    Hot { answer: LocalBoxFuture<'static, Response<BoxBody>> },
    Application { answer: Pin<Box<F>> },
}

impl<F> Future for HotFuture<F>
where
    F: Future<Output = Result<ServiceResponse<BoxBody>, Error>>,
{
    type Output = Result<Response<BoxBody>, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Hot { answer } => answer.as_mut().poll(context).map(Ok),
            Self::Application { answer } => answer.as_mut().poll(context).map(|answer| Ok(answer?.into())),
        }
    }
}
