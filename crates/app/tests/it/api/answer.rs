//! What was answered, and what it must be.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer, whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        let shown: String = body.chars().take(2000).collect();
        write!(f, "{} {:?}\n{shown}", self.status, self.headers)
    }
}

impl Answer {
    /// Insists on the status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Insists on one of the statuses.
    #[track_caller]
    pub(crate) fn expect_one_of(self, statuses: &[u16]) -> Self {
        assert!(statuses.contains(&self.status), "{self:?}");
        self
    }

    /// The value of a header that occurs at most once.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map(|value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} occurs twice: {self:?}");
        value
    }

    /// The value of a header that must be there.
    #[track_caller]
    pub(crate) fn the(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    /// The body as text.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The body of an answer in JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.the("content-type"), "application/json", "{self:?}");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Insists on this problem with all that belongs to every problem, and gives its body.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{code} was to come: {self:?}");
        assert_eq!(self.the("content-type"), "application/problem+json", "{self:?}");
        let problem: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["code"], code, "{self:?}");
        assert_eq!(problem["status"], status, "{self:?}");
        assert_eq!(problem["type"], format!("/problems/{code}"), "{self:?}");
        assert_eq!(problem["instance"], self.the("x-request-id"), "{self:?}");
        for member in ["title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {self:?}");
        }
        problem
    }

    /// Insists on 422 with exactly these faults, each `<pointer> <code>`.
    #[track_caller]
    pub(crate) fn faults(&self, expected: &[&str]) {
        let problem = self.problem(422, "validation-failed");
        assert_eq!(faults_of(&problem), expected, "{self:?}");
    }

    /// Insists on 400 with exactly these faults of the query, each `<pointer> <code>`.
    #[track_caller]
    pub(crate) fn query_faults(&self, expected: &[&str]) {
        let problem = self.problem(400, "invalid-query");
        assert_eq!(faults_of(&problem), expected, "{self:?}");
    }
}

/// The faults of a problem, each `<pointer> <code>`.
#[track_caller]
pub(crate) fn faults_of(problem: &Value) -> Vec<String> {
    let faults = problem["errors"].as_array().cloned().unwrap_or_default();
    let text = |fault: &Value, name: &str| fault[name].as_str().unwrap().to_owned();
    faults
        .iter()
        .map(|fault| {
            assert!(!text(fault, "detail").is_empty(), "{fault}");
            format!("{} {}", text(fault, "pointer"), text(fault, "code"))
        })
        .collect()
}
