//! Every route of the API, in one table: what it takes to be let in, and what it may be refused for.
//!
//! The routing, `Allow`, `HEAD` and the OpenAPI document's security and error answers are made from it.

use std::rc::Rc;

use actix_web::http::Method;
use actix_web::{Resource, Route, web};
use tenantry_domain::Scope;

use crate::compat::Predecessor;
use crate::problem::Problem;
use crate::problem_code::Code;
use crate::problem_code::Code::{
    AccessKeyNotFound, BodyIncomplete, BodyTooLarge, Contended, EventNotFound, FeedNotFound, FeedRunNotFound,
    FeedRunNotHeld, InvalidCursor, InvalidHeader, InvalidJson, InvalidPath, InvalidQuery, KeyExpired,
    KeyMalformed, KeyMissing, KeyUnknown, KeyValueNotFound, NotAcceptable, NotIncrementable, PlanNotFound,
    PreconditionFailed, ProblemNotFound, RequestTimeout, ScopeMissing, StorageFull, TenantDeleting,
    TenantNotFound, TenantRequired, TenantSuspended, TooManyFeeds, UnsupportedMediaType, ValidationFailed,
};
use crate::{
    access_key, compat, docs, event, feed, feed_run, health, hot_routes, key_value, key_value_list, ping,
    plan, problem_page, tenant,
};

/// One method of one path.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// What a key must allow; nothing where no key is asked for.
    pub(crate) scope: Option<Scope>,
    /// What else it may be refused for, beside what [`Endpoint::refusals`] adds.
    problems: &'static [&'static [Code]],
    /// Whether it is in the OpenAPI document; pages for people are not.
    pub(crate) documented: bool,
    route: fn(Method) -> Route,
}

const KEY: &[Code] = &[KeyMissing, KeyMalformed, KeyUnknown, KeyExpired, TenantSuspended, ScopeMissing];
const TENANT_DATA: &[Code] = &[TenantRequired, TenantNotFound];
const JSON_ANSWER: &[Code] = &[NotAcceptable];
const TENANT: &[Code] = &[TenantNotFound];
const CHANGE: &[Code] = &[PreconditionFailed, InvalidHeader, StorageFull];
const TENANT_CHANGE: &[Code] = &[TenantDeleting, Contended];
const TENANT_END: &[Code] = &[Contended];
const BODY: &[Code] = &[BodyIncomplete, RequestTimeout, BodyTooLarge, UnsupportedMediaType];
const JSON_BODY: &[Code] = &[InvalidJson, ValidationFailed];
const LIST: &[Code] = &[InvalidQuery, InvalidCursor];
const CONDITIONAL: &[Code] = &[InvalidHeader, PreconditionFailed];
const KV_KEY: &[Code] = &[InvalidPath, InvalidQuery, ValidationFailed];

impl Endpoint {
    /// Whose old contract it belongs to; nothing for the canonical API.
    pub(crate) fn predecessor(&self) -> Option<Predecessor> {
        Predecessor::of(self.path)
    }

    /// Every problem that the endpoint may answer.
    pub(crate) fn refusals(&self) -> Vec<Code> {
        let mut codes: Vec<Code> = self.problems.iter().flat_map(|group| group.iter().copied()).collect();
        if let Some(scope) = self.scope {
            codes.extend_from_slice(KEY);
            if !scope.is_for_admins_only() {
                codes.extend_from_slice(TENANT_DATA);
            }
            codes.extend_from_slice(&[Code::Internal, Code::Unavailable]);
        }
        codes.sort_unstable();
        codes.dedup();
        codes
    }
}

macro_rules! endpoints {
    ($($method:ident $path:literal $scope:expr, [$($problems:ident),*], $handler:path;)*) => {
        vec![$(Endpoint {
            method: Method::$method,
            path: $path,
            scope: $scope,
            problems: &[$($problems),*],
            documented: true,
            route: |method| Route::new().method(method).to($handler),
        }),*]
    };
}

