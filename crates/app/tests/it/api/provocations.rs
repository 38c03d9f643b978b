//! How each documented problem of each operation is provoked from outside.

use super::answer::Answer;
use super::harness::{Actor, Call};
use super::openapi::Operation;
use super::raw::{Raw, exchange, request};
use super::world::{World, good_body, with_parameter};

/// What no request alone brings about: the server itself must be in trouble, or others in the way.
pub(crate) const NOT_FROM_OUTSIDE: [&str; 4] = ["contended", "internal-error", "storage-full", "unavailable"];

/// The id of nothing.
const NOBODY: &str = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d";

/// What may be refused on any path, and is described once for all.
pub(crate) const OF_NO_OPERATION: [&str; 2] = ["method-not-allowed", "route-not-found"];

/// Limits that are soon reached.
pub(crate) const SMALL_LIMITS: [(&str, &str); 4] = [
    ("limits.max_feeds", "2"),
    ("limits.max_json_body_bytes", "1024"),
    ("limits.max_batch_body_bytes", "1024"),
    ("limits.max_value_bytes", "1024"),
];

/// A patience that soon ends.
pub(crate) const IMPATIENT: [(&str, &str); 1] = [("http.body_timeout_seconds", "1")];

/// Makes the operation answer this problem.
pub(crate) async fn provoke(world: &World, expired: &Actor, operation: &Operation, code: &str) -> Answer {
    let scene = Scene { world, operation };
    match code {
        "key-missing" => scene.good(&world.api.anyone()).send().await,
        "key-malformed" => scene.good(&world.api.bearer("nonsense")).send().await,
        "key-unknown" => scene.good(&world.revoked).send().await,
        "key-expired" => scene.good(expired).send().await,
        "tenant-suspended" => scene.good(&world.suspended).send().await,
        "scope-missing" => scene.good(&scene.of_another_scope().await).send().await,
        "tenant-required" => scene.good(&world.api.admin()).send().await,
        "tenant-not-found" if scene.is_for_admins() => scene.at(&scene.path_of(999_999)).send().await,
        "tenant-not-found" => scene.good(&world.api.admin()).of_tenant("999999").send().await,
        "tenant-deleting" => scene.at(&scene.path_of(world.deleting.number)).send().await,
        "not-acceptable" => scene.good(&scene.caller()).header("accept", "text/html").send().await,
        "invalid-json" => scene.with_body("application/json", "{").send().await,
        "validation-failed" if operation.path.ends_with("{key}") => scene.raw("/api/v1/kv/%00").await,
        "validation-failed" => scene.with_body("application/json", r#"{"nonsense":1}"#).send().await,
        "body-incomplete" => scene.half_a_body(Then::Finish).await,
        "body-too-large" => scene.with_body(good_body(operation).unwrap().0, " ".repeat(1025)).send().await,
        "unsupported-media-type" => {
            scene.good(&scene.caller()).header("content-encoding", "gzip").send().await
        }
        "invalid-query" => scene.at(&with_parameter(&world.path(operation), "nonsense", "1")).send().await,
        "invalid-cursor" => {
            scene.at(&with_parameter(&world.path(operation), "cursor", "nonsense")).send().await
        }
        "invalid-header" => scene.good(&scene.caller()).header("if-match", "nonsense").send().await,
        "precondition-failed" => scene.good(&scene.caller()).header("if-match", "\"0\"").send().await,
        "invalid-path" => scene.raw("/api/v1/kv/%zz").await,
        "request-timeout" => scene.half_a_body(Then::Wait).await,
        "access-key-not-found" => scene.at(&format!("{}x", world.path(operation))).send().await,
        "event-not-found" | "key-value-not-found" => {
            scene.at(&format!("{}x", world.path(operation))).send().await
        }
        "plan-not-found" => scene.without(&world.catalog.plan).send().await,
        "feed-not-found" => scene.without(&world.catalog.feed).send().await,
        "feed-run-not-found" => scene.without(&world.catalog.run).send().await,
        "feed-run-not-held" => scene.with(&world.catalog.held_run, &world.catalog.run).send().await,
        "too-many-feeds" => scene.good(&scene.caller()).send().await,
        "not-incrementable" => scene.at("/api/v1/kv/greeting").send().await,
        "problem-not-found" => scene.at("/problems/nonsense").send().await,
        other => panic!("nobody knows how {operation:?} comes to answer {other}"),
    }
}

/// What a client does that has sent half a body.
enum Then {
    /// It says that nothing more will come.
    Finish,
    /// It says nothing.
    Wait,
}

struct Scene<'a> {
    world: &'a World,
    operation: &'a Operation,
}

