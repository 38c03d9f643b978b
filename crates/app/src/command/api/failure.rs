//! How a command that spoke to a server ends.

use tenantry_client::{ClientError, Problem};

use super::super::CommandError;

/// What the codes mean, for `--help`.
pub(in crate::command) const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 failed; 2 wrong usage, configuration or input; 3 what was named is not there; 4 something else \
stands there than was expected (a precondition, a conflict); 5 the key is refused, or does not allow it; 6 the server \
does not answer, or is not able to at the moment.";

const FAILED: u8 = 1;
const WRONG_INPUT: u8 = 2;
pub(super) const NOT_FOUND: u8 = 3;
const CONFLICT: u8 = 4;
const NOT_ALLOWED: u8 = 5;
const UNAVAILABLE: u8 = 6;

/// The exit code, and one line that says what happened.
pub(in crate::command) fn report(error: &ClientError) -> (u8, String) {
    let text = match error {
        ClientError::Problem(problem) => of_problem(problem),
        ClientError::Status { status, .. } => {
            format!("something answered with status {status}, which is not Tenantry: a proxy perhaps")
        }
        other => other.to_string(),
    };
    (code(error), text)
}

fn code(error: &ClientError) -> u8 {
    match (error, error.status()) {
        (ClientError::Transport(_), _) | (_, Some(408 | 429 | 502..=504)) => UNAVAILABLE,
        (ClientError::Invalid(_), _) | (_, Some(400 | 413 | 415 | 422)) => WRONG_INPUT,
        (_, Some(404)) => NOT_FOUND,
        (_, Some(409 | 412 | 428)) => CONFLICT,
        (_, Some(401 | 403)) => NOT_ALLOWED,
        _ => FAILED,
    }
}

fn of_problem(problem: &Problem) -> String {
    let mut text = faults_of(problem);
    text.push_str(&format!(" ({})", problem.code));
    if problem.status >= 500
        && let Some(id) = &problem.request_id
    {
        text.push_str(&format!("; the server's log has more under {id}"));
    }
    if problem.after_lost_answer {
        text.push_str("; an earlier attempt got no answer, and may be what did it");
    }
    text
}

/// Every fault that the problem names; where it names one, that is its detail.
pub(super) fn faults_of(problem: &Problem) -> String {
    match problem.errors.as_slice() {
        [] | [_] => problem.detail.clone(),
        several => {
            let several: Vec<String> =
                several.iter().map(|fault| format!("{} {}", fault.pointer, fault.detail)).collect();
            several.join("; ")
        }
    }
}

impl CommandError {
    /// The same, with the address of the server where it says nothing of where it is.
    pub(super) fn of_server(self, url: &str) -> Self {
        match self {
            Self::Api(
                error @ (ClientError::Transport(_) | ClientError::Status { .. } | ClientError::Unexpected(_)),
            ) => {
                let (code, text) = report(&error);
                Self::Exit { code, text: format!("{url}: {text}") }
            }
            other => other,
        }
    }
}
