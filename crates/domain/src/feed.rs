//! Feeds: where a tenant's catalog comes from.

use std::fmt;

use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::text::{no_nul, text_type};
use crate::time_zone::TimeZone;
use crate::timestamp::Timestamp;
use crate::violation::{Violation, Violations, from_validator};

/// A feed's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedId(Uuid);

impl FeedId {
    /// The id that this UUID is.
    #[must_use]
    pub fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Reads a UUID in its usual form with hyphens.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 36).then(|| Uuid::try_parse(text).ok().map(Self)).flatten()
    }

    /// The UUID.
    #[must_use]
    pub fn get(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for FeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_type! {
    /// A feed's name: 1 to 255 characters. Names need not be unique.
    FeedName
}
text_type! {
    /// Where a feed is fetched: an absolute URL of `http` or `https`, of at most 2,048 bytes of ASCII. It holds no
    /// user name and no password, since it is shown and logged.
    FeedUrl
}

impl FeedUrl {
    /// The most bytes of a URL.
    pub const MAX_BYTES: usize = 2048;
}

fn feed_url(url: &str) -> Result<(), ValidationError> {
    let refuse = |code: &'static str, message: &'static str| {
        Err(ValidationError::new(code).with_message(message.into()))
    };
    let rest = url
        .split_once("://")
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"));
    let Some((_, rest)) = rest else { return refuse("url", "must begin with http:// or https://") };
    if url.len() > FeedUrl::MAX_BYTES {
        return refuse("length", "must be at most 2048 bytes long");
    }
    if !url.bytes().all(|b| b.is_ascii_graphic()) {
        return refuse("url", "must hold only printable ASCII characters; percent-encode all others");
    }
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if authority.contains('@') {
        return refuse("credentials", "must hold no user name and no password");
    }
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    if host.is_empty() {
        return refuse("url", "must name a host");
    }
    Ok(())
}

/// What a caller wants a feed to be, unchecked.
#[derive(Debug, Clone, Default, Validate)]
pub struct FeedDraft {
    /// Required.
    #[validate(
        required(message = "is required"),
        length(min = 1, max = 255, message = "must be 1 to 255 characters long"),
        custom(function = no_nul)
    )]
    pub name: Option<String>,
    /// Required.
    #[validate(required(message = "is required"), custom(function = feed_url))]
    pub url: Option<String>,
    /// How long from one run to the next: 10 seconds to 30 days; an hour where absent.
    #[validate(range(min = 10, max = 2_592_000, message = "must be 10 to 2592000"))]
    pub interval_seconds: Option<i64>,
    /// The IANA name of the zone in which the provider's times stand; `UTC` where absent.
    #[validate(skip)]
    pub time_zone: Option<String>,
    /// Whether it is fetched by the timer; yes where absent.
    #[validate(skip)]
    pub enabled: Option<bool>,
}

/// What a feed is to be, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedSettings {
    /// Its name.
    pub name: FeedName,
    /// Where it is fetched.
    pub url: FeedUrl,
    /// How long from one run to the next, give or take a tenth.
    pub interval_seconds: u32,
    /// In which zone times without an offset stand.
    pub time_zone: TimeZone,
    /// Whether it is fetched by the timer. It may be run by hand in any case.
    pub enabled: bool,
}

impl FeedSettings {
    /// Where a draft says nothing: an hour.
    pub const DEFAULT_INTERVAL_SECONDS: u32 = 3600;

