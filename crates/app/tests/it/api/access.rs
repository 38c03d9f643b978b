//! Who is let in: every operation that takes a key, with every key that it must not take.

use tenantry_domain::{KeyKind, SecretKey};

use super::answer::Answer;
use super::harness::{Actor, TENANT_SCOPES};
use super::openapi::Operation;
use super::raw::{exchange, request};
use super::snapshot::unchanged;
use super::world::{World, good_body};

/// Those that take a key; deletions come last.
fn keyed() -> Vec<Operation> {
    let mut operations: Vec<_> = Operation::all().into_iter().filter(Operation::takes_a_key).collect();
    assert!(operations.len() >= 30, "{operations:?}");
    operations.sort_by_key(|operation| operation.method == "DELETE");
    operations
}

/// The scope that the operation's description asks for.
fn scope(operation: &Operation) -> &'static str {
    let text = operation.description["description"].as_str().unwrap();
    text.split("Needs the scope `").nth(1).and_then(|rest| rest.split('`').next()).unwrap()
}

fn is_for_admins(operation: &Operation) -> bool {
    operation.path.starts_with("/api/v1/tenants")
}

/// Calls the operation, about what is acme's, with a body that it would take.
async fn call(world: &World, operation: &Operation, actor: &Actor) -> Answer {
    let call = actor.call(operation.method, &world.path(operation));
    match good_body(operation) {
        Some((kind, body)) => call.body(kind, body).send().await,
        None => call.send().await,
    }
}

