//! Sending a request, again and again where that helps and does no harm.

use tokio::time::Instant;

use crate::client::{Answer, Client};
use crate::error::{ClientError, TransportKind};
use crate::request::{Repeat, Request};
use crate::retry;

/// What an attempt that failed leaves behind.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    /// The request was answered for good.
    Final,
    /// Nothing was done, and it may go better later.
    NothingDone,
    /// It may have been carried out.
    InDoubt,
}

impl Failure {
    fn of(error: &ClientError) -> Self {
        match error {
            ClientError::Transport(error) if error.kind() == TransportKind::Connect => Self::NothingDone,
            ClientError::Transport(_) => Self::InDoubt,
            ClientError::Problem(_) | ClientError::Status { .. } => match error.status() {
                // 408: the body did not come whole; 429: too much was asked for.
                Some(408 | 429) => Self::NothingDone,
                Some(502..=504) => Self::InDoubt,
                _ => Self::Final,
            },
            ClientError::Unexpected(_) | ClientError::Invalid(_) => Self::Final,
        }
    }
}

impl Client {
    /// The answer of a request that was not refused.
    pub(crate) async fn send(&self, request: &Request) -> Result<Answer, ClientError> {
        let begun = Instant::now();
        let mut attempts = 0;
        let mut answer_lost = false;
        loop {
            attempts += 1;
            let error = match self.attempt(request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let failure = Failure::of(&error);
            let may_repeat = match failure {
                Failure::Final => false,
                Failure::NothingDone => true,
                Failure::InDoubt => request.repeat == Repeat::Harmless,
            };
            let pause =
                self.retry_policy().pause(attempts, begun.elapsed(), error.retry_after(), retry::random());
            let (true, Some(pause)) = (may_repeat, pause) else {
                return Err(if answer_lost { error.after_lost_answer() } else { error });
            };
            answer_lost |= failure == Failure::InDoubt;
            // The path is not told: it may hold a key of a key-value.
            tracing::debug!(http.method = %request.method, attempts, pause_ms = pause.as_millis(), %error,
                "a request is sent again");
            tokio::time::sleep(pause).await;
        }
    }
}
