//! Cursors that were tampered with, or belong to another list.

use serde_json::json;

use super::super::harness::{Actor, Api, Tenant};

/// Each list with whoever may read it, filled so that a page of one is not the last.
async fn lists(api: &Api) -> (Tenant, Vec<(Actor, String)>) {
    let acme = api.tenant("acme").await;
    api.tenant("other").await;
    api.key_of(acme.number, &["kv:read"]).await;
    for text in ["a", "b", "c"] {
        acme.tell(text).await;
        acme.set(text, text).await;
    }
    let keys = format!("/api/v1/tenants/{}/keys", acme.number);
    let lists = [
        (api.admin(), "/api/v1/tenants".to_owned()),
        (api.admin(), keys),
        (acme.actor.clone(), "/api/v1/events".to_owned()),
        (acme.actor.clone(), "/api/v1/kv".to_owned()),
    ];
    (acme, lists.to_vec())
}

async fn cursor(actor: &Actor, path: &str, query: &str) -> String {
    let page = actor.get(&format!("{path}?limit=1{query}")).send().await.expect(200).json();
    page["next_cursor"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_cursor_with_one_character_changed_is_refused() {
    let api = Api::start();
    for (actor, path) in lists(&api).await.1 {
        let good = cursor(&actor, &path, "").await;
        actor.get(&format!("{path}?cursor={good}")).send().await.expect(200);
        for at in 0..good.len() {
            let mut bad = good.clone().into_bytes();
            bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
            let bad = String::from_utf8(bad).unwrap();
            actor.get(&format!("{path}?cursor={bad}")).send().await.problem(400, "invalid-cursor");
        }
    }
}

#[tokio::test]
async fn what_never_was_a_cursor_is_refused() {
    let api = Api::start();
    for (actor, path) in lists(&api).await.1 {
        let good = cursor(&actor, &path, "").await;
        for bad in [
            "",
            "x",
            "1",
            "AAAA",
            "%20",
            "%F0%9F%A6%80",
            &good[1..],
            &good[..good.len() - 1],
            &format!("{good}A"),
            &format!("{good}="),
            &"A".repeat(5000),
        ] {
            actor.get(&format!("{path}?cursor={bad}")).send().await.problem(400, "invalid-cursor");
        }
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let api = Api::start();
    let (_, lists) = lists(&api).await;
    for (from, from_path) in &lists {
        let cursor = cursor(from, from_path, "").await;
        for (to, to_path) in lists.iter().filter(|(_, path)| path != from_path) {
            to.get(&format!("{to_path}?cursor={cursor}")).send().await.problem(400, "invalid-cursor");
        }
    }
}

#[tokio::test]
async fn a_cursor_of_other_filters_or_another_order_is_refused() {
    let api = Api::start();
    let (acme, _) = lists(&api).await;
    let admin = api.admin();
    let foreign = [
        (&admin, "/api/v1/tenants", vec!["", "&status=active", "&name=&status=active"]),
        (
            &acme.actor,
            "/api/v1/events",
            vec![
                "",
                "&order=asc",
                "&component=billing",
                "&component=billing&component=x",
                "&environment=production",
                "&message=%61%62%63",
                "&after_sequence=0",
                "&from_date=2020-01-01",
                "&to_date=2999-01-01",
                "&data=%7B%7D",
            ],
        ),
        (&acme.actor, "/api/v1/kv", vec!["", "&prefix=a", "&prefix=b"]),
    ];
    // Every event has a message that holds "abc", and there is more than one key with each prefix.
    for text in ["abc", "abc abc"] {
        acme.tell(text).await;
    }
    for key in ["aa", "bb"] {
        acme.set(key, key).await;
    }
    for (actor, path, queries) in foreign {
        for query in &queries {
            let cursor = cursor(actor, path, query).await;
            for other in queries.iter().filter(|other| *other != query) {
                let answer = actor.get(&format!("{path}?cursor={cursor}{other}")).send().await;
                answer.problem(400, "invalid-cursor");
            }
        }
    }
}

#[tokio::test]
async fn a_cursor_outlives_what_it_stands_behind() {
    let api = Api::start();
    let (acme, _) = lists(&api).await;
    let cursor = cursor(&acme, "/api/v1/kv", "").await;
    acme.delete("/api/v1/kv/a").send().await.expect(204);
    let page =
        acme.get(&format!("/api/v1/kv?cursor={cursor}&keys_only=true")).send().await.expect(200).json();
    let keys: Vec<_> = page["entries"].as_array().unwrap().iter().map(|entry| entry["key"].clone()).collect();
    assert_eq!(keys, [json!("b"), json!("c")]);
}

#[tokio::test]
async fn a_cursor_of_another_installation_is_refused() {
    let (here, there) = (Api::start(), Api::start());
    let (_, lists_here) = lists(&here).await;
    let (_, lists_there) = lists(&there).await;
    for ((actor, path), (other, _)) in lists_here.iter().zip(&lists_there) {
        let cursor = cursor(actor, path, "").await;
        other.get(&format!("{path}?cursor={cursor}")).send().await.problem(400, "invalid-cursor");
    }
}
