//! How each predecessor refused. The codes, their statuses and their words are the canonical API's
//! (`problem_code.rs`); here they get the old shape, and where a predecessor had another status, that.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use tenantry_domain::Violation;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};

use crate::problem::Problem;
use crate::problem_code::Code;

/// A system whose contract is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Predecessor {
    /// The registry of tenants, on FastAPI.
    Tenants,
    /// tenantbase, on aiohttp.
    KeyValues,
    /// activity_service, on Flask.
    Activity,
    /// The provider-event search, on Flask.
    Search,
}

/// What FastAPI answered a refusal with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompatTenantsRefusal)]
pub(crate) struct Refusal<'a> {
    /// Why, in words; where the body is at fault, each fault.
    detail: Detail<'a>,
}

/// Why a request was refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompatTenantsDetail)]
#[serde(untagged)]
pub(crate) enum Detail<'a> {
    /// In words.
    #[schema(title = "In words")]
    Words(&'a str),
    /// Each fault of the body.
    #[schema(title = "Each fault")]
    Faults(Vec<Fault<'a>>),
}

/// A fault of the body, as pydantic told it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompatTenantsFault)]
pub(crate) struct Fault<'a> {
    /// The place: `body`, and the members and indices that lead there.
    #[schema(example = json!(["body", "tenant_info"]))]
    loc: Vec<&'a str>,
    /// The rule, for a person.
    #[schema(example = "must be a JSON object")]
    msg: &'a str,
    /// The rule, for programs.
    #[schema(example = "object")]
    r#type: &'a str,
}

/// What the activity service answers a refusal with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompatActivityRefusal)]
pub(crate) struct ErrorText {
    /// Why; where fields are at fault, each of them.
    #[schema(example = "email: is not a valid e-mail address")]
    error: String,
}

/// What the search answered a refusal with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompatSearchRefusal)]
pub(crate) struct SearchRefusal {
    /// Always null.
    #[schema(value_type = Option<Object>, required = true)]
    data: Option<()>,
    error: SearchError,
}

/// Why a search was refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompatSearchError)]
pub(crate) struct SearchError {
    /// The HTTP status, as text.
    #[schema(example = "400")]
    code: String,
    /// Why, in words.
    #[schema(example = "the query parameter 'starts_at' is required")]
    message: String,
}

impl Predecessor {
    const ALL: [Self; 4] = [Self::Tenants, Self::KeyValues, Self::Activity, Self::Search];

    /// Its name in paths.
    fn name(self) -> &'static str {
        match self {
            Self::Tenants => "tenants",
            Self::KeyValues => "key-values",
            Self::Activity => "activity",
            Self::Search => "search",
        }
    }

    /// Whose contract holds at this path of a request, or of the table of routes.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let path = percent_decode_str(path).decode_utf8_lossy();
        let name = path.strip_prefix("/compat/")?.split('/').next();
        Self::ALL.into_iter().find(|predecessor| Some(predecessor.name()) == name)
    }

    /// The status with which it refused for that.
    pub(crate) fn status(self, code: Code) -> StatusCode {
        match (self, code) {
            // FastAPI's HTTPBearer: 403 where there is no token; the service's own check: 401.
            (Self::Tenants, Code::KeyMissing) => StatusCode::FORBIDDEN,
            // FastAPI takes what is no JSON for a fault of the body.
            (Self::Tenants, Code::InvalidJson) => StatusCode::UNPROCESSABLE_ENTITY,
            (Self::KeyValues | Self::Activity, Code::ValidationFailed) => StatusCode::BAD_REQUEST,
            _ => code.status(),
        }
    }

    /// The type of such an answer, without parameters.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::KeyValues => "text/plain",
            Self::Tenants | Self::Activity | Self::Search => "application/json",
        }
    }

    /// The `Content-Type` of such an answer.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::KeyValues => "text/plain; charset=utf-8",
            Self::Tenants | Self::Activity | Self::Search => "application/json",
        }
    }

    /// Gives a refusal its shape.
    pub(crate) fn refuse(self, problem: &Problem, mut response: HttpResponse) -> HttpResponse {
        *response.status_mut() = self.status(problem.code);
        if response.status() != StatusCode::UNAUTHORIZED {
            response.headers_mut().remove(header::WWW_AUTHENTICATE);
        }
        let content_type = HeaderValue::from_static(self.content_type());
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        response.set_body(BoxBody::new(self.body(problem)))
    }

    /// The body of such an answer.
    pub(crate) fn body(self, problem: &Problem) -> Vec<u8> {
        let written = match self {
            Self::Tenants => serde_json::to_vec(&Refusal { detail: detail(problem) }),
            Self::KeyValues => Ok(sentence(problem).into_bytes()),
            Self::Activity => serde_json::to_vec(&ErrorText { error: sentence(problem) }),
            Self::Search => serde_json::to_vec(&SearchRefusal {
                data: None,
                error: SearchError {
                    code: self.status(problem.code).as_str().to_owned(),
                    message: sentence(problem),
                },
            }),
        };
        written.unwrap_or_default()
    }

    /// The schema of such an answer.
    pub(crate) fn schema(self) -> RefOr<Schema> {
        match self {
            Self::Tenants => Ref::from_schema_name("CompatTenantsRefusal").into(),
            Self::KeyValues => ObjectBuilder::new().schema_type(Type::String).into(),
            Self::Activity => Ref::from_schema_name("CompatActivityRefusal").into(),
            Self::Search => Ref::from_schema_name("CompatSearchRefusal").into(),
        }
    }

    /// Such an answer for the OpenAPI document: JSON, or text as a JSON string.
    pub(crate) fn example(self, code: Code) -> serde_json::Value {
        let problem = match code {
            Code::ValidationFailed => Problem::violation("/tenant_info", "object", "must be a JSON object"),
            other => Problem::plain(other),
        };
        let problem = match (self, code) {
            (Self::KeyValues, Code::ValidationFailed) => {
                Problem::violation("/key", "required", "is required")
            }
            (Self::Activity, Code::ValidationFailed) => {
                Problem::violation("/email", "email", "is not a valid e-mail address")
            }
            _ => problem,
        };
        let body = self.body(&problem);
        serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into())
    }
}

