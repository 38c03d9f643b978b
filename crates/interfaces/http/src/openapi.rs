//! The OpenAPI 3.1 document: the handlers' descriptions, completed from the table of routes.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::OpenApi;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{HeaderBuilder, Ref, RefOr, Required};

use crate::compat::Predecessor;
use crate::problem_code::Code;
use crate::routes::{Endpoint, endpoints};
use crate::{
    access_key, compat, docs, event, feed, feed_run, health, key_value, key_value_list, ping, plan, problem,
    problem_page, search, tenant,
};

const DESCRIPTION: &str = "\
A registry of tenants, and for each tenant a log of events, a store of key-values and a catalog of what is on.

**Access.** Every route under `/api/v1` but `ping` takes a key: `Authorization: Bearer <key>`. A tenant's key \
(`tnt_…`) says which tenant it is about. An administrator's key (`tna_…`) names one with the header \
`Tenantry-Tenant: <tenant_number or tenant_id>`. What belongs to another tenant is answered as what does not exist.

**Errors** are RFC 9457 problem details, `application/problem+json`; `type` leads to a page of this server that \
says what to do. Beside those listed at each operation, any path answers 404 `route-not-found` and 405 \
`method-not-allowed` (with `Allow`) where it is due, and 500 `internal-error` never shows its cause.

**Bodies** are JSON in UTF-8; unknown fields are refused. Times are RFC 3339 in UTC with microseconds.

**Lists** take `limit` (1 to 1000, default 50) and `cursor`, and answer `next_cursor`, null at the end. A cursor \
fits only the list, filters and tenant that gave it.

**The systems that Tenantry replaces** are spoken for under `/compat`, where `compat.enabled` is set: their own \
paths, shapes and refusals, with the keys of this API.

**Every answer** carries `X-Request-Id`: yours, if you sent a sane one. `HEAD` works wherever `GET` does. Bodies \
above 1 KiB are compressed by `Accept-Encoding` (brotli, zstd, gzip).";

#[derive(OpenApi)]
#[openapi(
    info(title = "Tenantry", description = DESCRIPTION, license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")),
    servers((url = "/", description = "This server")),
    tags(
        (name = "Tenants", description = "The registry; for administrators."),
        (name = "Access keys", description = "Who may do what; for administrators."),
        (name = "Events", description = "What happened, in the order in which it was stored."),
        (name = "Key-values", description = "Bytes under a key; each write is a new revision."),
        (name = "Catalog", description = "What is on: imported from providers' feeds, and searched by time."),
        (name = "About", description = "The server itself."),
        (name = "compat/tenants", description = "The multi-tenant registry's old contract, for administrators. Where compat.enabled is set."),
        (name = "compat/key-values", description = "tenantbase's old contract. Where compat.enabled is set; compat.key_values.anonymous_tenant may open a tenant to callers without a key."),
        (name = "compat/activity", description = "activity_service's old contract. Where compat.enabled is set; compat.activity.anonymous_tenant may open a tenant to callers without a key."),
        (name = "compat/search", description = "The provider-event search's old contract. Where compat.enabled is set; compat.search.anonymous_tenant may open a tenant to callers without a key.")),
    components(schemas(problem::ProblemDto, problem::ViolationDto, compat::refusal::Refusal, compat::refusal::ErrorText, compat::refusal::SearchRefusal)),
    paths(
        ping::ping, health::livez, health::readyz, docs::get_openapi, problem_page::list_problems,
        problem_page::get_problem,
        tenant::list_tenants, tenant::create_tenant, tenant::get_tenant, tenant::replace_tenant,
        tenant::patch_tenant, tenant::delete_tenant, tenant::suspend_tenant, tenant::activate_tenant,
        access_key::list_access_keys, access_key::create_access_key, access_key::revoke_access_key,
        event::list_events, event::create_events, event::get_event,
        key_value_list::list_key_values, key_value::get_key_value, key_value::put_key_value,
        key_value::delete_key_value, key_value::increment_key_value,
        compat::tenants::ping, compat::tenants::list_tenants, compat::tenants::create_tenant,
        compat::tenants::get_tenant, compat::tenants::replace_tenant, compat::tenants::delete_tenant,
        compat::key_values::health_check, compat::key_values::set_value, compat::key_values::get_value,
        compat::key_values::delete_value, compat::key_values::list_values,
        compat::activity::health, compat::activity::create_event, compat::activity::list_events,
        compat::activity::list_events_slash, compat::search::search,
        search::search_plans, plan::get_plan, plan::get_plan_history,
        feed::list_feeds, feed::create_feed, feed::get_feed, feed::patch_feed, feed::delete_feed,
        feed_run::list_feed_runs, feed_run::create_feed_run, feed_run::get_feed_run, feed_run::confirm_feed_run,
        feed_run::list_rejects, feed_run::replay_rejects))]
struct Document;

/// The OpenAPI document, indented, with a newline at its end: what `/openapi.json` serves, `tenantry
/// openapi` prints and `docs/openapi.json` holds.
#[must_use]
pub fn openapi_json() -> String {
    let mut document = document().to_pretty_json().unwrap_or_default();
    document.push('\n');
    document
}

fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A tenant's key (`tnt_…`) or an administrator's (`tna_…`)."))
        .build();
    let components = document.components.get_or_insert_with(Default::default);
    components.add_security_scheme("key", SecurityScheme::Http(scheme));
    for endpoint in endpoints().iter().filter(|endpoint| endpoint.documented) {
        if let Some(operation) = operation(&mut document, endpoint) {
            complete(operation, endpoint);
        }
    }
    document
}

