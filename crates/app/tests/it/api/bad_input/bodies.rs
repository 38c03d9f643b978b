//! Bodies that cannot be read at all, for every operation that reads one.

use super::super::openapi::Operation;
use super::super::raw::{Raw, request};
use super::super::snapshot::unchanged;
use super::super::world::{World, good_body};
use super::{caller, json_operations, send};

#[tokio::test]
async fn what_is_not_json_is_refused() {
    let world = World::make().await;
    let bodies: [&[u8]; 16] = [
        b"",
        b" ",
        b"{",
        b"}",
        b"nul",
        b"{} {}",
        b"{}x",
        b"{'NAME':'a'}",
        b"{\"NAME\":}",
        b"{\"NAME\":null,}",
        b"{NAME:null}",
        b"{\"NAME\":\"a\x01\"}",
        b"{\"NAME\":null,\"\xff\":null}",
        b"\xef\xbb\xbf{}",
        b"{\"NAME\":01}",
        b"{\"NAME\":NaN}",
    ];
    for operation in json_operations() {
        unchanged(&world.api, async {
            for body in bodies {
                let body = with_name(body, first_member(&operation).1);
                send(&world, &operation, "application/json", &body).await.problem(400, "invalid-json");
            }
        })
        .await;
    }
}

/// The first member of the good body, with its value and without.
fn first_member(operation: &Operation) -> (&'static str, &'static str) {
    let member = good_body(operation).unwrap().1.trim_matches(['{', '}']).split(',').next().unwrap();
    (member, member.split('"').nth(1).unwrap())
}

fn with_name(body: &[u8], name: &str) -> Vec<u8> {
    match body.windows(4).position(|window| window == b"NAME") {
        Some(at) => [&body[..at], name.as_bytes(), &body[at + 4..]].concat(),
        None => body.to_vec(),
    }
}

#[tokio::test]
async fn the_members_alone_in_an_array_are_no_object() {
    let world = World::make().await;
    for operation in json_operations() {
        unchanged(&world.api, async {
            let (_, good) = good_body(&operation).unwrap();
            let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(good).unwrap();
            let values = serde_json::Value::from_iter(members.into_values());
            // An array of events is a batch, in which each item must be an object.
            let (status, body) = match operation.path {
                "/api/v1/events" => (207, serde_json::json!([values])),
                _ => (422, values),
            };
            let answer = send(&world, &operation, "application/json", body.to_string().as_bytes()).await;
            assert_eq!(answer.status, status, "{operation:?} {answer:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let world = World::make().await;
    for operation in json_operations() {
        let (_, good) = good_body(&operation).unwrap();
        unchanged(&world.api, async {
            for kind in [
                "text/plain",
                "application/x-www-form-urlencoded",
                "text/json",
                "application/jsonx",
                "json",
                "",
                "*/*",
            ] {
                let answer = send(&world, &operation, kind, good.as_bytes()).await;
                answer.problem(415, "unsupported-media-type");
            }
            let untyped = caller(&world, &operation).call(operation.method, &world.path(&operation));
            untyped.untyped_body(good).send().await.problem(415, "unsupported-media-type");
        })
        .await;
    }
}

#[tokio::test]
async fn a_type_is_known_however_it_is_written() {
    let world = World::make().await;
    for operation in json_operations() {
        let (_, good) = good_body(&operation).unwrap();
        for kind in
            ["Application/JSON", "application/json;charset=utf-8", "application/json ; charset=\"UTF-8\""]
        {
            let answer = send(&world, &operation, kind, good.as_bytes()).await;
            assert!((200..300).contains(&answer.status), "{kind} {answer:?}");
        }
    }
}

#[tokio::test]
async fn only_a_body_that_is_packed_is_refused_for_its_encoding() {
    let world = World::make().await;
    for operation in Operation::all() {
        let Some((kind, good)) = good_body(&operation) else { continue };
        let call =
            || caller(&world, &operation).call(operation.method, &world.path(&operation)).body(kind, good);
        for encoding in ["gzip", "br", "zstd", "identity, gzip"] {
            let packed = call().header("content-encoding", encoding);
            unchanged(&world.api, packed.send()).await.problem(415, "unsupported-media-type");
        }
        for encoding in ["identity", "Identity"] {
            let answer = call().header("content-encoding", encoding).send().await;
            assert!((200..300).contains(&answer.status), "{encoding} {answer:?}");
        }
    }
}

#[tokio::test]
async fn json_of_another_shape_is_refused_with_its_place() {
    let world = World::make().await;
    for operation in json_operations() {
        if operation.method == "PATCH" {
            continue;
        }
        unchanged(&world.api, async {
            for (body, fault) in [
                ("null", " type"),
                ("5", " type"),
                ("\"x\"", " type"),
                ("{\"a/b~c\":1}", "/a~1b~0c unknown_field"),
                ("{\"\":1}", "/ unknown_field"),
            ] {
                send(&world, &operation, "application/json", body.as_bytes()).await.faults(&[fault]);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_member_that_occurs_twice_is_refused() {
    let world = World::make().await;
    for operation in json_operations() {
        if operation.method == "PATCH" {
            continue;
        }
        let (member, name) = first_member(&operation);
        let body = format!("{{{member},{member}}}");
        let answer =
            unchanged(&world.api, send(&world, &operation, "application/json", body.as_bytes())).await;
        answer.faults(&[&format!("/{name} duplicate_field")]);
    }
}

#[tokio::test]
async fn half_a_surrogate_pair_is_refused_wherever_it_stands() {
    let world = World::make().await;
    for operation in json_operations() {
        let (_, name) = first_member(&operation);
        for body in [format!(r#"{{"{name}":"\ud800"}}"#), r#"{"\udc00":null}"#.to_owned()] {
            let call = send(&world, &operation, "application/json", body.as_bytes());
            let answer = unchanged(&world.api, call).await;
            assert!(matches!(answer.status, 400 | 422), "{body} {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_nested_too_deep_is_refused() {
    let world = World::make_with(&[("limits.max_json_depth", "5")]).await;
    for operation in json_operations() {
        for depth in [6, 100, 20_000] {
            let body = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
            let body = format!("{{\"data\":{body},\"tenant_info\":{body}}}");
            let answer =
                unchanged(&world.api, send(&world, &operation, "application/json", body.as_bytes())).await;
            assert!(matches!(answer.status, 400 | 422), "{depth} {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_body_that_ends_early_is_refused() {
    let world = World::make().await;
    for operation in json_operations() {
        let (_, good) = good_body(&operation).unwrap();
        let length = format!("Content-Length: {}", good.len() + 5);
        let key = caller(&world, &operation);
        let head = request(
            operation.method,
            &world.path(&operation),
            key.key(),
            &["Content-Type: application/json", &length],
            b"",
        );
        unchanged(&world.api, async {
            let mut connection = Raw::open(&world.api).await;
            connection.send(&head).await;
            connection.send(good.as_bytes()).await;
            connection.finish().await;
            let rest = String::from_utf8(connection.rest().await).unwrap();
            assert!(rest.starts_with("HTTP/1.1 400 "), "{rest}");
            assert!(rest.contains(r#""code":"body-incomplete""#), "{rest}");
        })
        .await;
    }
}
