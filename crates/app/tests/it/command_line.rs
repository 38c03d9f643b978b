//! The command line: what each command prints and how it ends.

use std::fs;

use crate::process::{command, tenantry};

#[test]
fn help_tells_of_every_command_and_every_exit_code() {
    let help = tenantry(["--help"]);
    assert_eq!(help.code, Some(0));
    for word in [
        "serve",
        "migrate",
        "seed",
        "check",
        "health",
        "openapi",
        "tenant",
        "key",
        "event",
        "kv",
        "completions",
        "--config",
        "--data-dir",
        "TENANTRY_CONFIG",
        "Exit codes",
    ] {
        assert!(help.stdout.contains(word), "{word} is not in the help");
    }
    for command in [
        "serve",
        "migrate",
        "seed",
        "check",
        "health",
        "openapi",
        "tenant",
        "key",
        "event",
        "kv",
        "completions",
    ] {
        assert_eq!(tenantry([command, "--help"]).code, Some(0));
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    for arguments in [&["fly"][..], &["seed"], &["--demo", "migrate"], &["--listen"], &["openapi", "--demo"]]
    {
        let ended = tenantry(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stdout.is_empty() && !ended.stderr.is_empty());
    }
}

#[test]
fn openapi_prints_the_document_that_the_server_serves() {
    let printed = tenantry(["openapi"]);
    assert_eq!(printed.code, Some(0));
    assert_eq!(printed.stdout, tenantry_http::openapi_json());
    let document: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[test]
fn output_that_nobody_reads_to_its_end_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = command(["openapi"]).stdout(writer).status().unwrap();
    assert!(status.success());
}

#[test]
fn migrate_says_what_it_did_and_the_second_time_that_there_was_nothing_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let migrate = || tenantry(["migrate", "--data-dir", data_dir.to_str().unwrap()]);

    let first = migrate();
    assert_eq!(first.code, Some(0), "{first:?}");
    let applied = first.stdout.lines().filter(|line| line.starts_with("applied ")).count();
    assert!(applied >= 1, "{first:?}");
    assert!(first.stdout.ends_with(&format!("tenantry.db is up to date; migrations applied: {applied}\n")));

    let second = migrate();
    assert_eq!(second.code, Some(0));
    assert!(second.stdout.ends_with("tenantry.db is up to date; migrations applied: 0\n"), "{second:?}");
    assert_eq!(second.stdout.lines().count(), 1);
}

#[test]
fn a_database_elsewhere_needs_no_data_directory_to_be_migrated() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("own.db").display());
    let data_dir = dir.path().join("data");
    let ended = tenantry(["--data-dir", data_dir.to_str().unwrap(), "migrate", "--database-url", &url]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(fs::metadata(dir.path().join("own.db")).unwrap().len() > 0);
    assert!(!data_dir.exists());
}
