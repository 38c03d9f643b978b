//! Which server, and which key.

use std::fs;

use super::support::Installation;
use crate::process::{command, finish};

#[actix_web::test]
async fn on_the_servers_computer_the_configuration_leads_to_server_and_key() {
    let here = Installation::start().await;
    let listen = here.app.address.to_string();
    let mut list = command(["tenant", "list", "-o", "ndjson"]);
    list.env("TENANTRY_LISTEN", &listen).env("TENANTRY_DATA_DIR", here.app.data_dir());
    let listed = finish(&mut list);
    assert!(listed.printed().contains("1_acme"));
    assert!(!listed.stdout.contains(&here.app.admin_key));

    // An address of every interface is reached by the loopback.
    let everywhere = format!("0.0.0.0:{}", here.app.address.port());
    assert_eq!(finish(list.env("TENANTRY_LISTEN", everywhere)).code, Some(0));
}

#[actix_web::test]
async fn a_key_is_taken_from_flag_file_or_variable_in_this_order() {
    let here = Installation::start().await;
    here.run(&["kv", "set", "a", "1"]).printed();
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("good.key");
    fs::write(&good, format!("{}\n", here.tenant.key)).unwrap();
    let good = good.to_str().unwrap();
    let with = |flags: &[&str], variables: &[(&str, &str)]| {
        let mut get = command([&["kv", "get", "a"], flags].concat());
        get.env("TENANTRY_URL", here.app.url("")).envs(variables.iter().copied());
        finish(&mut get).code
    };
    assert_eq!(with(&["--key", &here.tenant.key], &[("TENANTRY_KEY", "tnt_wrong")]), Some(0));
    assert_eq!(with(&["--key-file", good], &[("TENANTRY_KEY", "tnt_wrong")]), Some(0));
    assert_eq!(with(&[], &[("TENANTRY_KEY", &here.tenant.key), ("TENANTRY_KEY_FILE", "/nowhere")]), Some(0));
    assert_eq!(with(&[], &[("TENANTRY_KEY_FILE", good)]), Some(0));
    assert_eq!(with(&["--key", "tnt_wrong"], &[("TENANTRY_KEY", &here.tenant.key)]), Some(5));
    assert_eq!(with(&["--key-file", "/nowhere"], &[("TENANTRY_KEY", &here.tenant.key)]), Some(2));
    assert_eq!(with(&["--key", "a", "--key-file", good], &[]), Some(2));
}

#[actix_web::test]
async fn the_admin_key_of_this_computer_is_shown_to_no_other() {
    let here = Installation::start().await;
    let mut list = command(["tenant", "list", "--url", "http://tenantry.invalid"]);
    let refused = finish(list.env("TENANTRY_DATA_DIR", here.app.data_dir()));
    assert!(refused.one_line_of_failure(2).contains("no access key for http://tenantry.invalid"));
}

#[test]
fn without_any_key_it_is_said_how_to_give_one() {
    let dir = tempfile::tempdir().unwrap();
    let refused = finish(command(["kv", "list"]).env("TENANTRY_DATA_DIR", dir.path()));
    let told = refused.one_line_of_failure(2);
    assert!(
        told.contains("TENANTRY_KEY") && told.contains("--key-file") && told.contains("admin.key"),
        "{told}"
    );
}

#[test]
fn a_server_that_does_not_answer_is_named_with_an_exit_code_of_its_own() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let mut get = command(["kv", "get", "a", "--url", &url]);
    let refused = finish(get.env("TENANTRY_KEY", "tnt_k3y"));
    let told = refused.one_line_of_failure(6);
    assert!(told.contains(&url) && !told.contains("k3y"), "{told}");
}

#[test]
fn an_address_or_a_key_that_can_be_none_is_a_wrong_usage() {
    for arguments in
        [&["kv", "list", "--url", "127.0.0.1:8080"][..], &["kv", "list", "--url", "http://ada:s3cret@x"]]
    {
        let refused = finish(command(arguments).env("TENANTRY_KEY", "tnt_k3y"));
        assert!(!refused.one_line_of_failure(2).contains("s3cret"));
    }
    let refused =
        finish(command(["kv", "list", "--url", "http://127.0.0.1:1"]).env("TENANTRY_KEY", "tnt_s3cret\u{7}"));
    assert!(!refused.one_line_of_failure(2).contains("s3cret"));
}
