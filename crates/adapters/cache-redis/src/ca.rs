//! Whose certificates Redis may show.

use std::fmt;
use std::path::{Path, PathBuf};

use redis::TlsCertificates;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// The authorities by which Redis's certificate is trusted over TLS, in place of the system's.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisCa {
    file: PathBuf,
    pem: Vec<u8>,
}

impl RedisCa {
    /// Reads a file of one or more certificates in PEM. A file that changes is to be read anew.
    ///
    /// # Errors
    /// When it cannot be read, or holds no certificate, or one that cannot be an authority's; in words that name the
    /// file.
    pub fn read(file: &Path) -> Result<Self, String> {
        let fault = |fault: &dyn fmt::Display| format!("{}: {fault}", file.display());
        let pem = std::fs::read(file).map_err(|error| fault(&error))?;
        let mut authorities = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| fault(&error))?;
            authorities.add(certificate).map_err(|error| fault(&error))?;
        }
        if authorities.is_empty() {
            return Err(fault(&"holds no certificate in PEM"));
        }
        Ok(Self { file: file.to_owned(), pem })
    }

    pub(crate) fn certificates(&self) -> TlsCertificates {
        TlsCertificates { client_tls: None, root_cert: Some(self.pem.clone()) }
    }
}

impl fmt::Debug for RedisCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisCa").field(&self.file).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_of_certificates_is_refused_by_its_name() {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("empty.pem", ""),
            ("key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
            ("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ] {
            let file = directory.path().join(name);
            std::fs::write(&file, text).unwrap();
            let refusal = RedisCa::read(&file).unwrap_err();
            assert!(refusal.contains(name), "{refusal}");
        }
        assert!(RedisCa::read(&directory.path().join("missing.pem")).unwrap_err().contains("missing.pem"));
    }
}
