//! Formats, limits, tables, and readers who go away.

use std::process::Stdio;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::support::Installation;
use crate::process::finish;

#[actix_web::test]
async fn a_list_is_a_table_an_array_or_lines() {
    let here = Installation::start().await;
    here.run(&["kv", "set", "a", "1"]).printed();
    here.run(&["kv", "set", "b", "2"]).printed();
    let table = here.run(&["kv", "list"]);
    assert_eq!(table.printed().lines().count(), 3);
    assert!(table.printed().starts_with("KEY  SIZE  TYPE"));
    let array = here.run(&["kv", "list", "-o", "json"]).json();
    assert_eq!((&array[0]["key"], &array[1]["value"]), (&json!("a"), &json!("2")));
    let lines = here.run(&["kv", "list", "--keys-only", "--output", "ndjson"]);
    let lines: Vec<Value> = lines.printed().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["key"], lines[0].get("value")), (&json!("a"), None));
    assert_eq!(here.run(&["kv", "list", "zzz", "-o", "ndjson"]).printed(), "");
}

#[actix_web::test]
async fn a_table_with_wide_letters_stands_in_columns() {
    let here = Installation::start().await;
    for (key, value) in [("日本語", "漢字"), ("cafe\u{301}", "e"), ("🎉", "x")] {
        here.run(&["kv", "set", key, value]).printed();
    }
    let table = here.run(&["kv", "list"]);
    let lines: Vec<&str> = table.printed().lines().collect();
    let place = |line: &str, word: &str| line.rfind(word).map(|at| line[..at].width());
    let column = place(lines[0], "VALUE");
    for (line, value) in lines[1..].iter().zip(["e", "漢字", "x"]) {
        assert_eq!(place(line, value), column, "{table:?}");
    }
}

#[actix_web::test]
async fn what_others_have_stored_moves_nothing_in_a_table() {
    let here = Installation::start().await;
    here.run(&["kv", "set", "a", "\u{1b}[2Jline\nline\u{202e}"]).printed();
    let table = here.run(&["kv", "list"]);
    assert!(table.printed().ends_with("\\u{1b}[2Jline\\nline\\u{202e}\n"), "{table:?}");
    assert_eq!(table.printed().lines().count(), 2);
}

#[actix_web::test]
async fn a_list_that_is_cut_says_so_and_all_is_all() {
    let here = Installation::start().await;
    for n in 0..102 {
        here.app
            .tenant(&here.tenant, reqwest::Method::PUT, &format!("/kv/{n:03}"))
            .body("x")
            .send()
            .await
            .unwrap();
    }
    let count = |printed: &str| printed.lines().count();
    let usual = here.run(&["kv", "list", "-o", "ndjson"]);
    assert_eq!(count(usual.printed()), 100);
    assert!(usual.stderr.contains("more than 100") && usual.stderr.contains("--all"));
    let few = here.run(&["kv", "list", "--limit", "2", "-o", "json"]);
    assert_eq!(few.json().as_array().unwrap().len(), 2);
    let all = here.run(&["kv", "list", "--all", "-o", "ndjson"]);
    assert_eq!((count(all.printed()), all.stderr.as_str()), (102, ""));
    let just = here.run(&["kv", "list", "--limit", "102", "-o", "ndjson"]);
    assert_eq!((count(just.printed()), just.stderr.as_str()), (102, ""), "there is no more");
    assert_eq!(here.run(&["kv", "list", "--limit", "0"]).code, Some(2));
}

#[actix_web::test]
async fn a_list_that_fails_prints_no_titles() {
    let here = Installation::start().await;
    let refused = here.run(&["tenant", "list"]);
    refused.one_line_of_failure(5);
    assert_eq!(refused.stdout, "");
    let refused = here.run(&["tenant", "list", "-o", "json"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(5), ""));
}

#[actix_web::test]
async fn a_reader_who_goes_away_is_no_failure() {
    let here = Installation::start().await;
    here.run(&["kv", "set", "a", "1"]).printed();
    for arguments in [&["kv", "list"][..], &["kv", "get", "a"], &["kv", "list", "-o", "json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = here.command(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let mut told = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut told).unwrap();
        assert_eq!((child.wait().unwrap().code(), told.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[actix_web::test]
async fn completions_are_made_for_each_shell() {
    for (shell, word) in
        [("bash", "complete -F"), ("zsh", "#compdef tenantry"), ("fish", "complete -c tenantry")]
    {
        let script = finish(&mut crate::process::command(["completions", shell]));
        assert!(script.printed().contains(word) && script.printed().contains("increment"), "{shell}");
    }
}
