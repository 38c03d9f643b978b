//! A client of the HTTP API in Rust: typed, small, and complete enough to begin with.
//!
//! ```console
//! $ tenantry serve --demo            # in one shell; in another:
//! $ export TENANTRY_URL=http://127.0.0.1:8080 TENANTRY_KEY="$(cat tenantry-data/admin.key)"
//! $ cargo run --package tenantry --example consume_the_api
//! ```
//!
//! A tenant's own key says which tenant is meant. An admin key must name one: it is the first here.

use std::error::Error;
use std::fmt;

use reqwest::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let tenantry = Tenantry::from_environment()?;

    // An event is stored, on disk, when the answer is there.
    let event = NewEvent {
        component: "billing",
        environment: "production",
        message: "order 4711 failed",
        email: Some("ada@example.com"),
        data: json!({"order": 4711, "reason": "card_declined"}),
    };
    let stored = tenantry.create_event(&event).await?;
    println!("stored event {} as number {} of its tenant", stored.id, stored.sequence);

    // A list comes in pages; the cursor leads from one to the next.
    let mut cursor = None;
    let mut count = 0;
    loop {
        let page = tenantry.list_events("billing", "FAILED", cursor.as_deref()).await?;
        count += page.events.len();
        cursor = page.next_cursor;
        if cursor.is_none() || count >= 100 {
            break;
        }
    }
    println!("{count} events of the component billing tell of a failure");

    // A value's entity tag is its revision: write only over what you have read.
    let first = tenantry.put("colour", "teal", None).await?;
    let second = tenantry.put("colour", "umber", Some(&first)).await?;
    println!("the key colour went from revision {first} to {second}");
    println!("it holds {:?}", tenantry.get("colour").await?);

    // Whoever still holds the first revision is told so: nothing is overwritten by accident.
    match tenantry.put("colour", "pink", Some(&first)).await {
        Err(ApiError::Refused(problem)) if problem.status == StatusCode::PRECONDITION_FAILED => {
            println!("as it should be: {problem}");
        }
        other => return Err(format!("the write was not refused: {other:?}").into()),
    }

    // A refusal says which rules what was sent breaks, and where.
    match tenantry.create_event(&NewEvent { component: "", email: Some("nobody"), ..event }).await {
        Err(ApiError::Refused(problem)) => println!("as it should be: {problem}"),
        other => return Err(format!("the event was not refused: {other:?}").into()),
    }
    Ok(())
}

/// A Tenantry, and the key with which to call it.
struct Tenantry {
    client: Client,
    base: Url,
    key: String,
}

#[derive(Clone, Serialize)]
struct NewEvent<'a> {
    component: &'a str,
    environment: &'a str,
    message: &'a str,
    email: Option<&'a str>,
    data: Value,
}

/// What of an event this program looks at; what it does not name is passed over.
#[derive(Debug, Deserialize)]
struct Event {
    id: String,
    sequence: u64,
}

#[derive(Debug, Deserialize)]
struct EventPage {
    events: Vec<Event>,
    next_cursor: Option<String>,
}

impl Tenantry {
    fn from_environment() -> Result<Self, Box<dyn Error>> {
        let variable = |name| std::env::var(name).map_err(|_| format!("the variable {name} is not set"));
        let base = Url::parse(&variable("TENANTRY_URL")?)?.join("/api/v1/")?;
        Ok(Self { client: Client::new(), base, key: variable("TENANTRY_KEY")? })
    }

    async fn create_event(&self, event: &NewEvent<'_>) -> Result<Event, ApiError> {
        let answer = self.request(Method::POST, "events", &[])?.json(event).send().await?;
        Ok(checked(answer).await?.json().await?)
    }

    async fn list_events(
        &self,
        component: &str,
        message: &str,
        cursor: Option<&str>,
    ) -> Result<EventPage, ApiError> {
        let mut query = vec![("component", component), ("message", message), ("limit", "20")];
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let answer = self.request(Method::GET, "events", &query)?.send().await?;
        Ok(checked(answer).await?.json().await?)
    }

    /// Stores a value, if `expected` is the revision that stands; answers with the new revision.
    async fn put(&self, key: &str, value: &str, expected: Option<&str>) -> Result<String, ApiError> {
        let mut request = self.request(Method::PUT, &format!("kv/{key}"), &[])?;
        if let Some(expected) = expected {
            request = request.header(IF_MATCH, expected);
        }
        let request = request.header(CONTENT_TYPE, "text/plain").body(value.to_owned());
        let answer = checked(request.send().await?).await?;
        let tag = answer.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
        Ok(tag.unwrap_or_default().to_owned())
    }

    async fn get(&self, key: &str) -> Result<String, ApiError> {
        let answer = self.request(Method::GET, &format!("kv/{key}"), &[])?.send().await?;
        Ok(checked(answer).await?.text().await?)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<RequestBuilder, ApiError> {
        let mut url = self.base.join(path).map_err(|error| ApiError::Address(error.to_string()))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.client.request(method, url).bearer_auth(&self.key);
        let is_admin = self.key.starts_with("tna_");
        Ok(if is_admin { request.header("Tenantry-Tenant", "1") } else { request })
    }
}

/// Turns a refusal into an error that can be looked into.
async fn checked(answer: Response) -> Result<Response, ApiError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let is_problem = answer
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"));
    if !is_problem {
        return Err(ApiError::Status(status));
    }
    let body: ProblemBody = answer.json().await?;
    Err(ApiError::Refused(Problem { status, body }))
}

#[derive(Debug)]
enum ApiError {
    /// No answer, or one that was not understood.
    Transport(reqwest::Error),
    /// The address is none.
    Address(String),
    /// A refusal that says why (RFC 9457).
    Refused(Problem),
    /// A refusal of something in between, a proxy perhaps.
    Status(StatusCode),
}

#[derive(Debug)]
struct Problem {
    status: StatusCode,
    body: ProblemBody,
}

#[derive(Debug, Deserialize)]
struct ProblemBody {
    /// Stable: what a program decides by.
    code: String,
    /// For people.
    detail: String,
    #[serde(default)]
    errors: Vec<Violation>,
}

#[derive(Debug, Deserialize)]
struct Violation {
    pointer: String,
    detail: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status.as_u16(), self.body.code, self.body.detail)?;
        for violation in &self.body.errors {
            write!(f, "; {} {}", violation.pointer, violation.detail)?;
        }
        Ok(())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(error) => error.fmt(f),
            Self::Address(text) => write!(f, "not an address: {text}"),
            Self::Refused(problem) => problem.fmt(f),
            Self::Status(status) => write!(f, "refused with status {status}"),
        }
    }
}

impl Error for ApiError {}

impl From<reqwest::Error> for ApiError {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error)
    }
}
