//! Asks for a feed, and follows where it is sent to.

use std::time::SystemTime;

use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Client, Response, StatusCode, Url};
use tenantry_ports::{FetchError, Validators};
use tokio::time::timeout;

use super::backoff::retry_after;
use super::fault::Fault;
use super::resolver::{AddressRule, check_literal};
use crate::options::FeedHttpOptions;
use crate::reading::Compression;

/// The most redirects that are followed.
const MAX_REDIRECTS: usize = 5;

/// What a provider answered.
pub(crate) enum Answer {
    Feed(Response),
    NotModified,
}

/// Reads a feed's URL. What it holds beside is checked when it is asked.
pub(crate) fn parse_url(url: &str) -> Result<Url, Fault> {
    // The parser's own text may show a part of the URL.
    Url::parse(url).map_err(|_| Fault::forbidden("it is no URL"))
}

/// Asks at that URL, and wherever it redirects to. Each URL is checked before it is asked, each address before it is
/// connected to.
pub(crate) async fn ask(
    client: &Client,
    options: &FeedHttpOptions,
    rule: AddressRule,
    mut url: Url,
    validators: &Validators,
) -> Result<Answer, Fault> {
    for _ in 0..=MAX_REDIRECTS {
        check(&url, rule)?;
        let request = client.get(url.clone()).headers(headers(validators));
        let answer = timeout(options.answer_timeout, request.send()).await;
        let answer = answer
            .map_err(|_| Fault::passing(format!("it did not answer within {:?}", options.answer_timeout)))?
            .map_err(|error| Fault::of_request(&error))?;
        let status = answer.status();
        match status {
            StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => return Ok(Answer::Feed(answer)),
            StatusCode::NOT_MODIFIED if *validators != Validators::default() => {
                return Ok(Answer::NotModified);
            }
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => url = target(&url, &answer)?,
            _ => return Err(refusal(&answer)),
        }
    }
    Err(unavailable(format!("it redirects more than {MAX_REDIRECTS} times")))
}

fn check(url: &Url, rule: AddressRule) -> Result<(), Fault> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Fault::forbidden("its scheme is neither http nor https"));
    }
    let host = url.host_str().unwrap_or_default();
    check_literal(host, rule).map_err(|refused| Fault::forbidden(refused.0))
}

/// Where an answer redirects to.
fn target(from: &Url, answer: &Response) -> Result<Url, Fault> {
    let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let location =
        location.ok_or_else(|| unavailable("it redirects, and does not say where to".to_owned()))?;
    follow(from, location)
}

/// The URL that a `Location` header names.
fn follow(from: &Url, location: &str) -> Result<Url, Fault> {
    let mut to = from.join(location).map_err(|_| unavailable("it redirects to what is no URL".to_owned()))?;
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err(Fault::forbidden("it redirects from https to http"));
    }
    // Whoever redirects does not choose whom this side says that it is. It fails for URLs without a host alone.
    let _ = to.set_username("");
    let _ = to.set_password(None);
    Ok(to)
}

fn unavailable(text: String) -> Fault {
    Fault::Lasting(FetchError::Unavailable(text))
}

/// What an answer means that is neither a feed nor a redirect.
fn refusal(answer: &Response) -> Fault {
    let status = answer.status();
    let text = format!("it answered with status {}", status.as_u16());
    let is_passing = status.is_server_error()
        || matches!(
            status,
            // A 304 that nobody asked for is a confused cache's.
            StatusCode::NOT_MODIFIED
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_EARLY
                | StatusCode::TOO_MANY_REQUESTS
        );
    if !is_passing {
        return unavailable(text);
    }
    let asked = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    Fault::Passing { text, retry_after: asked.and_then(|value| retry_after(value, SystemTime::now())) }
}

fn headers(validators: &Validators) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/xml, text/xml;q=0.9, */*;q=0.5"));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br"));
    let mut condition = |name, value: &Option<String>| {
        if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    };
    condition(header::IF_NONE_MATCH, &validators.etag);
    condition(header::IF_MODIFIED_SINCE, &validators.last_modified);
    headers
}

/// The longest validator that is kept.
const MAX_VALIDATOR_BYTES: usize = 1024;

/// The validators of an answer.
pub(crate) fn validators(answer: &Response) -> Validators {
    let text = |name| {
        let value = answer.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        value.filter(|value| !value.is_empty() && value.len() <= MAX_VALIDATOR_BYTES).map(str::to_owned)
    };
    Validators { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED) }
}

/// How an answer is compressed.
pub(crate) fn compression(answer: &Response) -> Result<Compression, Fault> {
    let told = answer.headers().get_all(header::CONTENT_ENCODING).iter();
    let told: Vec<_> =
        told.map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase()).collect();
    let told = told.iter().flat_map(|value| value.split(',')).map(str::trim);
    let told: Vec<_> = told.filter(|coding| !coding.is_empty() && *coding != "identity").collect();
    match told[..] {
        [] => Ok(Compression::Untold),
        ["gzip" | "x-gzip"] => Ok(Compression::Gzip),
        ["br"] => Ok(Compression::Brotli),
        [other] => {
            let other: String = other.chars().take(60).collect();
            Err(Fault::unreadable(format!("it is compressed with {other}, and was asked for as gzip or br")))
        }
        [..] => Err(Fault::unreadable("it is compressed several times over")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_keeps_https_and_takes_no_credentials() {
        let from = Url::parse("https://a.example/x/feed?token=1").unwrap();
        for (location, to) in [
            ("/y", "https://a.example/y"),
            ("z?b=1", "https://a.example/x/z?b=1"),
            ("//b.example/", "https://b.example/"),
            ("https://user:secret@b.example:8443/", "https://b.example:8443/"),
        ] {
            assert_eq!(follow(&from, location).unwrap().as_str(), to, "{location}");
        }
        let refused = follow(&from, "http://a.example/").unwrap_err();
        assert!(matches!(refused, Fault::Lasting(FetchError::Forbidden(_))));
        let from = Url::parse("http://a.example/").unwrap();
        assert_eq!(follow(&from, "https://a.example/").unwrap().scheme(), "https");
        assert!(follow(&from, "http://[").is_err());
        for location in ["file:///etc/passwd", "gopher://a/", "data:text/xml,x"] {
            let to = follow(&from, location).unwrap();
            assert!(check(&to, AddressRule::Any).is_err(), "{location}");
        }
    }

    #[test]
    fn every_spelling_of_an_address_is_checked() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://%31%32%37.0.0.1/",
            "http://１２７.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://0/",
            "http://169.254.169.254/latest/meta-data",
        ] {
            let url = Url::parse(url).unwrap();
            assert!(check(&url, AddressRule::Public).is_err(), "{url}");
            assert!(check(&url, AddressRule::Any).is_ok(), "{url}");
        }
        assert!(check(&Url::parse("http://8.8.8.8/").unwrap(), AddressRule::Public).is_ok());
    }
}
