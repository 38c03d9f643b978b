//! The client against the real server: what it reads is what the server writes.

use std::time::Duration;

use futures_util::TryStreamExt;
use tenantry_client::{
    Client, ClientError, EntityTag, EventOrder, EventQuery, Increment, ItemOutcome, JsonObject,
    KeyValueQuery, NewAccessKey, NewEvent, NewTenant, Precondition, PutOptions, TenantPatch, TenantQuery,
    TenantStatus,
};
use uuid::Uuid;

use crate::support::TestApp;

const ALL: [&str; 4] = ["events:read", "events:write", "kv:read", "kv:write"];

fn admin(app: &TestApp) -> Client {
    Client::builder(app.url("")).key(app.admin_key.as_str()).build().unwrap()
}

/// Whoever has a key of a new tenant.
async fn of_tenant(app: &TestApp) -> Client {
    let tenant = app.create_tenant("acme").await;
    Client::builder(app.url("")).key(tenant.key.as_str()).build().unwrap()
}

fn code(error: &ClientError) -> &str {
    error.problem().map_or("no problem", |problem| problem.code.as_str())
}

#[actix_web::test]
async fn the_server_is_there_and_ready() {
    let app = TestApp::start();
    let client = Client::builder(app.url("")).build().unwrap();
    client.ping().await.unwrap();
    let readiness = client.readiness().await.unwrap();
    assert!(readiness.is_ready && readiness.dependencies.values().any(|is_up| *is_up));
}

