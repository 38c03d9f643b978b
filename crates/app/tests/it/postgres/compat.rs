//! The old contracts while their database has a fault.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use serde_json::json;

use super::{Installation, keys, schema_of, server};
use crate::api::harness::TENANT_SCOPES;
use crate::support::TestApp;

/// Each predecessor's list, what it reads, and the body that says that the server is at fault.
const READS: [(&str, &str, &str); 4] = [
    ("/compat/tenants/api/v1/tenants", "tenants", r#"{"detail":""#),
    ("/compat/key-values/get-values", "key_values", ""),
    ("/compat/activity/api/events", "events", r#"{"error":""#),
    (
        "/compat/search/search?starts_at=2021-01-01&ends_at=2021-12-31",
        "plans",
        r#"{"data":null,"error":{"code":"500","message":""#,
    ),
];

#[tokio::test]
async fn a_fault_of_the_server_is_500_in_the_old_shape_and_tells_no_cause() {
    let installation = Installation::new();
    let settings = keys(installation.data_dir.path());
    let settings =
        settings.iter().map(|(key, value)| (*key, value.as_str())).chain([("compat.enabled", "true")]);
    let app = TestApp::start_with(&settings.collect::<Vec<_>>());
    let tenant = app.create_tenant("acme").await;
    let key = app.create_key(tenant.number, &json!(TENANT_SCOPES)).await;
    let schema = schema_of(installation.data_dir.path());
    let mut connection = PgConnection::establish(&server()).unwrap();
    for (path, table, beginning) in READS {
        let is_registry = table == "tenants";
        let get = async || {
            let key = if is_registry { &app.admin_key } else { &key };
            app.client.get(app.url(path)).bearer_auth(key).send().await.unwrap()
        };
        let rename = |from: &str, to: &str| format!("ALTER TABLE {schema}.{from} RENAME TO {to}");
        connection.batch_execute(&rename(table, "away")).unwrap();
        let answer = get().await;
        assert_eq!(answer.status(), 500, "{path}: {answer:?}");
        let text = answer.text().await.unwrap();
        assert!(text.starts_with(beginning) && text.len() > beginning.len(), "{path}: {text}");
        assert!(!text.contains(table) && !text.contains("relation"), "{path}: {text}");
        connection.batch_execute(&rename("away", table)).unwrap();
        assert_eq!(get().await.status(), 200, "{path}");
    }
}
