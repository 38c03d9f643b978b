//! Every stored event, as `GET /api/v1/events` tells them: oldest first, page by page.

use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::Result;
use crate::http::Client;

/// A stored event.
#[derive(Debug, Deserialize)]
pub(crate) struct StoredEvent {
    pub(crate) id: Uuid,
    pub(crate) sequence: u64,
    pub(crate) component: String,
    pub(crate) environment: String,
    pub(crate) message: String,
    pub(crate) email: Option<String>,
    pub(crate) data: Box<RawValue>,
}

#[derive(Debug, Deserialize)]
struct Page {
    events: Vec<StoredEvent>,
    next_cursor: Option<String>,
}

/// Shows `see` every event behind that sequence.
pub(crate) fn walk(
    address: SocketAddr,
    key: &str,
    after_sequence: u64,
    mut see: impl FnMut(StoredEvent),
) -> Result<()> {
    let mut client = Client::connect(address, Some(key))?;
    let first = match after_sequence {
        0 => "/api/v1/events?order=asc&limit=1000".to_owned(),
        sequence => format!("/api/v1/events?order=asc&limit=1000&after_sequence={sequence}"),
    };
    let mut path = first.clone();
    loop {
        let Page { events, next_cursor } = client.get(&path)?.json(200)?;
        if events.is_empty() && next_cursor.is_some() {
            return Err("a page of events is empty and yet not the last".into());
        }
        events.into_iter().for_each(&mut see);
        let Some(cursor) = next_cursor else { return Ok(()) };
        path = format!("{first}&cursor={}", percent_encoded(&cursor));
    }
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[test]
fn a_cursor_may_hold_anything() {
    assert_eq!(percent_encoded("aZ-9_.~"), "aZ-9_.~");
    assert_eq!(percent_encoded("a+/="), "a%2B%2F%3D");
}
