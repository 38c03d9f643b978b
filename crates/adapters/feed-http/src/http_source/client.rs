//! The HTTP client, set so that it does nothing by itself.

use std::sync::Arc;

use reqwest::{Client, redirect};
use rustls::{ClientConfig, RootCertStore};

use super::resolver::{AddressRule, CheckedResolver, Lookup};
use crate::options::FeedHttpOptions;

/// Makes the client. It follows no redirect, goes over no proxy, keeps no cookie, no connection and no header from one
/// request to the next, and does not decompress: what it is allowed to is decided where each is looked at.
pub(crate) fn make(
    options: &FeedHttpOptions,
    lookup: Arc<dyn Lookup>,
    rule: AddressRule,
) -> Result<Client, String> {
    let client = Client::builder()
        .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(Arc::new(CheckedResolver { lookup, rule }))
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .http1_only()
        .pool_max_idle_per_host(0)
        .connect_timeout(options.connect_timeout)
        .retry(reqwest::retry::never())
        .tls_backend_preconfigured(tls().map_err(|error| error.to_string())?)
        .build();
    client.map_err(|error| error.to_string())
}

/// TLS with the certificates that the system trusts (or the file that `SSL_CERT_FILE` names). Where it has none, each
/// connection over TLS fails, and says why.
fn tls() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
