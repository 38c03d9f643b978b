//! Why a draft was refused: every fault at once, each with its place.

use std::borrow::Cow;
use std::fmt;

use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

/// One rule that a value breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where, as a JSON pointer (RFC 6901) into what the caller sent; empty for the whole of it.
    pub pointer: String,
    /// Which rule, as a stable word: `required`, `length`, `email`, `pattern`, `nul`, …
    pub code: Cow<'static, str>,
    /// What the rule is, as a sentence for a person.
    pub detail: String,
}

impl Violation {
    /// The violation of rule `code` at `pointer`.
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: Cow::Borrowed(code), detail: detail.into() }
    }
}

/// At least one [`Violation`], ordered by pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// A single violation.
    #[must_use]
    pub fn one(violation: Violation) -> Self {
        Self(vec![violation])
    }

    /// The violations, or nothing where there are none.
    #[must_use]
    pub fn from_list(mut list: Vec<Violation>) -> Option<Self> {
        list.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        if list.is_empty() { None } else { Some(Self(list)) }
    }

    /// Each violation, by pointer.
    #[must_use]
    pub fn as_slice(&self) -> &[Violation] {
        &self.0
    }

    /// Gives the list away.
    #[must_use]
    pub fn into_vec(self) -> Vec<Violation> {
        self.0
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, violation) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", violation.pointer, violation.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

/// Turns what `validator` found on a flat draft into violations with pointers.
pub(crate) fn from_validator(errors: Result<(), ValidationErrors>) -> Vec<Violation> {
    let Err(errors) = errors else { return Vec::new() };
    let mut list = Vec::new();
    for (field, kind) in errors.errors() {
        if let ValidationErrorsKind::Field(faults) = kind {
            list.extend(faults.iter().map(|fault| Violation {
                pointer: format!("/{field}"),
                code: fault.code.clone(),
                detail: detail_of(fault),
            }));
        }
    }
    list
}

fn detail_of(fault: &ValidationError) -> String {
    if let Some(message) = &fault.message {
        return message.to_string();
    }
    match fault.code.as_ref() {
        "required" => "is required".to_owned(),
        "email" => "is not a valid e-mail address".to_owned(),
        "length" => {
            let bound =
                |name: &str| fault.params.get(name).map_or_else(|| "any".to_owned(), ToString::to_string);
            format!("must be {} to {} characters long", bound("min"), bound("max"))
        }
        other => format!("breaks the rule '{other}'"),
    }
}