/// Calls every operation with a key, and insists that each refuses it so and that nothing changes.
async fn all_refuse(world: &World, actor: &Actor, status: u16, code: &str) {
    unchanged(&world.api, async {
        for operation in keyed() {
            let answer = call(world, &operation, actor).await;
            answer.problem(status, code);
            let challenge = answer.header("www-authenticate");
            match (status, code) {
                (401, "key-missing") => assert_eq!(challenge, Some(r#"Bearer realm="tenantry""#)),
                (401, _) => assert_eq!(challenge, Some(r#"Bearer realm="tenantry", error="invalid_token""#)),
                _ => assert_eq!(challenge, None),
            }
            if !actor.key().is_empty() {
                let body = String::from_utf8_lossy(&answer.body).into_owned();
                assert!(!body.contains(actor.key()), "a key is not repeated: {body}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn without_a_key_nobody_is_let_in() {
    let world = World::make().await;
    all_refuse(&world, &world.api.anyone(), 401, "key-missing").await;
}

#[tokio::test]
async fn a_key_that_was_revoked_is_refused() {
    let world = World::make().await;
    all_refuse(&world, &world.revoked, 401, "key-unknown").await;
}

#[tokio::test]
async fn a_key_that_was_never_given_is_refused() {
    let world = World::make().await;
    all_refuse(&world, &world.foreign(), 401, "key-unknown").await;
}

#[tokio::test]
async fn a_key_that_has_expired_is_refused() {
    let world = World::make().await;
    all_refuse(&world, &world.expired().await, 401, "key-expired").await;
}

#[tokio::test]
async fn the_key_of_a_tenant_that_is_being_deleted_is_refused() {
    let world = World::make().await;
    all_refuse(&world, &world.deleting, 401, "key-unknown").await;
}

#[tokio::test]
async fn the_key_of_a_suspended_tenant_is_refused() {
    let world = World::make().await;
    all_refuse(&world, &world.suspended, 403, "tenant-suspended").await;
}

#[tokio::test]
async fn what_is_no_key_is_refused() {
    let world = World::make().await;
    let good = world.acme.key();
    let mistyped = if good.ends_with('0') { "1" } else { "0" };
    for text in [
        "x".to_owned(),
        good[1..].to_owned(),
        good[..65].to_owned(),
        format!("{good}0"),
        format!("{}{mistyped}", &good[..65]),
        format!("tna_{}", &good[4..]),
        good.to_uppercase(),
        "tnt_".to_owned(),
        "x".repeat(8000),
    ] {
        all_refuse(&world, &world.api.bearer(&text), 401, "key-malformed").await;
    }
}

#[tokio::test]
async fn a_key_of_the_right_id_and_the_wrong_secret_is_refused() {
    let world = World::make().await;
    let good = world.acme.key();
    let id = &good[4..16];
    for kind in [KeyKind::Tenant, KeyKind::Admin] {
        let forged = SecretKey::from_entropy(kind, entropy_of(id), [9; 32]);
        assert_eq!(&forged.expose()[4..16], id);
        all_refuse(&world, &world.api.bearer(forged.expose()), 401, "key-unknown").await;
    }
}

/// The bytes from which a key of this id is made: the id as a number in base 62.
fn entropy_of(id: &str) -> [u8; 16] {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        b'A'..=b'Z' => digit - b'A' + 10,
        _ => digit - b'a' + 36,
    };
    id.bytes().fold(0_u128, |number, digit| number * 62 + u128::from(value(digit))).to_be_bytes()
}

#[tokio::test]
async fn a_key_opens_what_its_scope_names_and_nothing_else() {
    let world = World::make().await;
    for granted in TENANT_SCOPES {
        let (_, actor) = world.api.key_of(world.acme.number, &[granted]).await;
        unchanged(&world.api, async {
            for operation in keyed().iter().filter(|operation| scope(operation) != granted) {
                let problem = call(&world, operation, &actor).await.problem(403, "scope-missing");
                assert!(problem["detail"].as_str().unwrap().contains(scope(operation)), "{problem}");
            }
        })
        .await;
        for operation in keyed().iter().filter(|operation| scope(operation) == granted) {
            let answer = call(&world, operation, &actor).await;
            assert!((200..300).contains(&answer.status), "{} {answer:?}", operation.path);
        }
    }
}

#[tokio::test]
async fn no_scope_of_a_tenants_key_opens_what_is_for_administrators() {
    let world = World::make().await;
    unchanged(&world.api, async {
        for operation in keyed().iter().filter(|operation| is_for_admins(operation)) {
            call(&world, operation, &world.acme).await.problem(403, "scope-missing");
        }
    })
    .await;
}

#[tokio::test]
async fn an_administrator_must_name_a_tenant_that_is_there() {
    let world = World::make().await;
    let admin = world.api.admin();
    unchanged(&world.api, async {
        for operation in keyed().iter().filter(|operation| !is_for_admins(operation)) {
            call(&world, operation, &admin).await.problem(400, "tenant-required");
            let deleting = world.deleting.number.to_string();
            let wrong_name = format!("{}_other", world.acme.number);
            for name in ["999999", "acme", "0", "-1", "", &deleting, &wrong_name] {
                let call =
                    admin.call(operation.method, &world.path(operation)).header("tenantry-tenant", name);
                let (kind, body) = good_body(operation).unwrap_or(("application/json", ""));
                call.body(kind, body).send().await.problem(404, "tenant-not-found");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_administrator_reaches_the_data_of_a_suspended_tenant() {
    let world = World::make().await;
    let call = world.api.admin().get("/api/v1/kv/greeting").of_tenant(&world.suspended.id);
    assert_eq!(call.send().await.expect(200).text(), "hello from suspended");
}

#[tokio::test]
async fn a_suspension_and_its_end_hold_from_the_next_request_on() {
    let world = World::make().await;
    let (acme, admin) = (&world.acme, world.api.admin());
    let path = |verb: &str| format!("/api/v1/tenants/{}/{verb}", acme.number);
    for _ in 0..5 {
        acme.value("greeting").await;
        admin.post(&path("suspend")).send().await.expect(200);
        acme.get("/api/v1/kv/greeting").send().await.problem(403, "tenant-suspended");
        acme.tell_refused("tenant-suspended").await;
        admin.post(&path("activate")).send().await.expect(200);
        acme.set("greeting", "again").await;
        acme.tell("again").await;
    }
    world.other.value("greeting").await;
}

#[tokio::test]
async fn how_the_scheme_is_written_does_not_matter() {
    let world = World::make().await;
    let key = world.acme.key();
    for (value, code) in [
        (format!("Bearer {key}"), None),
        (format!("bearer {key}"), None),
        (format!("BEARER   {key} "), None),
        (format!("Basic {key}"), Some("key-missing")),
        (format!("Bearer{key}"), Some("key-missing")),
        (key.to_owned(), Some("key-missing")),
        ("Bearer".to_owned(), Some("key-missing")),
        (String::new(), Some("key-missing")),
        (format!("Bearer {key}, Bearer {key}"), Some("key-malformed")),
        (format!("Bearer \"{key}\""), Some("key-malformed")),
        ("Bearer ÿ".to_owned(), Some("key-malformed")),
    ] {
        let bytes = format!("GET /api/v1/kv HTTP/1.1\r\nHost: x\r\nAuthorization: {value}\r\n\r\n");
        let answer = exchange(&world.api, bytes.as_bytes()).await;
        match code {
            None => assert_eq!(answer.status, 200, "{value}: {answer:?}"),
            Some(code) => drop(answer.problem(401, code)),
        }
    }
}

#[tokio::test]
async fn a_key_in_the_query_or_in_a_cookie_does_not_count() {
    let world = World::make().await;
    let key = world.acme.key();
    let target = format!("/api/v1/events?access_token={key}");
    world.api.anyone().get(&target).send().await.problem(401, "key-missing");
    let cookie = format!("GET /api/v1/kv HTTP/1.1\r\nHost: x\r\nCookie: key={key}\r\n\r\n");
    exchange(&world.api, cookie.as_bytes()).await.problem(401, "key-missing");
}

#[tokio::test]
async fn who_may_not_is_told_so_before_what_was_sent_is_looked_at() {
    let world = World::make().await;
    for operation in keyed().iter().filter(|operation| good_body(operation).is_some()) {
        let bytes =
            request(operation.method, &world.path(operation), "nonsense", &["Content-Length: 9999999"], b"");
        exchange(&world.api, &bytes).await.problem(401, "key-malformed");
        let call = world.revoked.call(operation.method, &world.path(operation));
        call.header("accept", "text/html")
            .body("text/nonsense", "nonsense")
            .send()
            .await
            .problem(401, "key-unknown");
    }
}
