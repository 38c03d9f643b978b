//! What belongs to another tenant is answered as what does not exist, byte for byte.

use serde_json::{Value, json};

use super::answer::Answer;
use super::harness::{Actor, Call};
use super::snapshot::unchanged;
use super::world::World;

const NO_EVENT: &str = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d";

/// Sends two requests under one request id, and insists that the answers are the same to the byte.
pub(crate) async fn same(first: Call, second: Call) -> Answer {
    let id = "the-same-request";
    let (first, second) = (first.header("x-request-id", id), second.header("x-request-id", id));
    let (first, second) = (first.send().await, second.send().await);
    let head = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.remove("date");
        (answer.status, headers)
    };
    assert_eq!(head(&first), head(&second));
    assert_eq!(first.text(), second.text());
    first
}

#[tokio::test]
async fn an_event_of_another_tenant_is_like_one_that_does_not_exist() {
    let world = World::make().await;
    let at = |id: &str| world.other.get(&format!("/api/v1/events/{id}"));
    same(at(&world.event), at(NO_EVENT)).await.problem(404, "event-not-found");
    world.acme.get(&format!("/api/v1/events/{}", world.event)).send().await.expect(200);
}

#[tokio::test]
async fn a_key_value_of_another_tenant_is_like_one_that_does_not_exist() {
    let world = World::make().await;
    world.acme.set("secret", "5").await;
    let call = |method: &str, key: &str| {
        let call = world.other.call(method, &format!("/api/v1/kv/{key}"));
        if method == "POST" { call.json(&json!({"increment": 1})) } else { call }
    };
    unchanged(&world.api, async {
        for method in ["GET", "POST", "DELETE"] {
            same(call(method, "secret"), call(method, "absent")).await.problem(404, "key-value-not-found");
            let conditional = |key: &str| call(method, key).header("if-match", "\"3\"");
            let answer = same(conditional("secret"), conditional("absent")).await;
            assert!(matches!(answer.status, 404 | 412), "{answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn naming_another_tenant_is_like_naming_one_that_does_not_exist() {
    let world = World::make().await;
    let draft = json!({"component": "a", "environment": "b", "message": "c"});
    let calls = |actor: &Actor, event: &str| {
        vec![
            actor.get("/api/v1/events"),
            actor.get(&format!("/api/v1/events/{event}")),
            actor.post("/api/v1/events").json(&draft),
            actor.get("/api/v1/kv"),
            actor.get("/api/v1/kv/greeting"),
            actor.put("/api/v1/kv/greeting").untyped_body("x"),
            actor.post("/api/v1/kv/visits").json(&json!({"increment": 1})),
            actor.delete("/api/v1/kv/greeting"),
        ]
    };
    unchanged(&world.api, async {
        for name in [
            world.acme.number.to_string(),
            world.acme.id.clone(),
            world.suspended.id.clone(),
            world.deleting.id.clone(),
        ] {
            for (theirs, nobodys) in
                calls(&world.other, &world.event).into_iter().zip(calls(&world.other, &world.event))
            {
                let answer = same(theirs.of_tenant(&name), nobodys.of_tenant("999999_nobody")).await;
                answer.problem(404, "tenant-not-found");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_access_key_of_another_tenant_is_like_one_that_does_not_exist() {
    let world = World::make().await;
    let admin = world.api.admin();
    let revoke = |id: &str| admin.delete(&format!("/api/v1/tenants/{}/keys/{id}", world.other.number));
    let answer = unchanged(&world.api, same(revoke(&world.spare_key), revoke("AAAAAAAAAAAA"))).await;
    answer.problem(404, "access-key-not-found");
}

#[tokio::test]
async fn lists_show_what_is_the_tenants_own() {
    let world = World::make().await;
    world.other.tell("of other").await;
    for (tenant, name) in [(&world.acme, "acme"), (&world.other, "other")] {
        let events = tenant.get("/api/v1/events").send().await.expect(200).json();
        assert_eq!(events["events"].as_array().unwrap().len(), 1);
        assert_eq!(events["events"][0]["message"], format!("of {name}"));
        let entries = tenant.get("/api/v1/kv").send().await.expect(200).json();
        assert_eq!(entries["entries"][0]["value"], format!("hello from {name}"));
        assert_eq!(entries["entries"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn the_same_key_is_each_tenants_own() {
    let world = World::make().await;
    world.acme.value("greeting").await;
    world.other.set("greeting", "changed").await;
    assert_eq!(world.acme.value("greeting").await, "hello from acme");
    world.other.delete("/api/v1/kv/greeting").send().await.expect(204);
    assert_eq!(world.acme.value("greeting").await, "hello from acme");
    world.other.post("/api/v1/kv/visits").json(&json!({"increment": 10})).send().await.expect(200);
    assert_eq!(world.acme.value("visits").await, "5");
}

#[tokio::test]
async fn the_same_event_id_is_each_tenants_own() {
    let world = World::make().await;
    let draft = json!({"id": NO_EVENT, "component": "a", "environment": "b", "message": "of acme"});
    world.acme.post("/api/v1/events").json(&draft).send().await.expect(201);
    let mut theirs = draft.clone();
    theirs["message"] = json!("of other");
    let stored = world.other.post("/api/v1/events").json(&theirs).send().await.expect(201).json();
    assert_eq!((&stored["message"], &stored["sequence"]), (&json!("of other"), &json!(1)));
    let read = world.acme.get(&format!("/api/v1/events/{NO_EVENT}")).send().await.expect(200).json();
    assert_eq!(read["message"], "of acme");
}

#[tokio::test]
async fn a_cursor_of_another_tenant_is_refused() {
    let world = World::make().await;
    world.acme.tell("second").await;
    for path in ["/api/v1/events", "/api/v1/kv"] {
        let page = world.acme.get(&format!("{path}?limit=1")).send().await.expect(200).json();
        let target = format!("{path}?limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
        world.acme.get(&target).send().await.expect(200);
        world.other.get(&target).send().await.problem(400, "invalid-cursor");
        let admin = world.api.admin();
        admin.get(&target).of_tenant(&world.other.number).send().await.problem(400, "invalid-cursor");
        admin.get(&target).of_tenant(&world.acme.number).send().await.expect(200);
    }
    let keys = |tenant: i64| format!("/api/v1/tenants/{tenant}/keys?limit=1");
    let page = world.api.admin().get(&keys(world.acme.number)).send().await.expect(200).json();
    let target = format!("{}&cursor={}", keys(world.other.number), page["next_cursor"].as_str().unwrap());
    world.api.admin().get(&target).send().await.problem(400, "invalid-cursor");
}

#[tokio::test]
async fn erasing_one_tenant_leaves_what_the_cache_knows_of_another() {
    let world = World::make().await;
    world.acme.value("greeting").await;
    let path = format!("/api/v1/tenants/{}", world.other.number);
    world.api.admin().delete(&path).send().await.expect(202);
    assert_eq!(world.acme.value("greeting").await, "hello from acme");
    world.other.get("/api/v1/kv/greeting").send().await.problem(401, "key-unknown");
    let shown: Value = world.api.admin().get(&path).send().await.expect(200).json();
    assert_eq!(shown["status"], "deleting");
}