    /// Checks a draft.
    ///
    /// # Errors
    /// Every rule that it breaks.
    pub fn parse(draft: FeedDraft) -> Result<Self, Violations> {
        let mut violations = from_validator(draft.validate());
        let time_zone = match draft.time_zone.as_deref() {
            None => Some(TimeZone::UTC),
            Some(name) => TimeZone::parse(name),
        };
        if time_zone.is_none() {
            let detail = "is not the name of a time zone, such as UTC or Europe/Madrid";
            violations.push(Violation::new("/time_zone", "time_zone", detail));
        }
        if let Some(violations) = Violations::from_list(violations) {
            return Err(violations);
        }
        let text = |text: Option<String>| text.unwrap_or_default().into_boxed_str();
        let interval = draft.interval_seconds.and_then(|seconds| u32::try_from(seconds).ok());
        Ok(Self {
            name: FeedName(text(draft.name)),
            url: FeedUrl(text(draft.url)),
            interval_seconds: interval.unwrap_or(Self::DEFAULT_INTERVAL_SECONDS),
            time_zone: time_zone.unwrap_or_default(),
            enabled: draft.enabled.unwrap_or(true),
        })
    }

    /// The same as a draft, for whoever changes a part of it.
    #[must_use]
    pub fn to_draft(&self) -> FeedDraft {
        FeedDraft {
            name: Some(self.name.to_string()),
            url: Some(self.url.to_string()),
            interval_seconds: Some(i64::from(self.interval_seconds)),
            time_zone: Some(self.time_zone.name().to_owned()),
            enabled: Some(self.enabled),
        }
    }
}

/// A feed, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Its id.
    pub id: FeedId,
    /// What its owner says of it.
    pub settings: FeedSettings,
    /// 1 when it was created, one more with each change: what its `ETag` shows.
    pub version: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the timer runs it next; nothing while it is not enabled.
    pub next_run_at: Option<Timestamp>,
    /// When a whole fetch of it last succeeded.
    pub last_success_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> FeedDraft {
        FeedDraft {
            name: Some("Provider".to_owned()),
            url: Some("https://provider.example/api/events".to_owned()),
            ..FeedDraft::default()
        }
    }

    fn faults(draft: FeedDraft) -> Vec<(String, String)> {
        let violations = FeedSettings::parse(draft).unwrap_err().into_vec();
        violations.into_iter().map(|v| (v.pointer, v.code.into_owned())).collect()
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let settings = FeedSettings::parse(draft()).unwrap();
        assert_eq!(
            (settings.interval_seconds, settings.time_zone, settings.enabled),
            (3600, TimeZone::UTC, true)
        );
        assert_eq!(FeedSettings::parse(settings.to_draft()), Ok(settings));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let draft = FeedDraft {
            name: Some(String::new()),
            url: None,
            interval_seconds: Some(9),
            time_zone: Some("Mars".to_owned()),
            enabled: None,
        };
        assert_eq!(
            faults(draft),
            [
                ("/interval_seconds", "range"),
                ("/name", "length"),
                ("/time_zone", "time_zone"),
                ("/url", "required")
            ]
            .map(|(pointer, code)| (pointer.to_owned(), code.to_owned()))
        );
    }

    #[test]
    fn a_url_names_a_host_by_http_and_holds_no_secret() {
        for url in ["http://a", "HTTPS://a:8080/b?c=d", "http://[::1]:80/", "http://127.0.0.1/x@y"] {
            assert!(FeedSettings::parse(FeedDraft { url: Some(url.into()), ..draft() }).is_ok(), "{url}");
        }
        for (url, code) in [
            ("", "url"),
            ("ftp://a/b", "url"),
            ("file:///etc/passwd", "url"),
            ("http:/a", "url"),
            ("http://", "url"),
            ("http://:80/", "url"),
            ("http://[]/", "url"),
            ("http://a b/", "url"),
            ("http://españa.example/", "url"),
            ("http://user:secret@a/", "credentials"),
        ] {
            let found = faults(FeedDraft { url: Some(url.into()), ..draft() });
            assert_eq!(found, [("/url".to_owned(), code.to_owned())], "{url}");
        }
        let long = format!("http://a/{}", "x".repeat(FeedUrl::MAX_BYTES));
        assert_eq!(
            faults(FeedDraft { url: Some(long), ..draft() }),
            [("/url".to_owned(), "length".to_owned())]
        );
    }
}