fn detail(problem: &Problem) -> Detail<'_> {
    match problem.code {
        Code::KeyMissing | Code::KeyMalformed | Code::KeyUnknown | Code::KeyExpired => {
            Detail::Words("Not authenticated")
        }
        // Starlette's own words.
        Code::RouteNotFound => Detail::Words("Not Found"),
        Code::MethodNotAllowed => Detail::Words("Method Not Allowed"),
        Code::ValidationFailed => Detail::Faults(problem.errors.iter().map(fault).collect()),
        Code::InvalidJson => Detail::Faults(vec![Fault {
            loc: vec!["body"],
            msg: &problem.detail,
            r#type: "value_error.jsondecode",
        }]),
        _ => Detail::Words(&problem.detail),
    }
}

fn fault(violation: &Violation) -> Fault<'_> {
    let members = violation.pointer.split('/').skip(1);
    let loc = std::iter::once("body").chain(members).collect();
    Fault { loc, msg: &violation.detail, r#type: &violation.code }
}

/// What is wrong: each field that is, or the problem's own words.
fn sentence(problem: &Problem) -> String {
    match problem.code {
        Code::ValidationFailed => {
            let faults = problem.errors.iter().map(|violation| {
                let place = violation.pointer.strip_prefix('/').unwrap_or("the body");
                format!("{place}: {}", violation.detail)
            });
            faults.collect::<Vec<_>>().join("; ")
        }
        Code::InvalidJson => format!("the body is not JSON: {}", problem.detail),
        _ => problem.detail.clone().into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenantry_domain::Violations;

    fn faulty() -> Problem {
        let faults = vec![
            Violation::new("/component", "required", "is required"),
            Violation::new("/email", "email", "is not a valid e-mail address"),
        ];
        Problem::invalid(Violations::from_list(faults).unwrap())
    }

    fn text(predecessor: Predecessor, problem: &Problem) -> String {
        String::from_utf8(predecessor.body(problem)).unwrap()
    }

    #[test]
    fn a_path_is_that_of_the_predecessor_that_it_names() {
        for (path, expected) in [
            ("/compat/tenants/api/v1/ping", Some(Predecessor::Tenants)),
            ("/compat/key-values", Some(Predecessor::KeyValues)),
            ("/compat/search/search", Some(Predecessor::Search)),
            ("/compat/%61ctivity/nowhere", Some(Predecessor::Activity)),
            ("/compat/activity2", None),
            ("/compat/", None),
            ("/api/v1/kv/compat/tenants", None),
        ] {
            assert_eq!(Predecessor::of(path), expected, "{path}");
        }
    }

    #[test]
    fn every_fault_of_a_body_is_told_in_the_old_shape() {
        assert_eq!(
            text(Predecessor::Activity, &faulty()),
            r#"{"error":"component: is required; email: is not a valid e-mail address"}"#
        );
        assert_eq!(
            text(Predecessor::Search, &Problem::query("ends_at", "required", "is required")),
            r#"{"data":null,"error":{"code":"400","message":"the query parameter 'ends_at' is required"}}"#
        );
        assert_eq!(
            text(Predecessor::KeyValues, &faulty()),
            "component: is required; email: is not a valid e-mail address"
        );
        assert_eq!(
            text(Predecessor::Tenants, &faulty()),
            r#"{"detail":[{"loc":["body","component"],"msg":"is required","type":"required"},{"loc":["body","email"],"msg":"is not a valid e-mail address","type":"email"}]}"#
        );
    }

    #[test]
    fn every_refusal_says_something_and_none_says_its_cause() {
        for predecessor in Predecessor::ALL {
            for code in Code::ALL {
                let problem = Problem { cause: Some("secret".to_owned()), ..Problem::plain(*code) };
                let text = text(predecessor, &problem);
                assert!(!text.contains("secret"), "{text}");
                let is_error = predecessor.status(*code).is_client_error()
                    || predecessor.status(*code).is_server_error();
                assert!(is_error && (!text.is_empty() || *code == Code::ValidationFailed), "{code:?}");
            }
        }
    }
}
