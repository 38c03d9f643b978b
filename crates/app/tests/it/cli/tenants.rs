//! `tenantry tenant` and `tenantry key`, in pipes.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::support::Installation;

#[actix_web::test]
async fn a_tenant_is_made_changed_and_deleted() {
    let here = Installation::start().await;
    let made = here
        .run_as_admin(&["tenant", "create", "shop", "--info", r#"{"plan": "gold"}"#, "-o", "json"])
        .json();
    assert_eq!((&made["name"], &made["tenant_info"]), (&json!("shop"), &json!({"plan": "gold"})));
    let id = made["tenant_id"].as_str().unwrap();
    let number = made["tenant_number"].to_string();

    assert_eq!(here.run_as_admin(&["tenant", "get", id]).field("tenant_number"), number);
    let merged = ["tenant", "update", id, "--merge-info", r#"{"seats": 3}"#, "-o", "json"];
    assert_eq!(here.run_as_admin(&merged).json()["tenant_info"], json!({"plan": "gold", "seats": 3}));
    let replaced = ["tenant", "update", &number, "--name", "shop2", "--info", r#"{"a": 1}"#, "-o", "json"];
    let replaced = here.run_as_admin(&replaced).json();
    assert_eq!((&replaced["name"], &replaced["tenant_info"]), (&json!("shop2"), &json!({"a": 1})));
    assert_eq!(here.run_as_admin(&["tenant", "suspend", &number]).field("status"), "suspended");
    assert_eq!(here.run_as_admin(&["tenant", "activate", &number]).field("status"), "active");
    assert_eq!(here.run_as_admin(&["tenant", "delete", &number, "--yes"]).field("status"), "deleting");
}

#[actix_web::test]
async fn a_tenant_is_not_deleted_by_a_script_that_does_not_say_that_it_is_meant() {
    let here = Installation::start().await;
    let refused = here.run_as_admin(&["tenant", "delete", &here.tenant.id]);
    assert!(refused.one_line_of_failure(2).contains("--yes"));
    assert_eq!(here.run_as_admin(&["tenant", "get", &here.tenant.id]).field("status"), "active");
}

#[actix_web::test]
async fn tenants_are_listed_with_filters() {
    let here = Installation::start().await;
    for name in ["shop1", "shop2"] {
        here.run_as_admin(&["tenant", "create", name]).printed();
    }
    here.run_as_admin(&["tenant", "suspend", "2_shop1"]).printed();
    let listed = here.run_as_admin(&["tenant", "list", "--name", "shop", "--status", "suspended"]);
    let lines: Vec<&str> = listed.printed().lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("NUMBER  ID") && lines[1].contains("2_shop1"));
}

#[actix_web::test]
async fn a_key_is_shown_once_and_revoked_by_its_id() {
    let here = Installation::start().await;
    let tenant = here.tenant.id.as_str();
    let create =
        ["key", "create", "ci", "--tenant", tenant, "--scope", "kv:read,kv:write", "--expires-in", "30d"];
    let made = here.run_as_admin(&create);
    let (id, key) = (made.field("key_id").to_owned(), made.field("key").to_owned());
    assert!(key.starts_with("tnt_") && made.field("scopes") == "kv:read,kv:write");
    assert!(made.stderr.contains("not shown again"));
    let set = here.command_with_key(&key, &["kv", "set", "a", "b"]).output().unwrap();
    assert!(set.status.success());

    let list = here.run_as_admin(&["key", "list", "--tenant", tenant]);
    assert!(list.printed().contains(&id) && !list.printed().contains(&key));
    here.run_as_admin(&["key", "revoke", &id, "--tenant", tenant]).printed();
    let refused = here.command_with_key(&key, &["kv", "get", "a"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(5));
    here.run_as_admin(&["key", "revoke", &id, "--tenant", tenant]).one_line_of_failure(3);
}

#[actix_web::test]
async fn a_key_that_is_written_to_a_file_is_not_shown_and_only_its_owners() {
    let here = Installation::start().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ci.key");
    let file = file.to_str().unwrap();
    let create = [
        "key",
        "create",
        "ci",
        "--tenant",
        &here.tenant.id,
        "--scope",
        "kv:write",
        "--to-file",
        file,
        "-o",
        "json",
    ];
    let made = here.run_as_admin(&create);
    let key = fs::read_to_string(file).unwrap();
    assert!(made.json()["key"].is_null() && !made.stdout.contains(key.trim()));
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);

    let mut set = here.command(&["kv", "set", "a", "b", "--key-file", file]);
    assert!(set.env_remove("TENANTRY_KEY").output().unwrap().status.success());
    let again = here.run_as_admin(&create);
    assert!(again.one_line_of_failure(2).contains("cannot be made"), "no file is written over");
    assert_eq!(fs::read_to_string(file).unwrap(), key);
}

#[actix_web::test]
async fn no_file_stays_of_a_key_that_was_refused() {
    let here = Installation::start().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ci.key");
    let create =
        ["key", "create", "ci", "--tenant", "1", "--scope", "fly", "--to-file", file.to_str().unwrap()];
    here.run_as_admin(&create).one_line_of_failure(2);
    assert!(!file.exists());
}