/// The table.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    const OPEN: Option<Scope> = None;
    const TENANTS_READ: Option<Scope> = Some(Scope::TenantsRead);
    const TENANTS_WRITE: Option<Scope> = Some(Scope::TenantsWrite);
    const KEYS_WRITE: Option<Scope> = Some(Scope::KeysWrite);
    const EVENTS_READ: Option<Scope> = Some(Scope::EventsRead);
    const EVENTS_WRITE: Option<Scope> = Some(Scope::EventsWrite);
    const KV_READ: Option<Scope> = Some(Scope::KvRead);
    const KV_WRITE: Option<Scope> = Some(Scope::KvWrite);
    const PAGE: &[Code] = &[ProblemNotFound];
    const EVENT: &[Code] = &[EventNotFound];
    const ENTRY: &[Code] = &[KeyValueNotFound];
    const ACCESS_KEY: &[Code] = &[AccessKeyNotFound];
    const NUMBER: &[Code] = &[NotIncrementable];
    const FULL: &[Code] = &[StorageFull];
    const CATALOG_READ: Option<Scope> = Some(Scope::CatalogRead);
    const CATALOG_WRITE: Option<Scope> = Some(Scope::CatalogWrite);
    const PLAN: &[Code] = &[PlanNotFound];
    const FEED: &[Code] = &[FeedNotFound];
    const RUN: &[Code] = &[FeedRunNotFound];
    const HELD: &[Code] = &[FeedRunNotHeld];
    const MORE_FEEDS: &[Code] = &[TooManyFeeds];
    const OTHERS: &[Code] = &[Contended];
    // In the order in which paths are tried: what is called most stands first.
    let mut table = endpoints! {
        GET "/api/v1/kv/{key}" KV_READ, [KV_KEY, ENTRY, CONDITIONAL], hot_routes::get_key_value;
        PUT "/api/v1/kv/{key}" KV_WRITE, [KV_KEY, CHANGE, BODY], hot_routes::put_key_value;
        DELETE "/api/v1/kv/{key}" KV_WRITE, [KV_KEY, ENTRY, CHANGE], key_value::delete_key_value;
        POST "/api/v1/kv/{key}" KV_WRITE, [KV_KEY, ENTRY, CHANGE, NUMBER, BODY, JSON_BODY, JSON_ANSWER], key_value::increment_key_value;
        GET "/api/v1/search" CATALOG_READ, [LIST, CONDITIONAL, JSON_ANSWER], hot_routes::search_plans;
        GET "/api/v1/events" EVENTS_READ, [LIST, JSON_ANSWER], event::list_events;
        POST "/api/v1/events" EVENTS_WRITE, [BODY, JSON_BODY, JSON_ANSWER, FULL], hot_routes::create_events;
        GET "/api/v1/events/{id}" EVENTS_READ, [EVENT, JSON_ANSWER], event::get_event;
        GET "/api/v1/kv" KV_READ, [LIST, JSON_ANSWER], key_value_list::list_key_values;

        GET "/api/v1/catalog/plans/{id}" CATALOG_READ, [PLAN, JSON_ANSWER], plan::get_plan;
        GET "/api/v1/catalog/plans/{id}/history" CATALOG_READ, [PLAN, LIST, JSON_ANSWER], plan::get_plan_history;
        GET "/api/v1/catalog/feeds" CATALOG_READ, [LIST, JSON_ANSWER], feed::list_feeds;
        POST "/api/v1/catalog/feeds" CATALOG_WRITE, [MORE_FEEDS, BODY, JSON_BODY, JSON_ANSWER, FULL], feed::create_feed;
        GET "/api/v1/catalog/feeds/{feed}" CATALOG_READ, [FEED, CONDITIONAL, JSON_ANSWER], feed::get_feed;
        PATCH "/api/v1/catalog/feeds/{feed}" CATALOG_WRITE, [FEED, CHANGE, OTHERS, BODY, JSON_BODY, JSON_ANSWER], feed::patch_feed;
        DELETE "/api/v1/catalog/feeds/{feed}" CATALOG_WRITE, [FEED, CHANGE, JSON_ANSWER], feed::delete_feed;
        GET "/api/v1/catalog/feeds/{feed}/runs" CATALOG_READ, [FEED, LIST, JSON_ANSWER], feed_run::list_feed_runs;
        POST "/api/v1/catalog/feeds/{feed}/runs" CATALOG_WRITE, [FEED, CHANGE, JSON_ANSWER], feed_run::create_feed_run;
        GET "/api/v1/catalog/feeds/{feed}/runs/{run}" CATALOG_READ, [RUN, JSON_ANSWER], feed_run::get_feed_run;
        POST "/api/v1/catalog/feeds/{feed}/runs/{run}/confirm" CATALOG_WRITE, [RUN, HELD, CHANGE, JSON_ANSWER], feed_run::confirm_feed_run;
        GET "/api/v1/catalog/feeds/{feed}/rejects" CATALOG_READ, [FEED, LIST, JSON_ANSWER], feed_run::list_rejects;
        POST "/api/v1/catalog/feeds/{feed}/rejects/replay" CATALOG_WRITE, [FEED, CHANGE, JSON_ANSWER], feed_run::replay_rejects;

        GET "/api/v1/ping" OPEN, [], ping::ping;
        GET "/livez" OPEN, [], health::livez;
        GET "/readyz" OPEN, [], health::readyz;
        GET "/openapi.json" OPEN, [], docs::get_openapi;
        GET "/problems" OPEN, [], problem_page::list_problems;
        GET "/problems/{code}" OPEN, [PAGE], problem_page::get_problem;
        GET "/api/v1/tenants" TENANTS_READ, [LIST, JSON_ANSWER], tenant::list_tenants;
        POST "/api/v1/tenants" TENANTS_WRITE, [BODY, JSON_BODY, JSON_ANSWER, FULL], tenant::create_tenant;
        GET "/api/v1/tenants/{tenant}" TENANTS_READ, [TENANT, CONDITIONAL, JSON_ANSWER], tenant::get_tenant;
        PUT "/api/v1/tenants/{tenant}" TENANTS_WRITE, [TENANT, CHANGE, TENANT_CHANGE, BODY, JSON_BODY, JSON_ANSWER], tenant::replace_tenant;
        PATCH "/api/v1/tenants/{tenant}" TENANTS_WRITE, [TENANT, CHANGE, TENANT_CHANGE, BODY, JSON_BODY, JSON_ANSWER], tenant::patch_tenant;
        DELETE "/api/v1/tenants/{tenant}" TENANTS_WRITE, [TENANT, CHANGE, TENANT_END, JSON_ANSWER], tenant::delete_tenant;
        POST "/api/v1/tenants/{tenant}/suspend" TENANTS_WRITE, [TENANT, CHANGE, TENANT_CHANGE, JSON_ANSWER], tenant::suspend_tenant;
        POST "/api/v1/tenants/{tenant}/activate" TENANTS_WRITE, [TENANT, CHANGE, TENANT_CHANGE, JSON_ANSWER], tenant::activate_tenant;
        GET "/api/v1/tenants/{tenant}/keys" KEYS_WRITE, [TENANT, LIST, JSON_ANSWER], access_key::list_access_keys;
        POST "/api/v1/tenants/{tenant}/keys" KEYS_WRITE, [TENANT, BODY, JSON_BODY, JSON_ANSWER, FULL], access_key::create_access_key;
        DELETE "/api/v1/tenants/{tenant}/keys/{key_id}" KEYS_WRITE, [TENANT, ACCESS_KEY, JSON_ANSWER, FULL], access_key::revoke_access_key;
    };
    const FILTERS: &[Code] = &[InvalidQuery];
    table.extend(endpoints! {
        GET "/compat/tenants/api/v1/ping" TENANTS_READ, [], compat::tenants::ping;
        GET "/compat/tenants/api/v1/tenants" TENANTS_READ, [], compat::tenants::list_tenants;
        POST "/compat/tenants/api/v1/tenants" TENANTS_WRITE, [BODY, JSON_BODY, FULL], compat::tenants::create_tenant;
        GET "/compat/tenants/api/v1/tenants/{tenant_number}" TENANTS_READ, [TENANT], compat::tenants::get_tenant;
        PUT "/compat/tenants/api/v1/tenants/{tenant_number}" TENANTS_WRITE, [TENANT, TENANT_END, BODY, JSON_BODY, FULL], compat::tenants::replace_tenant;
        DELETE "/compat/tenants/api/v1/tenants/{tenant_number}" TENANTS_WRITE, [TENANT, TENANT_END, FULL], compat::tenants::delete_tenant;

        GET "/compat/key-values/health-check" OPEN, [], compat::key_values::health_check;
        POST "/compat/key-values/set-value" KV_WRITE, [BODY, JSON_BODY, FULL], compat::key_values::set_value;
        GET "/compat/key-values/get-value" KV_READ, [FILTERS, BODY, JSON_BODY], compat::key_values::get_value;
        DELETE "/compat/key-values/delete-value" KV_WRITE, [FILTERS, BODY, JSON_BODY, FULL], compat::key_values::delete_value;
        GET "/compat/key-values/get-values" KV_READ, [], compat::key_values::list_values;

        GET "/compat/activity/api/health" OPEN, [], compat::activity::health;
        POST "/compat/activity/api/events" EVENTS_WRITE, [BODY, JSON_BODY, FULL], compat::activity::create_event;
        GET "/compat/activity/api/events" EVENTS_READ, [FILTERS], compat::activity::list_events;
        GET "/compat/activity/api/events/" EVENTS_READ, [FILTERS], compat::activity::list_events_slash;

        GET "/compat/search/search" CATALOG_READ, [FILTERS], compat::search::search;
    });
    let pages = endpoints! {
        GET "/" OPEN, [], docs::redirect_to_docs;
        GET "/docs" OPEN, [], docs::redirect_to_docs;
        GET "/docs/{file}" OPEN, [], docs::get_docs;
    };
    table.extend(pages.into_iter().map(|page| Endpoint { documented: false, ..page }));
    table
}