#[actix_web::test]
async fn a_tenant_lives_from_its_creation_to_its_deletion() {
    let app = TestApp::start();
    let tenants = admin(&app).tenants();
    let info = JsonObject::parse(r#"{"plan": "gold", "n": 1.10}"#).unwrap();
    let made = tenants.create(&NewTenant::named("acme").info(info.clone())).await.unwrap();
    assert_eq!((made.name.as_str(), &made.status, &made.tenant_info), ("acme", &TenantStatus::Active, &info));
    assert_eq!(tenants.get(made.tenant_id.as_str()).await.unwrap(), made);

    let patch = TenantPatch { name: Some("acme2".to_owned()), ..TenantPatch::default() };
    let unchanged = Precondition::Matches(made.tag.clone());
    let patched = tenants.patch(made.tenant_number, &patch, &unchanged).await.unwrap();
    assert_eq!((patched.name.as_str(), &patched.tenant_info), ("acme2", &info));
    let refused = tenants.patch(made.tenant_number, &patch, &unchanged).await.unwrap_err();
    assert!(refused.is_precondition_failed());
    let replaced = tenants
        .replace(made.tenant_number, &NewTenant::named("b"), &Precondition::Matches(patched.tag))
        .await;
    assert_eq!(replaced.unwrap().tenant_info.as_str(), "{}");

    assert_eq!(tenants.suspend(made.tenant_number).await.unwrap().status, TenantStatus::Suspended);
    let suspended = TenantQuery { status: Some(TenantStatus::Suspended), ..TenantQuery::default() };
    let listed: Vec<_> = tenants.list(&suspended).try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(tenants.activate(made.tenant_number).await.unwrap().status, TenantStatus::Active);
    let deleted = tenants.delete(made.tenant_number, &Precondition::None).await.unwrap();
    assert_eq!(deleted.status, TenantStatus::Deleting);
    assert!(deleted.erasure.is_some());
    assert_eq!(code(&tenants.get("77").await.unwrap_err()), "tenant-not-found");
}

#[actix_web::test]
async fn tenants_come_page_by_page_and_as_a_stream() {
    let app = TestApp::start();
    let tenants = admin(&app).tenants();
    for name in ["a1", "a2", "a3", "b"] {
        tenants.create(&NewTenant::named(name)).await.unwrap();
    }
    let query =
        TenantQuery { name_prefix: Some("a".to_owned()), page_limit: Some(2), ..TenantQuery::default() };
    let first = tenants.page(&query, None).await.unwrap();
    assert_eq!(first.items.len(), 2);
    let second = tenants.page(&query, first.next_cursor.as_deref()).await.unwrap();
    assert_eq!((second.items.len(), second.next_cursor), (1, None));
    let all: Vec<_> = tenants.list(&query).map_ok(|tenant| tenant.name).try_collect().await.unwrap();
    assert_eq!(all, ["a1", "a2", "a3"]);
}

#[actix_web::test]
async fn a_key_opens_what_it_allows_until_it_is_revoked() {
    let app = TestApp::start();
    let admin = admin(&app);
    let tenant = admin.tenants().create(&NewTenant::named("acme")).await.unwrap();
    let keys = admin.access_keys(&tenant.value);
    let expires_at = Some(chrono::Utc::now() + Duration::from_secs(3600));
    let made = keys.create(&NewAccessKey { expires_at, ..NewAccessKey::new("ci", ALL) }).await.unwrap();
    assert_eq!(made.about.scopes, ALL);
    assert!(made.about.expires_at.is_some() && made.key.expose().starts_with(&made.about.prefix));
    let with_key = Client::builder(app.url("")).key(made.key.clone()).build().unwrap();
    with_key.key_values().put("a", "b", PutOptions::text()).await.unwrap();

    let listed: Vec<_> = keys.list().try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(keys.page(1, None).await.unwrap().items[0].key_id, made.about.key_id);
    keys.revoke(&made.about.key_id).await.unwrap();
    assert_eq!(code(&with_key.key_values().get("a").await.unwrap_err()), "key-unknown");
    assert!(keys.revoke(&made.about.key_id).await.unwrap_err().is_not_found());
}

#[actix_web::test]
async fn an_administrator_names_the_tenant() {
    let app = TestApp::start();
    let tenant = app.create_tenant("acme").await;
    assert_eq!(code(&admin(&app).key_values().get("a").await.unwrap_err()), "tenant-required");
    let builder = Client::builder(app.url("")).key(app.admin_key.as_str()).tenant(tenant.id.as_str());
    assert_eq!(
        code(&builder.build().unwrap().key_values().get("a").await.unwrap_err()),
        "key-value-not-found"
    );
}

#[actix_web::test]
async fn events_are_stored_once_and_found() {
    let app = TestApp::start();
    let events = of_tenant(&app).await.events();
    let id = Uuid::now_v7();
    let data = JsonObject::parse(r#"{"order": 4711, "price": 1.10}"#).unwrap();
    let event =
        NewEvent::new("billing", "production", "Order failed").id(id).email("ada@example.com").data(data);
    let first = events.create(&event).await.unwrap();
    assert_eq!((first.was_there, first.event.id, first.event.sequence), (false, id, 1));
    let second = events.create(&event).await.unwrap();
    assert!(second.was_there);
    assert_eq!(second.event, first.event);
    assert_eq!(events.get(id).await.unwrap(), first.event);
    assert_eq!(code(&events.get(Uuid::nil()).await.unwrap_err()), "event-not-found");

    let batch = [event, NewEvent::new("shop", "test", "paid"), NewEvent::new("", "test", "").email("nobody")];
    let outcome = events.create_batch(&batch).await.unwrap();
    assert_eq!((outcome.accepted, outcome.duplicates, outcome.rejected), (1, 1, 1));
    assert!(matches!(outcome.items[0].outcome, ItemOutcome::WasThere { sequence: 1, .. }));
    assert!(matches!(outcome.items[1].outcome, ItemOutcome::Stored { sequence: 2, .. }));
    let ItemOutcome::Rejected(problem) = &outcome.items[2].outcome else { panic!("{outcome:?}") };
    let pointers: Vec<&str> = problem.errors.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/component", "/email", "/message"]);
}

#[actix_web::test]
async fn every_filter_of_events_is_understood() {
    let app = TestApp::start();
    let events = of_tenant(&app).await.events();
    let of =
        |component: &str, message: &str| NewEvent::new(component, "test", message).email("ada@example.com");
    let data = |order| JsonObject::parse(&format!(r#"{{"order": {order}}}"#)).unwrap();
    let batch =
        [of("a", "Paid").data(data(1)), of("b", "failed").data(data(2)), of("c", "Failed").data(data(3))];
    events.create_batch(&batch).await.unwrap();
    let found = async |query: EventQuery| {
        let found = events.list(&query).map_ok(|event| event.sequence).try_collect::<Vec<_>>().await;
        found.unwrap()
    };
    let query = EventQuery::default;
    assert_eq!(found(EventQuery { page_limit: Some(1), ..query() }).await, [3, 2, 1]);
    let oldest = EventQuery { order: EventOrder::OldestFirst, page_limit: Some(2), ..query() };
    assert_eq!(found(oldest).await, [1, 2, 3]);
    assert_eq!(found(EventQuery { components: vec!["a".into(), "c".into()], ..query() }).await, [3, 1]);
    assert_eq!(found(EventQuery { environments: vec!["other".into()], ..query() }).await, [0; 0]);
    assert_eq!(found(EventQuery { emails: vec!["ada@example.com".into()], ..query() }).await, [3, 2, 1]);
    assert_eq!(found(EventQuery { message: Some("FAIL".into()), ..query() }).await, [3, 2]);
    assert_eq!(found(EventQuery { data: Some(data(2)), ..query() }).await, [2]);
    assert_eq!(found(EventQuery { after_sequence: Some(2), ..query() }).await, [3]);
    assert_eq!(found(EventQuery { from: Some("2999-01-01".into()), ..query() }).await, [0; 0]);
    assert_eq!(found(EventQuery { to: Some("2999-01-01T00:00:00Z".into()), ..query() }).await, [3, 2, 1]);
}

#[actix_web::test]
async fn a_value_comes_back_as_it_was_put_under_any_key() {
    let app = TestApp::start();
    let values = of_tenant(&app).await.key_values();
    for key in ["a", "a/b", "a//b", "a/../b", "/", " ", "%2e%2e", "ä🎉?#&", "...", "\n"] {
        let bytes = format!("value of {key}").into_bytes();
        let put = values.put(key, bytes.clone(), PutOptions::of_type("image/png")).await.unwrap();
        let value = values.get(key).await.unwrap();
        assert_eq!(value.bytes, bytes, "{key:?}");
        assert_eq!((value.info.content_type.as_str(), value.info.revision), ("image/png", put.revision));
        let (info, size) = values.info(key).await.unwrap();
        assert_eq!((info, size), (value.info, Some(bytes.len() as u64)));
    }
    let all: Vec<_> =
        values.list(&KeyValueQuery::default()).map_ok(|entry| entry.key).try_collect().await.unwrap();
    assert_eq!(all.len(), 10);
}

#[actix_web::test]
async fn writes_hold_to_their_preconditions() {
    let app = TestApp::start();
    let values = of_tenant(&app).await.key_values();
    let put = async |value: &'static str, precondition| {
        values.put("a", value, PutOptions::text().under(precondition)).await
    };
    assert!(put("x", Precondition::Exists).await.unwrap_err().is_precondition_failed());
    let made = put("1", Precondition::Absent).await.unwrap();
    assert!(made.created);
    assert!(put("2", Precondition::Absent).await.unwrap_err().is_precondition_failed());
    let tag = Precondition::Matches(EntityTag::of_revision(made.revision));
    let second = put("2", tag.clone()).await.unwrap();
    assert_eq!((second.created, second.version), (false, 2));
    assert!(put("3", tag.clone()).await.unwrap_err().is_precondition_failed());
    assert_eq!(values.get_if_changed("a", second.revision).await.unwrap(), None);
    assert_eq!(values.get_if_changed("a", made.revision).await.unwrap().unwrap().bytes.as_ref(), b"2");
    assert!(values.delete("a", &tag).await.unwrap_err().is_precondition_failed());
    values.delete("a", &Precondition::Exists).await.unwrap();
    assert!(values.delete("a", &Precondition::None).await.unwrap_err().is_not_found());
    assert!(values.info("a").await.unwrap_err().is_not_found());
}

#[actix_web::test]
async fn numbers_are_counted_and_values_end() {
    let app = TestApp::start();
    let values = of_tenant(&app).await.key_values();
    let by = |by, initial| Increment { by, initial, precondition: Precondition::None };
    assert!(values.increment("n", &by(1, None)).await.unwrap_err().is_not_found());
    assert_eq!(values.increment("n", &by(1, Some(5))).await.unwrap().value, 5);
    assert_eq!(values.increment("n", &by(-7, None)).await.unwrap().value, -2);
    values.put("t", "text", PutOptions::text()).await.unwrap();
    assert_eq!(code(&values.increment("t", &by(1, None)).await.unwrap_err()), "not-incrementable");
    let ending = values.put("e", "x", PutOptions::text().ttl(Duration::from_secs(3600))).await.unwrap();
    assert!(ending.expires_at.is_some());
    assert!(values.get("e").await.unwrap().info.expires_at.is_some());
}

#[actix_web::test]
async fn lists_of_key_values_show_bytes_or_leave_them_out() {
    let app = TestApp::start();
    let values = of_tenant(&app).await.key_values();
    values.put("a/1", "text", PutOptions::text()).await.unwrap();
    values.put("a/2", vec![0xff, 0], PutOptions::default()).await.unwrap();
    values.put("b", "x", PutOptions::text()).await.unwrap();
    let query = KeyValueQuery { prefix: Some("a/".to_owned()), keys_only: false, page_limit: Some(1) };
    let entries: Vec<_> = values.list(&query).try_collect().await.unwrap();
    let bytes: Vec<_> = entries.iter().map(|entry| entry.bytes().unwrap()).collect();
    assert_eq!(bytes, [b"text".as_slice(), &[0xff, 0]]);
    assert_eq!(entries[1].content_type, "application/octet-stream");
    let page = values.page(&KeyValueQuery { keys_only: true, ..query }, None).await.unwrap();
    assert_eq!((page.items[0].bytes(), page.items[0].size), (None, 4));
    assert!(page.next_cursor.is_some());
}
