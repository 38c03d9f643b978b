//! The command line at a pseudo-terminal.

use std::process::{Command, Stdio};

use rexpect::process::{Signal, WaitStatus};
use rexpect::session::{PtySession, spawn_command};

use super::support::Installation;
use crate::support::DEADLINE;

fn at_a_terminal(mut command: Command) -> PtySession {
    command.stdin(Stdio::inherit());
    spawn_command(command, Some(u64::try_from(DEADLINE.as_millis()).unwrap())).unwrap()
}

/// What is left on the terminal, and how it ended.
fn end(mut session: PtySession) -> (String, Option<i32>) {
    // It comes as one character a byte.
    let bytes: Vec<u8> = session.exp_eof().unwrap().chars().map(|c| u8::try_from(c).unwrap()).collect();
    let rest = String::from_utf8(bytes).unwrap();
    let code = match session.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => Some(code),
        _ => None,
    };
    (rest, code)
}

fn answer(session: &mut PtySession, question: &str, answer: &str) {
    session.exp_string(question).unwrap();
    session.send_line(answer).unwrap();
}

#[actix_web::test]
async fn what_is_missing_is_asked_for() {
    let here = Installation::start().await;
    let mut set = at_a_terminal(here.command(&["kv", "set"]));
    answer(&mut set, "Key: ", "greeting");
    answer(&mut set, "Value: ", "hello, 世界");
    let (shown, code) = end(set);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("created     true"), "{shown}");
    assert_eq!(here.run(&["kv", "get", "greeting"]).printed(), "hello, 世界");

    let mut get = at_a_terminal(here.command(&["kv", "get"]));
    answer(&mut get, "Key: ", "greeting");
    let (shown, code) = end(get);
    assert_eq!(code, Some(0));
    assert!(shown.ends_with("hello, 世界\r\n"), "at a terminal a line's end is added: {shown:?}");

    let mut delete = at_a_terminal(here.command(&["kv", "delete"]));
    answer(&mut delete, "Key: ", "greeting");
    assert_eq!(end(delete).1, Some(0));
    here.run(&["kv", "get", "greeting"]).one_line_of_failure(3);
}

#[actix_web::test]
async fn only_what_is_missing_is_asked_for() {
    let here = Installation::start().await;
    let mut set = at_a_terminal(here.command(&["kv", "set", "a"]));
    answer(&mut set, "Value: ", "");
    let (shown, code) = end(set);
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(here.run(&["kv", "get", "a"]).printed(), "", "an empty value is one");

    let (shown, code) = end(at_a_terminal(here.command(&["kv", "set", "a", "b"])));
    assert!(code == Some(0) && !shown.contains(": "), "{shown}");
}

#[actix_web::test]
async fn an_administrator_is_asked_for_the_tenant() {
    let here = Installation::start().await;
    here.run(&["kv", "set", "mine", "x"]).printed();
    let mut list = at_a_terminal(here.command_with_key(&here.app.admin_key, &["kv", "list"]));
    answer(&mut list, "Tenant (number or id): ", &here.tenant.id);
    let (shown, code) = end(list);
    assert!(code == Some(0) && shown.contains("mine"), "{shown}");
    assert!(!shown.contains(&here.app.admin_key));
}

#[actix_web::test]
async fn a_tenant_is_deleted_when_its_id_is_typed() {
    let here = Installation::start().await;
    let delete = || at_a_terminal(here.command_with_key(&here.app.admin_key, &["tenant", "delete", "1"]));
    let question = "Type 1_acme if it is meant: ";
    let mut refused = delete();
    answer(&mut refused, question, "yes");
    let (shown, code) = end(refused);
    assert!(code == Some(1) && shown.contains("1_acme was not deleted"), "{shown}");
    assert_eq!(here.run_as_admin(&["tenant", "get", "1"]).field("status"), "active");
    let mut meant = delete();
    answer(&mut meant, question, "1_acme");
    let (shown, code) = end(meant);
    assert!(code == Some(0) && shown.contains("deleting"), "{shown}");
}

#[actix_web::test]
async fn a_tenant_and_an_event_ask_for_what_each_must_have() {
    let here = Installation::start().await;
    let mut create = at_a_terminal(here.command_with_key(&here.app.admin_key, &["tenant", "create"]));
    answer(&mut create, "Name: ", "shop");
    let (shown, code) = end(create);
    assert!(code == Some(0) && shown.contains("2_shop"), "{shown}");

    let mut add = at_a_terminal(here.command(&["event", "add", "--environment", "test"]));
    answer(&mut add, "Component: ", "billing");
    answer(&mut add, "Message: ", "paid");
    let (shown, code) = end(add);
    assert!(code == Some(0) && shown.contains("billing"), "{shown}");
}