fn operation<'a>(
    document: &'a mut utoipa::openapi::OpenApi,
    endpoint: &Endpoint,
) -> Option<&'a mut Operation> {
    let item = document.paths.paths.get_mut(endpoint.path)?;
    match endpoint.method.as_str() {
        "GET" => item.get.as_mut(),
        "POST" => item.post.as_mut(),
        "PUT" => item.put.as_mut(),
        "PATCH" => item.patch.as_mut(),
        "DELETE" => item.delete.as_mut(),
        _ => None,
    }
}

/// Adds who is let in, and every refusal with an example.
fn complete(operation: &mut Operation, endpoint: &Endpoint) {
    match endpoint.scope {
        Some(scope) => {
            operation.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("key", [])]);
            let line = format!("Needs the scope `{}`.", scope.as_str());
            let description = operation.description.take().unwrap_or_default();
            operation.description = Some(format!("{description}\n\n{line}").trim_start().to_owned());
            if !scope.is_for_admins_only() {
                operation.parameters.get_or_insert_default().push(RefOr::T(tenant_header()));
            }
        }
        None => operation.security = Some(vec![]),
    }
    let predecessor = endpoint.predecessor();
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in endpoint.refusals() {
        let status = predecessor.map_or(code.status(), |predecessor| predecessor.status(code));
        by_status.entry(status.as_u16()).or_default().push(code);
    }
    for (status, codes) in by_status {
        let refusal = refusal(predecessor, status, &codes);
        operation.responses.responses.insert(status.to_string(), RefOr::T(refusal));
    }
}

/// How an administrator names a tenant.
fn tenant_header() -> Parameter {
    ParameterBuilder::new()
        .name("Tenantry-Tenant")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Which tenant, where the key is an administrator's: its number or its id."))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .example(Some(json!("1")))
        .build()
}

fn refusal(predecessor: Option<Predecessor>, status: u16, codes: &[Code]) -> utoipa::openapi::Response {
    let lines: Vec<String> =
        codes.iter().map(|code| format!("`{}`: {}.", code.as_str(), code.title())).collect();
    let examples = codes.iter().map(|code| {
        let example = predecessor.map_or_else(|| example(*code), |predecessor| predecessor.example(*code));
        (code.as_str(), ExampleBuilder::new().value(Some(example)).build())
    });
    let problem = || Ref::from_schema_name("Problem").into();
    let schema = predecessor.map_or_else(problem, Predecessor::schema);
    let content = ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples).build();
    let media_type = predecessor.map_or("application/problem+json", Predecessor::media_type);
    let mut response = ResponseBuilder::new().description(lines.join(" ")).content(media_type, content);
    let header = match status {
        401 => Some("WWW-Authenticate"),
        503 => Some("Retry-After"),
        _ => None,
    };
    if let Some(name) = header {
        response = response.header(name, HeaderBuilder::new().build());
    }
    response.build()
}

fn example(code: Code) -> serde_json::Value {
    let mut example = json!({
        "type": format!("/problems/{}", code.as_str()),
        "title": code.title(),
        "status": code.status().as_u16(),
        "detail": code.title(),
        "instance": "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d",
        "code": code.as_str(),
    });
    if code == Code::ValidationFailed {
        example["errors"] = json!([{"pointer": "/name", "code": "required", "detail": "is required"}]);
    }
    example
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn parsed() -> Value {
        serde_json::from_str(&openapi_json()).unwrap()
    }

    #[test]
    fn every_route_is_in_the_document_and_nothing_else_is() {
        let document = parsed();
        let mut documented: Vec<String> = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            documented.extend(
                item.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())),
            );
        }
        let mut routed: Vec<String> = endpoints()
            .iter()
            .filter(|endpoint| endpoint.documented)
            .map(|endpoint| format!("{} {}", endpoint.method, endpoint.path))
            .collect();
        documented.sort();
        routed.sort();
        assert_eq!(documented, routed);
    }

    #[test]
    fn every_operation_has_its_refusals_and_its_security() {
        let document = parsed();
        assert_eq!(document["openapi"], "3.1.0");
        for endpoint in endpoints().iter().filter(|endpoint| endpoint.documented) {
            let operation = &document["paths"][endpoint.path][endpoint.method.as_str().to_lowercase()];
            assert!(operation["operationId"].is_string(), "{}", endpoint.path);
            assert_eq!(operation["security"].as_array().unwrap().is_empty(), endpoint.scope.is_none());
            for code in endpoint.refusals() {
                let predecessor = endpoint.predecessor();
                let status = predecessor.map_or(code.status(), |predecessor| predecessor.status(code));
                let kind = predecessor.map_or("application/problem+json", Predecessor::media_type);
                let examples = &operation["responses"][status.as_str()]["content"][kind]["examples"];
                assert!(examples[code.as_str()].is_object(), "{} {}", endpoint.path, code.as_str());
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = parsed();
        let mut stack = vec![&document];
        while let Some(value) = stack.pop() {
            match value {
                Value::Object(members) => {
                    if let Some(Value::String(reference)) = members.get("$ref") {
                        let pointer = reference.trim_start_matches('#');
                        assert!(document.pointer(pointer).is_some(), "{reference}");
                    }
                    stack.extend(members.values());
                }
                Value::Array(elements) => stack.extend(elements),
                _ => {}
            }
        }
    }
}
