//! Dumps of activity_service.

use std::time::Instant;

use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Installation, all, fixture};
use crate::process::{command, signal};
use crate::support::{DEADLINE, TestApp};

async fn events(app: &TestApp, filter: &str) -> Vec<Value> {
    all(app, Some("1"), &format!("/events?order=asc{filter}"), "events").await
}

/// What must hold of the events of a dump, whatever the type of its times.
pub(crate) fn check_events(events: &[Value], rows: usize) {
    assert_eq!(events.len(), rows);
    for (sequence, event) in (1_u64..).zip(events) {
        assert_eq!(event["sequence"], sequence);
    }
    let times: Vec<_> = events.iter().map(|event| event["created_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let of = |n: u32| {
        let message = format!("order\t{n} \\ failed\nit's so");
        events
            .iter()
            .find(|event| event["message"] == message)
            .unwrap_or_else(|| panic!("there is no {message}"))
    };
    // md5('event 1'), and 919 minutes after the first moment.
    assert_eq!(of(1)["id"], "4f6efe50-8a2e-3670-967d-df638961d374");
    assert_eq!(of(1)["created_at"], "2021-04-16T15:19:00.250000Z");
    assert_eq!(of(1)["email"], Value::Null, "an empty address is none");
    assert_eq!(of(1)["data"], json!({"n": 1, "text": "\"\t\\"}));
    assert_eq!(of(3)["email"], "a3@example.com");
    assert_eq!((&of(4)["data"], &of(4)["component"]), (&json!({}), &json!("component 1")));
}

#[tokio::test]
async fn events_keep_their_ids_and_times_also_after_a_second_import() {
    for name in ["activity-timestamp.sql", "activity-epoch-text.sql", "activity-inserts.sql"] {
        let installation = Installation::new();
        let dump = fixture(name);
        let import = || installation.import_well(["--new-tenant", "legacy", dump.to_str().unwrap()]);
        let told = import();
        assert!(
            told.ends_with("events: 20 rows read, 20 stored into 1_legacy, 0 already there, 0 rejected"),
            "{told}"
        );
        let told = import();
        assert!(
            told.ends_with("events: 20 rows read, 0 stored into 1_legacy, 20 already there, 0 rejected"),
            "{told}"
        );

        let app = installation.serve();
        check_events(&events(&app, "").await, 20);
        assert_eq!(events(&app, "&from_date=04-17-2021").await.len(), 0);
        assert_eq!(events(&app, "&from_date=04-16-2021&to_date=2021-04-16T02:00:00Z").await.len(), 2);
        let new = json!({"component": "c", "environment": "e", "message": "new"});
        let sent = app.admin(Method::POST, "/events").header("Tenantry-Tenant", "1").json(&new);
        let new: Value = sent.send().await.unwrap().json().await.unwrap();
        assert_eq!(new["sequence"], 21, "{name}");
        assert!(new["created_at"].as_str() > Some("2026"), "{new}");
    }
}

#[tokio::test]
async fn events_behind_newer_ones_are_raised_and_told() {
    let installation = Installation::new();
    let line =
        |id: u32, time: &str| format!("00000000-0000-4000-8000-{id:012}\tc\te\tm\t\\N\t{{}}\t{time}\n");
    let dump = |lines: String| {
        let columns = "id, component, environment, message, email, data, created_at";
        installation.file(format!("COPY public.events ({columns}) FROM stdin;\n{lines}\\.\n"))
    };
    let first = dump(line(1, "2022-05-05 00:00:00"));
    installation.import_well(["--new-tenant", "legacy", first.to_str().unwrap()]);
    let second = dump(
        line(2, "2022-05-06 00:00:00") + &line(3, "2022-05-04 00:00:00") + &line(4, "2999-01-01 00:00:00"),
    );
    let ended = installation.import(["--tenant", "1", second.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("3 stored into 1_legacy, 2 of them under another time"), "{ended:?}");
    let told: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(told.len(), 2, "{ended:?}");
    assert!(told[0].contains("line 3: created_at became 2022-05-05T00:00:00.000000Z"), "{ended:?}");
    assert!(told[1].contains("line 4: created_at became 202"), "{ended:?}");
    let app = installation.serve();
    let times: Vec<_> =
        events(&app, "").await.iter().map(|event| event["created_at"].as_str().unwrap().to_owned()).collect();
    assert!(times.is_sorted() && times.len() == 4, "{times:?}");
}

#[tokio::test]
async fn an_import_that_is_killed_goes_on_without_doubling() {
    const ROWS: u32 = 60_000;
    let installation = Installation::new();
    let rows: String = (0..ROWS)
        .map(|n| {
            format!(
                "{n:08x}-0000-4000-8000-000000000000\tc\te\tm{n}\t\\N\t{{}}\t{}\n",
                1_600_000_000 + n * 7 % ROWS
            )
        })
        .collect();
    let columns = "id, component, environment, message, email, data, created_at";
    let dump = installation.file(format!("COPY events ({columns}) FROM stdin;\n{rows}\\.\n"));
    let mut import = command(["import", "--new-tenant", "legacy", "--data-dir"]);
    let mut importing = import.arg(installation.data_dir.path()).arg(&dump).spawn().unwrap();
    let log = installation.data_dir.path().join("tenantry.db-wal");
    let begun = Instant::now();
    // The log holds the schema from the start; it grows when events are stored.
    while std::fs::metadata(&log).map_or(0, |log| log.len()) < 1 << 20 {
        assert!(begun.elapsed() < DEADLINE, "no row arrives");
        assert!(importing.try_wait().unwrap().is_none(), "it ended before it could be killed");
    }
    signal(importing.id(), Signal::KILL);
    importing.wait().unwrap();

    let told = installation.import_well(["--new-tenant", "legacy", dump.to_str().unwrap()]);
    let counts: Vec<u32> = told.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [read, stored, there, rejected] = counts[..] else { panic!("{told}") };
    assert_eq!((read, rejected), (ROWS, 0), "{told}");
    assert!(stored < ROWS && there > 0 && stored + there == ROWS, "{told}");
    let app = installation.serve();
    let events = events(&app, "").await;
    assert_eq!(events.len(), ROWS as usize);
    assert_eq!(events.last().unwrap()["sequence"], ROWS);
    let times: Vec<_> = events.iter().map(|event| event["created_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted());
}
