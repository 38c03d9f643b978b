//! `tenantry event`, in pipes.

use serde_json::{Value, json};
use uuid::Uuid;

use super::support::Installation;

fn line(component: &str, id: Option<Uuid>) -> String {
    let mut event = json!({"component": component, "environment": "test", "message": "x"});
    if let Some(id) = id {
        event["id"] = id.to_string().into();
    }
    format!("{event}\n")
}

const ADD: [&str; 4] = ["event", "add", "--file", "-"];

#[actix_web::test]
async fn an_event_is_added_shown_and_listed() {
    let here = Installation::start().await;
    let add = [
        "event",
        "add",
        "--component",
        "billing",
        "--environment",
        "test",
        "--message",
        "Order 4711 failed",
        "--email",
        "ada@example.com",
        "--data",
        r#"{"order": 4711}"#,
        "-o",
        "json",
    ];
    let added = here.run(&add).json();
    assert_eq!((&added["sequence"], &added["data"]), (&json!(1), &json!({"order": 4711})));
    let id = added["id"].as_str().unwrap();
    assert_eq!(here.run(&["event", "get", id]).field("message"), "Order 4711 failed");
    here.run(&["event", "get", "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d"]).one_line_of_failure(3);
    here.run(&["event", "get", "1"]).one_line_of_failure(2);
    let found = here.run(&[
        "event",
        "list",
        "--component",
        "billing",
        "--message",
        "FAILED",
        "--data",
        r#"{"order": 4711}"#,
        "--from",
        "2026-01-01",
        "-o",
        "json",
    ]);
    assert_eq!(found.json().as_array().unwrap().len(), 1);
    assert_eq!(here.run(&["event", "list", "--component", "other", "-o", "json"]).printed(), "[]\n");
    here.run(&["event", "list", "--from", "someday"]).one_line_of_failure(2);
}

#[actix_web::test]
async fn a_file_of_any_length_is_stored_in_its_order() {
    let here = Installation::start().await;
    let lines: String = (0..1201).map(|n| line(&n.to_string(), None)).collect();
    let added = here.run_with_input(&ADD, lines.as_bytes());
    assert_eq!((added.field("accepted"), added.field("rejected")), ("1201", "0"));
    assert_eq!(added.stderr, "", "in a pipe no progress is told");
    let listed = here.run(&["event", "list", "--order", "oldest", "--all", "-o", "ndjson"]);
    let components: Vec<String> = listed
        .printed()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["component"].as_str().unwrap().to_owned())
        .collect();
    assert!(components.iter().enumerate().all(|(n, component)| *component == n.to_string()));
    assert_eq!(components.len(), 1201);
}

#[actix_web::test]
async fn each_line_stands_or_falls_alone_and_is_told_in_order() {
    let here = Installation::start().await;
    let id = Uuid::now_v7();
    let unknown = r#"{"component": "a", "environment": "b", "message": "c", "colour": 1}"#;
    let lines =
        [&line("a", Some(id)), "\n", &line("", None), "not JSON\n", &line("b", Some(id)), unknown].concat();
    let added = here.run_with_input(&[&ADD[..], &["-o", "ndjson"]].concat(), lines.as_bytes());
    assert_eq!(added.code, Some(1));
    let outcomes: Vec<Value> = added.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> =
        outcomes.iter().map(|outcome| (outcome["line"].as_u64(), outcome["status"].as_u64())).collect();
    let expected =
        [(1, 201), (3, 422), (4, 422), (5, 200), (6, 422)].map(|(line, status)| (Some(line), Some(status)));
    assert_eq!(told, expected);
    assert_eq!(outcomes[1]["problem"]["errors"][0]["pointer"], json!("/component"));
    let complaints: Vec<&str> = added.stderr.lines().collect();
    assert_eq!(complaints.len(), 3, "{complaints:?}");
    assert!(complaints[0].starts_with("tenantry: line 3: /component must"));
    assert!(complaints[2].contains("line 6: is no event: unknown field `colour`"));
}

#[actix_web::test]
async fn a_file_with_ids_may_be_sent_again() {
    let here = Installation::start().await;
    let lines: String = (0..10).map(|n| line(&n.to_string(), Some(Uuid::now_v7()))).collect();
    assert_eq!(here.run_with_input(&ADD, lines.as_bytes()).field("accepted"), "10");
    let again = here.run_with_input(&[&ADD[..], &["-o", "json"]].concat(), lines.as_bytes()).json();
    assert_eq!(again, json!({"lines": 10, "accepted": 0, "duplicates": 10, "rejected": 0}));
}

#[actix_web::test]
async fn an_event_whose_id_was_there_is_shown_as_it_is_stored() {
    let here = Installation::start().await;
    let id = Uuid::now_v7().to_string();
    let add = |message| {
        let flags = ["--component", "a", "--environment", "b", "--message", message, "--id", &id];
        here.run(&[&["event", "add"][..], &flags].concat())
    };
    assert_eq!(add("first").field("message"), "first");
    let second = add("second");
    assert_eq!((second.field("message"), second.field("sequence")), ("first", "1"));
    assert!(second.stderr.contains("stored before"));
}

#[actix_web::test]
async fn of_very_many_wrong_lines_a_hundred_are_told() {
    let here = Installation::start().await;
    let added = here.run_with_input(&ADD, "wrong\n".repeat(700).as_bytes());
    assert_eq!(added.code, Some(1));
    assert_eq!(added.stderr.lines().count(), 101);
    assert!(added.stderr.ends_with("tenantry: 600 more lines were rejected\n"), "{}", added.stderr);
}

#[actix_web::test]
async fn a_file_that_is_broken_off_says_which_lines_are_in_doubt() {
    let here = Installation::start().await;
    let suspended = here.run_as_admin(&["tenant", "suspend", &here.tenant.id]);
    assert_eq!(suspended.code, Some(0));
    let refused = here.run_with_input(&ADD, line("a", None).repeat(3).as_bytes());
    let told = refused.one_line_of_failure(5);
    assert!(told.contains("lines 1 to 3: ") && told.contains("0 were stored"), "{told}");
}
