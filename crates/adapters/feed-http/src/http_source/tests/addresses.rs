//! Where a fetch may lead. A second address of this machine stands for a public one.

use std::net::Ipv4Addr;

use super::provider::{ok, status};
use super::*;

const PRIVATE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// A source that may go to [`PUBLIC`] alone, and hears these addresses for names, one list after another.
fn source_hearing(answers: Vec<Vec<IpAddr>>) -> HttpFeedSource {
    let options = FeedHttpOptions { allow_private_addresses: false, ..options() };
    HttpFeedSource::with(options, AddressRule::PublicAnd(PUBLIC), Arc::new(Rebinding(Mutex::new(answers))))
}

fn at_public(answers: Vec<Vec<u8>>) -> Provider {
    Provider::at(PUBLIC, move |number, stream| {
        provider::write(stream, &answers[number.min(answers.len() - 1)]);
    })
}

#[tokio::test]
async fn an_address_that_is_not_public_is_not_asked() {
    let inside = Provider::saying(ok("", feed_of(1)));
    let source = HttpFeedSource::new(FeedHttpOptions { allow_private_addresses: false, ..options() });
    let port = inside.address.port();
    for host in ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"] {
        let outcome = fetch(&source, &format!("http://{host}:{port}/?token=secret")).await;
        let text = forbidden(&outcome);
        assert!(
            text.contains("loopback") && text.contains("feeds.allow_private_addresses"),
            "{host}: {text}"
        );
        assert_eq!(outcome.cost.attempts, 1);
    }
    assert!(inside.requests().is_empty());
}

#[tokio::test]
async fn a_redirect_into_private_space_is_not_followed() {
    let inside = Provider::saying(ok("", feed_of(1)));
    let port = inside.address.port();
    for host in ["127.0.0.1", "inside.example", "0x7f.1", "[::1]"] {
        let location = format!("Location: http://{host}:{port}/\r\n");
        let outside = at_public(vec![status("302 Found", &location)]);
        let source = source_hearing(vec![vec![PRIVATE]]);
        let outcome = fetch(&source, &outside.url()).await;
        assert!(forbidden(&outcome).contains("loopback"), "{host}: {:?}", outcome.end);
        assert_eq!((outside.requests().len(), outcome.cost.attempts), (1, 1));
    }
    let outside = at_public(vec![status("302 Found", "Location: file:///etc/passwd\r\n")]);
    let outcome = fetch(&source_hearing(vec![vec![PUBLIC]]), &outside.url()).await;
    assert_eq!(forbidden(&outcome), "its scheme is neither http nor https");
    assert!(inside.requests().is_empty());
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_checked_at_each_connection() {
    let outside = at_public(vec![status("503 Down", "")]);
    let url = format!("http://provider.example:{}/", outside.address.port());
    let source = source_hearing(vec![vec![PUBLIC], vec![PRIVATE]]);
    let outcome = fetch(&source, &url).await;
    assert!(forbidden(&outcome).contains("provider.example is loopback"), "{:?}", outcome.end);
    assert_eq!((outside.requests().len(), outcome.cost.attempts), (1, 2));
}

#[tokio::test]
async fn of_several_addresses_those_that_are_public_are_connected_to() {
    let outside = at_public(vec![ok("", feed_of(7))]);
    let url = format!("http://provider.example:{}/", outside.address.port());
    let source = source_hearing(vec![vec![PRIVATE, "10.0.0.1".parse().unwrap(), PUBLIC]]);
    let outcome = fetch(&source, &url).await;
    assert_eq!((outcome.end, outcome.plans), (whole(), 7));
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_told() {
    let outcome = fetch(&source_hearing(vec![vec![]]), "http://provider.example/?token=secret").await;
    assert!(unavailable(&outcome).starts_with("it cannot be connected to"), "{:?}", outcome.end);
    assert!(!unavailable(&outcome).contains("token"));
}
