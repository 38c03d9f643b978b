//! Events: filtered by a part of the message.

use tenantry_domain::{Event, EventFilter, Message, NewEvent, TenantNumber};

use super::event_filter::{assert_shows, assert_tells_apart};
use crate::fixture::Fixture;
use crate::samples::{AWKWARD_TEXTS, event};

/// Stores an event for each message.
async fn events_saying(s: &Fixture, messages: &[&str]) -> (TenantNumber, Vec<Event>) {
    let tenant = s.tenant().await;
    let mut events = Vec::new();
    for (number, message) in (0..).zip(messages) {
        let new = NewEvent { message: Message::from_stored((*message).to_owned()), ..event(number) };
        events.push(s.append(tenant, new).await);
    }
    (tenant, events)
}

fn saying(part: &str) -> EventFilter {
    EventFilter { message_contains: Some(part.to_owned()), ..EventFilter::default() }
}

pub async fn a_part_of_a_message_is_found_whatever_the_case_of_its_letters(s: &Fixture) {
    let messages = [
        "Error in the API",
        "ERROR elsewhere",
        "Straße",
        "STRASSE",
        "ÄÖÜ ärger",
        "ΟΔΟΣ Σίσυφος",
        "İstanbul",
        "istanbul ISTANBUL",
        "300 \u{212a}", // the sign for kelvin, whose lower case is an ordinary k
        "ПРИВЕТ мир",
        "e\u{301} decomposed",
        "\u{e9} composed",
    ];
    let (tenant, events) = events_saying(s, &messages).await;
    let parts = [
        "error",
        "ERROR",
        "rRoR",
        "api",
        "E",
        "straße",
        "STRASSE",
        "ẞ",
        "ss",
        "äöü",
        "ÄRGER",
        "ä",
        "οδο",
        "ΔΟΣ",
        "Σ",
        "ς",
        "σίσυφος",
        "İ",
        "i",
        "I",
        "ıstanbul",
        "istanbul",
        "k",
        "K",
        "\u{212a}",
        "привет",
        "МИР",
        "É",
        "E\u{301}",
        "\u{301}",
        "",
        " ",
        "absent",
    ];
    for part in parts {
        assert_shows(s, tenant, &events, &saying(part)).await;
    }
}

pub async fn a_part_of_a_message_knows_no_wildcards_and_no_quotes(s: &Fixture) {
    let mut messages = AWKWARD_TEXTS.to_vec();
    messages.extend(["100 percent", "a_b", "axb", "a.b", "A\\_B", "it''s", "50%off", "x", "AND OR NOT NEAR"]);
    let (tenant, events) = events_saying(s, &messages).await;
    let parts = [
        "%",
        "_",
        "a_b",
        "a.b",
        "0%",
        "%o",
        "\\",
        "\\_",
        "\\\\",
        "'",
        "''",
        "\"",
        "`",
        "--",
        ";",
        "$1",
        "?",
        "?1",
        ":name",
        "*",
        "[a-z]",
        "\n",
        "\r\n",
        "\u{1}",
        "\u{7f}",
        " s",
        "  ",
        "🦀",
        "👩",
        "\u{200d}",
        "שלום",
        "\u{202e}",
        "\u{feff}",
        "\u{10ffff}",
        "\u{ffff}",
        "NULL",
        "\" OR 1",
        "and or",
        "NOT",
        "x*",
        "^x",
        "x",
    ];
    for part in parts {
        assert_shows(s, tenant, &events, &saying(part)).await;
    }
}

pub async fn a_part_is_found_at_the_end_of_the_longest_message(s: &Fixture) {
    let long = format!("{}Nadel", "\u{1f33e}".repeat(8187));
    let (tenant, events) = events_saying(s, &[&long, "nothing"]).await;
    assert_tells_apart(s, tenant, &events, &saying("nADEL")).await;
    assert_tells_apart(s, tenant, &events, &saying(&long)).await;
}