#[actix_web::test]
async fn a_key_and_a_search_ask_for_what_each_must_have() {
    let here = Installation::start().await;
    let create = ["key", "create", "--tenant", "1"];
    let mut create = at_a_terminal(here.command_with_key(&here.app.admin_key, &create));
    answer(&mut create, "Name (what it is for): ", "reader");
    answer(&mut create, "Scopes (such as events:read,kv:write): ", "catalog:read, kv:read");
    let (shown, code) = end(create);
    assert!(code == Some(0) && shown.contains("kv:read,catalog:read") && shown.contains("tnt_"), "{shown}");

    let mut search = at_a_terminal(here.command(&["catalog", "search", "--ends-at", "2021-12-31"]));
    answer(&mut search, "They start at, or later: ", "2021-01-01");
    let (shown, code) = end(search);
    assert!(code == Some(0) && shown.contains("STARTS"), "{shown}");
}

#[actix_web::test]
async fn ctrl_c_at_a_question_ends_it_and_changes_nothing() {
    let here = Installation::start().await;
    let mut set = at_a_terminal(here.command(&["kv", "set", "a"]));
    set.exp_string("Value: ").unwrap();
    set.send_control('c').unwrap();
    set.exp_eof().unwrap();
    // A shell shows it as 130.
    let ended = set.process().wait().unwrap();
    assert!(matches!(ended, WaitStatus::Signaled(_, Signal::SIGINT, _)), "{ended:?}");
    here.run(&["kv", "get", "a"]).one_line_of_failure(3);
}

#[actix_web::test]
async fn ctrl_d_at_a_question_is_no_answer() {
    let here = Installation::start().await;
    let mut set = at_a_terminal(here.command(&["kv", "set", "a"]));
    set.exp_string("Value: ").unwrap();
    set.send_control('d').unwrap();
    let (shown, code) = end(set);
    assert!(code == Some(2) && shown.contains("VALUE was not given"), "{shown}");
    here.run(&["kv", "get", "a"]).one_line_of_failure(3);
}

#[actix_web::test]
async fn a_standard_input_that_is_no_terminal_is_not_asked() {
    let here = Installation::start().await;
    let mut shell = Command::new("sh");
    shell.env("TENANTRY_URL", here.app.url("")).env("TENANTRY_KEY", &here.tenant.key);
    shell.args(["-c", "exec \"$0\" kv set a < /dev/null", env!("CARGO_BIN_EXE_tenantry")]);
    let (shown, code) = end(at_a_terminal(shell));
    assert!(code == Some(2) && shown.contains("VALUE is missing"), "{shown}");
}

#[actix_web::test]
async fn at_a_terminal_a_value_that_is_no_plain_text_is_refused() {
    let here = Installation::start().await;
    here.run_with_input(&["kv", "set", "a", "--file", "-"], b"\x1b[2J").printed();
    let (shown, code) = end(at_a_terminal(here.command(&["kv", "get", "a"])));
    assert!(code == Some(1) && shown.contains("not plain text") && !shown.contains('\u{1b}'), "{shown:?}");
}

#[actix_web::test]
async fn at_a_terminal_a_table_has_the_terminals_width() {
    let here = Installation::start().await;
    here.run(&["kv", "set", "a", &"long ".repeat(100)]).printed();
    // A new pseudo-terminal has no size until somebody gives it one: `stty` does.
    let mut shell = Command::new("sh");
    shell.env("TENANTRY_URL", here.app.url("")).env("TENANTRY_KEY", &here.tenant.key);
    shell.args(["-c", "stty cols 110 && exec \"$0\" kv list", env!("CARGO_BIN_EXE_tenantry")]);
    let (shown, code) = end(at_a_terminal(shell));
    assert_eq!(code, Some(0), "{shown}");
    let widest = shown.lines().map(unicode_width::UnicodeWidthStr::width).max();
    assert_eq!(widest, Some(110), "{shown}");
    assert!(shown.contains('…'));
}

#[actix_web::test]
async fn progress_is_told_at_a_terminal() {
    let here = Installation::start().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("events.ndjson");
    let line = "{\"component\":\"a\",\"environment\":\"b\",\"message\":\"c\"}\n";
    std::fs::write(&file, line.repeat(600)).unwrap();
    let (shown, code) = end(at_a_terminal(here.command(&["event", "add", "--file", file.to_str().unwrap()])));
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("500 events, 0 rejected"), "{shown:?}");
    assert!(shown.contains("accepted    600"), "{shown:?}");
}
