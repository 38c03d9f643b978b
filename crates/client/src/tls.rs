//! TLS, for servers behind an address that begins with `https`.

use std::sync::Arc;

use rustls::client::ClientConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls_platform_verifier::BuilderVerifierExt;

/// What the operating system trusts is trusted; on Linux, `SSL_CERT_FILE` and `SSL_CERT_DIR` name other certificates.
/// Where the address is a plain one nothing is, since it is never used: a machine without certificates must do.
pub(crate) fn config(is_https: bool) -> Result<ClientConfig, rustls::Error> {
    let provider =
        CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(ring::default_provider()));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = match is_https {
        true => builder.with_platform_verifier()?,
        false => builder.with_root_certificates(rustls::RootCertStore::empty()),
    };
    Ok(builder.with_no_client_auth())
}
