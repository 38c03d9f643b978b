//! A Redis over TLS.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tenantry_cache_contract::{PrivateServer, RecordedBus, free_port, namespace, until};
use tenantry_cache_redis::{RedisCa, RedisOptions};
use tenantry_ports::Change;

use crate::fault::TIMEOUT;
use crate::node::Node;
use crate::open::{bus, options};
use crate::server::{arguments, start};

/// A certificate for 127.0.0.1, its key, and the authority that has signed it, in a directory.
struct Certificates(TempDir);

impl Certificates {
    fn issue() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut authority = CertificateParams::new(Vec::new()).expect("no names");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key"));
        let authority = authority.expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
        let server = server.signed_by(&key, &authority).expect("a certificate");
        for (name, pem) in
            [("ca.pem", authority.pem()), ("server.pem", server.pem()), ("server.key", key.serialize_pem())]
        {
            std::fs::write(directory.path().join(name), pem).expect("written");
        }
        Self(directory)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A Redis that shows them, and its port for TLS.
    fn server(&self) -> (PrivateServer, u16) {
        let port = free_port();
        let [certificate, key, ca] = ["server.pem", "server.key", "ca.pem"].map(|name| self.file(name));
        let (certificate, key, ca) = (certificate.display(), key.display(), ca.display());
        let log = self.file("redis.log");
        let tls = format!(
            "--tls-port {port} --tls-cert-file {certificate} --tls-key-file {key} --tls-ca-cert-file {ca} \
             --tls-auth-clients no --logfile {}",
            log.display()
        );
        (start(move |_| arguments(&tls)), port)
    }

    fn options(&self, port: u16) -> RedisOptions {
        let ca = RedisCa::read(&self.file("ca.pem")).expect("the authority");
        RedisOptions { ca: Some(ca), ..options(&format!("rediss://127.0.0.1:{port}"), namespace(), TIMEOUT) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_whose_authority_is_named_is_trusted() {
    let certificates = Certificates::issue();
    let (_server, port) = certificates.server();
    let options = certificates.options(port);
    let node = Node::up(options.clone()).await;
    node.put("k", 1).await.unwrap();
    assert_eq!(node.version("k").await, Some(1));

    let heard = Arc::new(RecordedBus::default());
    let (one, other) = (bus(options.clone(), Arc::new(RecordedBus::default())), bus(options, heard.clone()));
    until("the node joins the bus", async || !heard.all().is_empty()).await;
    until("the others are told", async || one.bus.announce(vec![Change::Anything]).await.is_ok()).await;
    until("the node hears", async || heard.changes() == [Change::Anything]).await;
    drop(other);
}

/// Neither by the system's authorities nor by another.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_whose_authority_is_not_named_is_not_trusted() {
    let certificates = Certificates::issue();
    let (_server, port) = certificates.server();
    let by_the_system = RedisOptions { ca: None, ..certificates.options(port) };
    for options in [by_the_system, Certificates::issue().options(port)] {
        let node = Node::start(options);
        let made = || {
            let log = std::fs::read_to_string(certificates.file("redis.log")).unwrap();
            log.lines().filter(|line| line.contains("Error accepting a client connection")).count()
        };
        let before = made();
        until("several connections are given up", async || made() >= before + 4).await;
        assert!(!node.is_up().await);
        assert!(node.put("k", 1).await.is_err());
    }
}
