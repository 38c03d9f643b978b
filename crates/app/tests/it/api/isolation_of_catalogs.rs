//! What another tenant has in its catalog is answered as what does not exist, byte for byte.

use serde_json::json;

use super::harness::Call;
use super::isolation::same;
use super::openapi::Operation;
use super::snapshot::unchanged;
use super::world::{World, good_body};

const NOBODYS: &str = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d";

/// The operations that name a feed, a run or a plan.
fn operations() -> Vec<Operation> {
    let names_one = |operation: &Operation| {
        operation.path.starts_with("/api/v1/catalog/") && operation.path.contains('{')
    };
    Operation::all().into_iter().filter(names_one).collect()
}

/// What the other tenant asks for there.
fn call(world: &World, operation: &Operation, target: &str) -> Call {
    let call = world.other.call(operation.method, target);
    match good_body(operation) {
        Some((content_type, body)) => call.body(content_type, body),
        None => call,
    }
}

#[tokio::test]
async fn a_feed_a_run_and_a_plan_of_another_tenant_are_like_ones_that_do_not_exist() {
    let world = World::make().await;
    let operations = operations();
    assert!(operations.len() >= 11, "{}", operations.len());
    unchanged(&world.api, async {
        for operation in &operations {
            let theirs = world.path(operation);
            let nobodys = ["{feed}", "{run}", "{id}"]
                .iter()
                .fold(operation.path.to_owned(), |path, name| path.replace(name, NOBODYS));
            let missing = match operation.path {
                path if path.contains("{run}") => "feed-run-not-found",
                path if path.contains("{feed}") => "feed-not-found",
                _ => "plan-not-found",
            };
            let asked = |target: &str| call(&world, operation, target);
            same(asked(&theirs), asked(&nobodys)).await.problem(404, missing);
            for header in ["if-match", "if-none-match"] {
                let conditional = |target: &str| asked(target).header(header, "\"1\"");
                let answer = same(conditional(&theirs), conditional(&nobodys)).await;
                assert!(matches!(answer.status, 404 | 412), "{answer:?}");
            }
            if operation.method == "GET" {
                world.acme.get(&theirs).send().await.expect(200);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_run_of_another_tenant_is_not_found_under_a_feed_of_ones_own_either() {
    let world = World::make().await;
    let draft = json!({"name": "own", "url": "http://127.0.0.1:9/", "enabled": false});
    let made = world.other.post("/api/v1/catalog/feeds").json(&draft).send().await.expect(201);
    let own = made.the("location").to_owned();
    unchanged(&world.api, async {
        for operation in operations().iter().filter(|operation| operation.path.contains("{run}")) {
            let under_own = |run: &str| {
                let path = operation.path.replace("/api/v1/catalog/feeds/{feed}", &own);
                call(&world, operation, &path.replace("{run}", run))
            };
            for run in [&world.catalog.run, &world.catalog.held_run] {
                same(under_own(run), under_own(NOBODYS)).await.problem(404, "feed-run-not-found");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn lists_of_catalogs_show_nothing_of_another_tenant_and_refuse_its_cursors() {
    let world = World::make().await;
    for (path, items) in [
        ("/api/v1/catalog/feeds?limit=1", "/feeds"),
        ("/api/v1/search?starts_at=2000-01-01&ends_at=2099-12-31&limit=1", "/data/events"),
    ] {
        let found = world.other.get(path).send().await.expect(200).json();
        assert_eq!(found.pointer(items), Some(&json!([])), "{path}");
        let page = world.acme.get(path).send().await.expect(200).json();
        let target = format!("{path}&cursor={}", page["next_cursor"].as_str().expect("there is more"));
        world.acme.get(&target).send().await.expect(200);
        world.other.get(&target).send().await.problem(400, "invalid-cursor");
    }
}