impl Scene<'_> {
    fn is_for_admins(&self) -> bool {
        self.operation.path.starts_with("/api/v1/tenants")
    }

    /// Whoever may call the operation.
    fn caller(&self) -> Actor {
        if self.is_for_admins() { self.world.api.admin() } else { self.world.acme.actor.clone() }
    }

    async fn of_another_scope(&self) -> Actor {
        let other = if self.operation.path.starts_with("/api/v1/kv") { "events:read" } else { "kv:read" };
        self.world.api.key_of(self.world.acme.number, &[other]).await.1
    }

    /// The path, about another tenant.
    fn path_of(&self, tenant: i64) -> String {
        let own = format!("/tenants/{}", self.world.acme.number);
        self.world.path(self.operation).replace(&own, &format!("/tenants/{tenant}"))
    }

    /// The call as it would succeed, by this caller.
    fn good(&self, actor: &Actor) -> Call {
        let call = actor.call(self.operation.method, &self.world.path(self.operation));
        match good_body(self.operation) {
            Some((kind, body)) => call.body(kind, body),
            None => call,
        }
    }

    /// The call as it would succeed, but at this target.
    fn at(&self, target: &str) -> Call {
        let call = self.caller().call(self.operation.method, target);
        match good_body(self.operation) {
            Some((kind, body)) => call.body(kind, body),
            None => call,
        }
    }

    /// The call as it would succeed, but about something that is not there, in the place of this.
    fn without(&self, id: &str) -> Call {
        self.with(id, NOBODY)
    }

    /// The call as it would succeed, but about another thing in the place of this.
    fn with(&self, id: &str, other: &str) -> Call {
        let catalog = &self.world.catalog;
        let path = self.world.path(self.operation);
        // Some operations are about the other feed, or the other run.
        let same = if id == catalog.feed { &catalog.other_feed } else { &catalog.held_run };
        self.at(&path.replace(id, other).replace(same, other))
    }

    fn with_body(&self, kind: &str, body: impl Into<Vec<u8>>) -> Call {
        self.caller().call(self.operation.method, &self.world.path(self.operation)).body(kind, body)
    }

    /// The call as it would succeed, but at this target, which is sent as it stands.
    async fn raw(&self, target: &str) -> Answer {
        let (kind, body) = good_body(self.operation).unwrap_or(("text/plain", ""));
        let kind = format!("Content-Type: {kind}");
        let bytes = request(self.operation.method, target, self.caller().key(), &[&kind], body.as_bytes());
        exchange(&self.world.api, &bytes).await
    }

    async fn half_a_body(&self, then: Then) -> Answer {
        let (kind, body) = good_body(self.operation).unwrap();
        let (kind, length) = (format!("Content-Type: {kind}"), format!("Content-Length: {}", body.len()));
        let path = self.world.path(self.operation);
        let mut connection = Raw::open(&self.world.api).await;
        connection
            .send(&request(self.operation.method, &path, self.caller().key(), &[&kind, &length], b""))
            .await;
        connection.send(&body.as_bytes()[..body.len() / 2]).await;
        if let Then::Finish = then {
            connection.finish().await;
        }
        connection.answer().await
    }
}
