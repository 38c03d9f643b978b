//! Refusals as RFC 9457 problem details.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use tenantry_domain::{Violation, Violations};
use tenantry_ports::StorageError;
use tenantry_services::{
    AccessError, AccessKeyError, EventError, FeedError, KeyValueError, PlanError, TenantError,
};
use utoipa::ToSchema;

use crate::problem_code::Code;

/// Why a request was refused. [`crate::conventions`] writes it out, with the request's id.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) detail: Cow<'static, str>,
    pub(crate) errors: Vec<Violation>,
    /// `Allow`, for 405.
    pub(crate) allow: Option<String>,
    /// For the log alone.
    pub(crate) cause: Option<String>,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), allow: None, cause: None }
    }

    pub(crate) fn plain(code: Code) -> Self {
        Self::new(code, code.title())
    }

    pub(crate) fn invalid(errors: Violations) -> Self {
        let detail = match errors.as_slice() {
            [] => Code::ValidationFailed.title().to_owned(),
            [only] => sentence(only),
            [first, others @ ..] => format!("{}, and {} more", sentence(first), others.len()),
        };
        Self { errors: errors.into_vec(), ..Self::new(Code::ValidationFailed, detail) }
    }

    pub(crate) fn violation(
        pointer: impl Into<String>,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self::invalid(Violations::one(Violation::new(pointer, code, detail)))
    }

    pub(crate) fn query(parameter: &str, code: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            errors: vec![Violation::new(format!("/{parameter}"), code, detail.clone())],
            ..Self::new(Code::InvalidQuery, format!("the query parameter '{parameter}' {detail}"))
        }
    }

    pub(crate) fn method_not_allowed(allow: &str) -> Self {
        Self { allow: Some(allow.to_owned()), ..Self::plain(Code::MethodNotAllowed) }
    }

    pub(crate) fn internal(cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..Self::plain(Code::Internal) }
    }

    /// The wire shape, for the request of that id (an item of a batch has none).
    pub(crate) fn to_wire<'a>(&'a self, instance: Option<&'a str>) -> ProblemDto<'a> {
        ProblemDto {
            r#type: format!("/problems/{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            instance,
            code: self.code.as_str(),
            errors: self.errors.iter().map(ViolationDto::from).collect(),
        }
    }
}

fn sentence(violation: &Violation) -> String {
    let place = if violation.pointer.is_empty() { "the body" } else { &violation.pointer };
    format!("{place} {}", violation.detail)
}

/// RFC 9457 problem details.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDto<'a> {
    /// The page that says what to do: `/problems/<code>`, served by this server.
    #[schema(example = "/problems/validation-failed")]
    pub(crate) r#type: String,
    /// What is wrong, in a few words; the same for each problem of this code.
    #[schema(example = "The request breaks a rule")]
    title: &'a str,
    /// The HTTP status.
    #[schema(example = 422, minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong with this request.
    #[schema(example = "The request breaks a rule")]
    detail: &'a str,
    /// The request's id, as in `X-Request-Id`: the log has more under it. Absent in an item of a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d", nullable = false)]
    instance: Option<&'a str>,
    /// The kind of problem, stable, for programs.
    #[schema(example = "validation-failed")]
    code: &'a str,
    /// Each fault with its place; empty where a problem has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<ViolationDto<'a>>,
}

/// One fault.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Violation)]
pub(crate) struct ViolationDto<'a> {
    /// Where: a JSON pointer (RFC 6901) into the body, or `/` and the name of a query parameter.
    #[schema(example = "/email")]
    pointer: &'a str,
    /// Which rule, stable, for programs.
    #[schema(example = "email")]
    code: &'a str,
    /// The rule, for a person.
    #[schema(example = "is not a valid e-mail address")]
    detail: &'a str,
}

impl<'a> From<&'a Violation> for ViolationDto<'a> {
    fn from(violation: &'a Violation) -> Self {
        Self { pointer: &violation.pointer, code: &violation.code, detail: &violation.detail }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    /// Head only: the body needs the request's id, which the middleware knows.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.code.status());
        if let Some(allow) = &self.allow {
            response.insert_header((header::ALLOW, allow.as_str()));
        }
        match self.code.status() {
            StatusCode::UNAUTHORIZED => {
                response.insert_header((header::WWW_AUTHENTICATE, challenge(self.code)));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                response.insert_header((header::RETRY_AFTER, "1"));
            }
            _ => {}
        }
        response.finish()
    }
}

