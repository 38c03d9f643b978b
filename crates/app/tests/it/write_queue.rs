//! The queue before SQLite's writer, when it is full.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use crate::api::harness::Api;

const MANY: usize = 256;

#[tokio::test]
async fn who_finds_no_room_in_the_queue_is_told_so_and_nothing_of_it_is_stored() {
    // Made while there is room: background work needs it too, and may have taken the only place.
    let api = Api::start();
    let key = api.tenant("acme").await.key().to_owned();
    let api = api.restart_with(&[("sqlite.max_queued_writes", "1")]);
    let acme = api.bearer(&key);
    let put = |number: usize| acme.put(&format!("/api/v1/kv/key{number}")).untyped_body("x").send();
    let answers = join_all((0..MANY).map(put)).await;
    let (mut stored, mut refused) = (BTreeSet::new(), 0);
    for (number, answer) in answers.iter().enumerate() {
        if answer.status == 201 {
            stored.insert(format!("key{number}"));
        } else {
            answer.problem(503, "unavailable");
            assert_eq!(answer.the("retry-after"), "1");
            refused += 1;
        }
    }
    assert!(refused > 0 && !stored.is_empty(), "{refused} were refused");
    let page = acme.get("/api/v1/kv?limit=1000&keys_only=true").send().await.expect(200).json();
    let listed: BTreeSet<String> = page["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["key"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, stored, "what was acknowledged is there, and nothing else");
}