/// Makes the routing: a resource a path, `HEAD` wherever there is `GET`, 405 with `Allow` for the rest.
/// The predecessors' routes are there only if they are wanted.
pub(crate) fn configure(config: &mut web::ServiceConfig, with_predecessors: bool) {
    let mut table = endpoints();
    table.retain(|endpoint| with_predecessors || endpoint.predecessor().is_none());
    let mut done: Vec<&str> = Vec::new();
    for endpoint in &table {
        if !done.contains(&endpoint.path) {
            done.push(endpoint.path);
            config.service(resource(endpoint.path, &table));
        }
    }
    config.default_service(web::to(|| async { Err::<&str, _>(Problem::plain(Code::RouteNotFound)) }));
}

fn resource(path: &'static str, table: &[Endpoint]) -> Resource {
    let mut methods: Vec<&str> = Vec::new();
    let mut resource = web::resource(pattern(path));
    for endpoint in table.iter().filter(|endpoint| endpoint.path == path) {
        methods.push(endpoint.method.as_str());
        resource = resource.route((endpoint.route)(endpoint.method.clone()));
        if endpoint.method == Method::GET {
            methods.push("HEAD");
            // The same handler: actix leaves the body away and keeps its length.
            resource = resource.route((endpoint.route)(Method::HEAD));
        }
    }
    let allow: Rc<str> = methods.join(", ").into();
    resource.default_service(web::to(move || {
        let allow = Rc::clone(&allow);
        async move { Err::<&str, _>(Problem::method_not_allowed(&allow)) }
    }))
}

/// A key may hold any character, slashes too, and be wrong by being empty.
fn pattern(path: &'static str) -> &'static str {
    match path {
        "/api/v1/kv/{key}" => "/api/v1/kv/{key:.*}",
        "/docs/{file}" => "/docs/{file:.*}",
        other => other,
    }
}
