//! `tenantry kv`, in pipes.

use serde_json::json;

use super::support::Installation;
use crate::process::finish;

#[actix_web::test]
async fn a_value_is_printed_byte_by_byte() {
    let here = Installation::start().await;
    here.run(&["kv", "set", "greeting", "hello"]).printed();
    assert_eq!(here.run(&["kv", "get", "greeting"]).printed(), "hello");
    here.run_with_input(&["kv", "set", "bytes", "--file", "-"], b"\xff\x00\x1b[2J\n").printed();
    let got = here.command(&["kv", "get", "bytes"]).output().unwrap();
    assert_eq!(got.stdout, b"\xff\x00\x1b[2J\n");
}

#[actix_web::test]
async fn with_a_format_a_value_is_shown_with_what_is_known_of_it() {
    let here = Installation::start().await;
    here.run(&["kv", "set", "a", "b", "--ttl", "1h", "--content-type", "text/css"]).printed();
    let shown = here.run(&["kv", "get", "a", "-o", "json"]).json();
    assert_eq!((&shown["value"], &shown["encoding"]), (&json!("b"), &json!("utf-8")));
    assert_eq!((&shown["content_type"], &shown["size"]), (&json!("text/css"), &json!(1)));
    assert!(shown["expires_at"].is_string());
    here.run_with_input(&["kv", "set", "bytes", "--file", "-"], &[0xff]).printed();
    let shown = here.run(&["kv", "get", "bytes", "-o", "ndjson"]).json();
    assert_eq!((&shown["value"], &shown["encoding"]), (&json!("/w=="), &json!("base64")));
    assert_eq!(shown["content_type"], json!("application/octet-stream"));
}

#[actix_web::test]
async fn a_value_from_a_file_is_taken_whole() {
    let here = Installation::start().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("value");
    std::fs::write(&file, "line\nline\n").unwrap();
    let file = file.to_str().unwrap();
    let set = here.run(&["kv", "set", "a", "--file", file, "--content-type", "text/plain"]);
    assert_eq!((set.field("created"), set.field("version")), ("true", "1"));
    assert_eq!(here.run(&["kv", "get", "a"]).printed(), "line\nline\n");
    here.run(&["kv", "set", "a", "--file", "/nowhere"]).one_line_of_failure(2);
}

#[actix_web::test]
async fn preconditions_are_kept_and_told_by_the_exit_code() {
    let here = Installation::start().await;
    here.run(&["kv", "set", "a", "1", "--if-present"]).one_line_of_failure(4);
    here.run(&["kv", "set", "a", "1", "--if-absent"]).printed();
    here.run(&["kv", "set", "a", "2", "--if-absent"]).one_line_of_failure(4);
    let second = here.run(&["kv", "set", "a", "2", "--if-match", "1"]);
    assert_eq!(second.field("revision"), "2");
    here.run(&["kv", "set", "a", "3", "--if-match", "1"]).one_line_of_failure(4);
    here.run(&["kv", "delete", "a", "--if-match", "1"]).one_line_of_failure(4);
    assert_eq!(here.run(&["kv", "get", "a"]).printed(), "2");
    assert_eq!(here.run(&["kv", "delete", "a", "--if-match", "2"]).field("deleted"), "true");
    assert!(here.run(&["kv", "get", "a"]).one_line_of_failure(3).contains("key-value-not-found"));
    here.run(&["kv", "delete", "a"]).one_line_of_failure(3);
}

#[actix_web::test]
async fn numbers_are_counted_also_down() {
    let here = Installation::start().await;
    here.run(&["kv", "increment", "n"]).one_line_of_failure(3);
    assert_eq!(here.run(&["kv", "increment", "n", "--initial", "-5"]).field("value"), "-5");
    assert_eq!(here.run(&["kv", "increment", "n"]).field("value"), "-4");
    assert_eq!(here.run(&["kv", "increment", "n", "--by", "-2", "-o", "json"]).json()["value"], json!(-6));
    here.run(&["kv", "set", "t", "-5"]).printed();
    assert_eq!(here.run(&["kv", "get", "t"]).printed(), "-5");
    here.run(&["kv", "set", "t", "text"]).printed();
    here.run(&["kv", "increment", "t"]).one_line_of_failure(4);
}

#[actix_web::test]
async fn in_a_pipe_what_is_missing_is_an_error_that_names_all_of_it() {
    let here = Installation::start().await;
    let missing = |arguments: &[&str]| here.run(arguments).one_line_of_failure(2).to_owned();
    assert!(missing(&["kv", "set"]).contains("KEY and VALUE are missing"));
    assert!(missing(&["kv", "set", "a"]).contains("VALUE is missing"));
    assert!(missing(&["kv", "get"]).contains("KEY is missing"));
    assert!(missing(&["kv", "delete"]).contains("KEY is missing"));
    assert!(missing(&["kv", "increment"]).contains("KEY is missing"));
    assert!(
        missing(&["event", "add", "--message", "x"]).contains("--component and --environment are missing")
    );
    // What comes by a pipe is no answer.
    let piped = here.run_with_input(&["kv", "set"], b"key\nvalue\n");
    assert!(piped.one_line_of_failure(2).contains("KEY and VALUE are missing"));
    let admin = here.run_as_admin(&["kv", "list"]);
    assert!(admin.one_line_of_failure(2).contains("--tenant is missing"));
    let none = here.run_as_admin(&["tenant", "create"]);
    assert!(none.one_line_of_failure(2).contains("NAME is missing"));
}

#[actix_web::test]
async fn what_breaks_a_rule_is_a_wrong_input_and_says_which() {
    let here = Installation::start().await;
    let key = "x".repeat(513);
    let refused = here.run(&["kv", "set", &key, "x"]);
    assert!(refused.one_line_of_failure(2).contains("validation-failed"));
    here.run(&["kv", "get", ".."]).one_line_of_failure(2);
    let two = here.run(&["event", "add", "--component", "", "--environment", "", "--message", "x"]);
    let told = two.one_line_of_failure(2);
    assert!(told.contains("/component must") && told.contains("/environment must"), "{told}");
}

#[actix_web::test]
async fn an_administrator_names_the_tenant_by_flag_or_variable() {
    let here = Installation::start().await;
    here.run(&["kv", "set", "a", "mine"]).printed();
    let id = here.tenant.id.as_str();
    assert_eq!(here.run_as_admin(&["kv", "get", "a", "--tenant", id]).printed(), "mine");
    assert_eq!(here.run_as_admin(&["kv", "--tenant", id, "get", "a"]).printed(), "mine");
    let mut by_variable = here.command_with_key(&here.app.admin_key, &["kv", "get", "a"]);
    assert_eq!(finish(by_variable.env("TENANTRY_TENANT", id)).printed(), "mine");
    here.run_as_admin(&["kv", "get", "a", "--tenant", "77"]).one_line_of_failure(3);
}
