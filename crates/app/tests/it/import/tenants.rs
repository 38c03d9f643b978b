//! Dumps of the registry.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Installation, all, fixture};
use crate::process::tenantry;
use crate::support::TestApp;

/// What must hold of the tenants of a dump of the numbers 1 to `last`, but for every seventh.
pub(crate) fn check_tenants(tenants: &[Value], last: u64) {
    let numbers: Vec<_> = tenants.iter().map(|tenant| tenant["tenant_number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=last).filter(|number| number % 7 != 0).collect::<Vec<_>>());
    let second = &tenants[1];
    assert_eq!(second["tenant_id"], "2_Tenant_2");
    assert_eq!(second["status"], "active");
    assert_eq!(second["created_at"], "2023-01-01T10:00:00.500000Z");
    assert_eq!(second["updated_at"], "2024-01-01T02:00:00.000000Z");
    let info = json!({"email": "t2@example.com", "address": "1 \"Quay\"\t\\ row\nTown", "é": 0.5});
    assert_eq!(second["tenant_info"], info);
    assert_eq!(tenants[0]["updated_at"], tenants[0]["created_at"]);
}

#[tokio::test]
async fn tenants_keep_their_numbers_also_after_a_second_import() {
    let installation = Installation::new();
    let dump = fixture("tenants.sql");
    let import = || installation.import_well([dump.to_str().unwrap()]);
    assert_eq!(
        import(),
        "tenants, table registry.tenants: 26 rows read, 26 stored, 0 already there, 0 rejected"
    );
    assert_eq!(
        import(),
        "tenants, table registry.tenants: 26 rows read, 0 stored, 26 already there, 0 rejected"
    );
    let app = installation.serve();
    check_tenants(&all(&app, None, "/tenants", "tenants").await, 30);
    let one: Value =
        app.admin(Method::GET, "/tenants/5_Tenant_5").send().await.unwrap().json().await.unwrap();
    assert_eq!(one["tenant_number"], 5);
    assert_eq!(app.create_tenant("new").await.number, 31, "numbers go on behind the imported ones");
}

#[tokio::test]
async fn a_number_that_another_tenant_has_or_had_is_a_conflict_and_is_told() {
    let installation = Installation::new();
    let app = TestApp::start_in(installation.data_dir, &[("database_url", "")]);
    for name in ["Tenant_1", "other", "gone"] {
        app.create_tenant(name).await;
    }
    assert_eq!(app.admin(Method::DELETE, "/tenants/3").send().await.unwrap().status(), 202);
    crate::support::until("the tenant is gone", async || {
        app.admin(Method::GET, "/tenants/3").send().await.unwrap().status() == 404
    })
    .await;
    let home = app.stop();
    let dump = fixture("tenants.sql");
    let ended = tenantry([
        "import".as_ref(),
        "--data-dir".as_ref(),
        home.path().as_os_str(),
        "--from".as_ref(),
        "tenants".as_ref(),
        dump.as_os_str(),
    ]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("23 stored, 1 already there, 2 rejected"), "{ended:?}");
    assert!(ended.stderr.contains("the number 2 is that of another tenant, 2_other"), "{ended:?}");
    assert!(ended.stderr.contains("the number 3 was that of a tenant that is gone"), "{ended:?}");
    let app = TestApp::start_in(home, &[("database_url", "")]);
    assert_eq!(app.admin(Method::GET, "/tenants/2_other").send().await.unwrap().status(), 200);
    assert_eq!(app.admin(Method::GET, "/tenants/3").send().await.unwrap().status(), 404);
}

#[test]
fn a_tenant_is_not_to_be_named_for_tenants() {
    let refused = Installation::new().import(["--tenant", "1", fixture("tenants.sql").to_str().unwrap()]);
    assert!(refused.one_line_of_failure(2).contains("are not for it"), "{refused:?}");
}