/// RFC 6750, section 3.
fn challenge(code: Code) -> &'static str {
    match code {
        Code::KeyMissing => r#"Bearer realm="tenantry""#,
        _ => r#"Bearer realm="tenantry", error="invalid_token""#,
    }
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        let code = match &error {
            StorageError::Unavailable(_) => Code::Unavailable,
            StorageError::Full(_) => Code::StorageFull,
            StorageError::Failed(_) => Code::Internal,
        };
        Self { cause: Some(error.to_string()), ..Self::plain(code) }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Malformed => Self::plain(Code::KeyMalformed),
            AccessError::Unknown => Self::plain(Code::KeyUnknown),
            AccessError::Expired => Self::plain(Code::KeyExpired),
            AccessError::TenantSuspended => Self::plain(Code::TenantSuspended),
            AccessError::Storage(error) => error.into(),
        }
    }
}

impl From<TenantError> for Problem {
    fn from(error: TenantError) -> Self {
        match error {
            TenantError::NotFound => Self::plain(Code::TenantNotFound),
            TenantError::TenantRequired => Self::plain(Code::TenantRequired),
            TenantError::Suspended => Self::plain(Code::TenantSuspended),
            TenantError::Deleting => Self::plain(Code::TenantDeleting),
            TenantError::PreconditionFailed { current } => {
                Self::new(Code::PreconditionFailed, format!("the current entity tag is \"{current}\""))
            }
            TenantError::Contended => Self::plain(Code::Contended),
            TenantError::Invalid(errors) => Self::invalid(errors),
            TenantError::Storage(error) => error.into(),
        }
    }
}

impl From<AccessKeyError> for Problem {
    fn from(error: AccessKeyError) -> Self {
        match error {
            AccessKeyError::TenantNotFound => Self::plain(Code::TenantNotFound),
            AccessKeyError::KeyNotFound => Self::plain(Code::AccessKeyNotFound),
            AccessKeyError::Invalid(errors) => Self::invalid(errors),
            AccessKeyError::Entropy => Self::internal("the system gave no random bytes"),
            AccessKeyError::Storage(error) => error.into(),
        }
    }
}

impl From<EventError> for Problem {
    fn from(error: EventError) -> Self {
        match error {
            EventError::NotFound => Self::plain(Code::EventNotFound),
            EventError::TenantNotFound => Self::plain(Code::TenantNotFound),
            EventError::Invalid(errors) => Self::invalid(errors),
            EventError::Storage(error) => error.into(),
        }
    }
}

impl From<PlanError> for Problem {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::NotFound => Self::plain(Code::PlanNotFound),
            PlanError::Storage(error) => error.into(),
        }
    }
}

impl From<FeedError> for Problem {
    fn from(error: FeedError) -> Self {
        match error {
            FeedError::NotFound => Self::plain(Code::FeedNotFound),
            FeedError::RunNotFound => Self::plain(Code::FeedRunNotFound),
            FeedError::TenantNotFound => Self::plain(Code::TenantNotFound),
            FeedError::TooMany(feeds) => {
                Self::new(Code::TooManyFeeds, format!("the tenant has {feeds} feeds, as many as it may have"))
            }
            FeedError::PreconditionFailed { current } => {
                Self::new(Code::PreconditionFailed, format!("the current entity tag is \"{current}\""))
            }
            FeedError::Contended => Self::plain(Code::Contended),
            FeedError::NotHeld => Self::plain(Code::FeedRunNotHeld),
            FeedError::Invalid(errors) => Self::invalid(errors),
            FeedError::Storage(error) => error.into(),
        }
    }
}

impl From<KeyValueError> for Problem {
    fn from(error: KeyValueError) -> Self {
        match error {
            KeyValueError::TenantNotFound => Self::plain(Code::TenantNotFound),
            KeyValueError::KeyNotFound => Self::plain(Code::KeyValueNotFound),
            KeyValueError::PreconditionFailed { current: Some(current) } => {
                Self::new(Code::PreconditionFailed, format!("the current entity tag is \"{current}\""))
            }
            KeyValueError::PreconditionFailed { current: None } => {
                Self::new(Code::PreconditionFailed, "there is nothing under this key")
            }
            KeyValueError::Increment(error) => Self::new(Code::NotIncrementable, error.to_string()),
            KeyValueError::TooLarge { limit } => {
                Self::new(Code::BodyTooLarge, format!("a value may have at most {limit} bytes"))
            }
            KeyValueError::Storage(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_of_storage_has_its_status_and_its_cause_is_not_told() {
        let why = || "no room on /srv/data".to_owned();
        for (fault, status) in [
            (StorageError::Unavailable(why()), StatusCode::SERVICE_UNAVAILABLE),
            (StorageError::Full(why()), StatusCode::INSUFFICIENT_STORAGE),
            (StorageError::Failed(why()), StatusCode::INTERNAL_SERVER_ERROR),
        ] {
            let problem = Problem::from(fault);
            assert_eq!(problem.status_code(), status);
            let told = serde_json::to_string(&problem.to_wire(None)).unwrap();
            assert!(!told.contains("/srv/data"), "{told}");
            assert!(problem.cause.is_some_and(|cause| cause.contains("/srv/data")), "the log has it");
        }
    }
}
