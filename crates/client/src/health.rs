//! Whether the server is there.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde::Deserialize;

use crate::client::Client;
use crate::error::ClientError;
use crate::request::Request;

/// Whether the server can do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Readiness {
    /// Whether it can.
    pub is_ready: bool,
    /// Everything that it uses, by name, and whether that works. It is ready without what only makes it faster.
    pub dependencies: BTreeMap<String, bool>,
}

#[derive(Deserialize)]
struct ReadinessBody {
    dependencies: BTreeMap<String, DependencyBody>,
}

#[derive(Deserialize)]
struct DependencyBody {
    status: String,
}

impl Client {
    /// Whether the server answers. It needs no key.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn ping(&self) -> Result<(), ClientError> {
        self.send(&Request::get("/api/v1/ping")).await.map(|_| ())
    }

    /// Whether the server can do its work. It needs no key, and is asked once: to be told "not yet" is an answer.
    ///
    /// # Errors
    /// [`ClientError`], but not for a server that is not ready.
    pub async fn readiness(&self) -> Result<Readiness, ClientError> {
        let answer = self.exchange(&Request::get("/readyz")).await?;
        let body: ReadinessBody = answer.json()?;
        let dependencies = body.dependencies.into_iter().map(|(name, state)| (name, state.status == "up"));
        Ok(Readiness { is_ready: answer.status == StatusCode::OK, dependencies: dependencies.collect() })
    }
}
