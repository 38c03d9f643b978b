//! How a client is made.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Url, redirect};

use crate::client::Client;
use crate::retry::RetryPolicy;
use crate::secret::Secret;
use crate::tenant::TenantRef;
use crate::tls;

/// How long a connection without a request is kept: less than the server does (75 s), so that no request is sent into
/// one that is just being closed.
const IDLE: Duration = Duration::from_secs(50);

/// Makes a [`Client`].
#[derive(Debug, Clone)]
#[must_use = "a builder makes a client only by `build`"]
pub struct ClientBuilder {
    url: String,
    key: Option<Secret>,
    tenant: Option<TenantRef>,
    user_agent: String,
    connect_timeout: Duration,
    timeout: Duration,
    retry: RetryPolicy,
    max_answer_bytes: usize,
}

/// Why no client can be made of what was given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The server's address is none.
    #[error("{url} is no address of a server: {why}")]
    Url {
        /// What was given, without what may be a password.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// The key has characters that no key has.
    #[error("the access key has characters that no key has")]
    Key,
    /// The tenant's name has characters that no tenant's has.
    #[error("{0:?} is no tenant: give its number or its id")]
    Tenant(String),
    /// Something below cannot be made ready.
    #[error("the client cannot be made: {0}")]
    Failed(String),
}

impl ClientBuilder {
    pub(crate) fn new(url: String) -> Self {
        Self {
            url,
            key: None,
            tenant: None,
            user_agent: concat!("tenantry-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            max_answer_bytes: 128 * 1024 * 1024,
        }
    }

    /// The access key: a tenant's own (`tnt_…`), or an administrator's (`tna_…`).
    pub fn key(mut self, key: impl Into<Secret>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The tenant whose events and key-values are meant. An administrator's key must name one; a tenant's own says
    /// which it is.
    pub fn tenant(mut self, tenant: impl Into<TenantRef>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// What the program calls itself: `shop/1.4`.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }

    /// How long it may take to connect: 5 s unless told.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one attempt may take, its answer included: 30 s unless told.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often, and after what pauses, a request is sent again.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How many bytes an answer may have, decompressed: 128 MiB unless told. A larger one is an error.
    pub fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.max_answer_bytes = bytes;
        self
    }

    /// Whether the server is on this computer, by the loopback address or `localhost`.
    ///
    /// # Errors
    /// [`BuildError::Url`].
    pub fn is_this_computer(&self) -> Result<bool, BuildError> {
        base_of(&self.url).map(|base| is_this_computer(&base))
    }

    /// The client. Nothing is sent yet.
    ///
    /// Redirects are not followed. An address of this computer is never reached through a proxy; others are, where the
    /// usual variables (`HTTPS_PROXY`, `NO_PROXY`) say so.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(self) -> Result<Client, BuildError> {
        let base = base_of(&self.url)?;
        let mut http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(base.scheme() == "https").map_err(failed)?)
            .default_headers(self.headers()?)
            .user_agent(&self.user_agent)
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            .pool_idle_timeout(IDLE)
            .redirect(redirect::Policy::none());
        if is_this_computer(&base) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(failed)?;
        Ok(Client::new(http, base, self.retry, self.max_answer_bytes))
    }

    fn headers(&self) -> Result<HeaderMap, BuildError> {
        let mut headers = HeaderMap::new();
        if let Some(key) = &self.key {
            let value = HeaderValue::from_str(&format!("Bearer {}", key.expose()));
            let mut value = value.map_err(|_| BuildError::Key)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        if let Some(tenant) = &self.tenant {
            let value = HeaderValue::from_str(tenant.as_str());
            let value = value.map_err(|_| BuildError::Tenant(tenant.as_str().to_owned()))?;
            headers.insert("tenantry-tenant", value);
        }
        Ok(headers)
    }
}

fn failed(error: impl std::fmt::Display) -> BuildError {
    BuildError::Failed(error.to_string())
}

/// The address, without a slash at its end.
fn base_of(text: &str) -> Result<Url, BuildError> {
    // What is not understood may hold a password.
    let shown = |url: Option<&Url>| url.and_then(Url::host_str).map_or("the text", |host| host).to_owned();
    let wrong = |url: Option<&Url>, why: &str| BuildError::Url { url: shown(url), why: why.to_owned() };
    let url = Url::parse(text).map_err(|error| wrong(None, &error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(Some(&url), "it must begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            Some(&url),
            "it must hold no user and no password; the access key is given by itself",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(Some(&url), "it must have no query and no fragment"));
    }
    Ok(url)
}

fn is_this_computer(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(url: &str) -> String {
        ClientBuilder::new(url.to_owned()).build().unwrap_err().to_string()
    }

    #[test]
    fn an_address_that_is_none_is_told_and_not_repeated() {
        assert!(why("127.0.0.1:8080").contains("relative URL without a base"));
        assert!(why("ftp://a.example").contains("must begin with http"));
        assert!(!why("http://ada:secret@a.example").contains("secret"));
        assert!(!why("http://ada:secret@[").contains("secret"));
        assert!(why("http://a.example/?key=1").contains("no query"));
    }

    #[test]
    fn only_this_computer_is_reached_past_every_proxy() {
        let is_local = |url: &str| is_this_computer(&Url::parse(url).unwrap());
        for url in ["http://localhost:1", "http://127.0.0.7", "http://[::1]:8080"] {
            assert!(is_local(url), "{url}");
        }
        for url in ["http://localhost.example", "http://10.0.0.1", "http://0.0.0.0", "https://[2001:db8::1]"]
        {
            assert!(!is_local(url), "{url}");
        }
    }

    #[test]
    fn a_key_or_a_tenant_that_fits_no_header_is_told_without_the_key() {
        let builder = || ClientBuilder::new("http://localhost".to_owned());
        assert!(matches!(builder().key("a\nb").build(), Err(BuildError::Key)));
        assert!(matches!(builder().tenant("ü\n").build(), Err(BuildError::Tenant(_))));
        assert!(!format!("{:?}", builder().key("tna_secret")).contains("secret"));
        assert!(!format!("{:?}", builder().key("tna_secret").build().unwrap()).contains("secret"));
    }

    #[test]
    fn an_https_client_trusts_what_the_system_trusts() {
        let built = ClientBuilder::new("https://tenantry.example".to_owned()).build();
        // A machine may have no certificates at all, which is told.
        assert!(built.is_ok() || matches!(built, Err(BuildError::Failed(_))));
    }
}
