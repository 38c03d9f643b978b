//! A world in which every kind of caller has something to lose: two tenants with data, one that is
//! suspended, one that is being deleted, and keys of every fate.

use std::time::{Duration, SystemTime};

use serde_json::json;
use tenantry_domain::{KeyKind, SecretKey, Timestamp};

use super::catalog::{NEAR, feed_of, run};
use super::harness::{Actor, Api, NO_ERASURE, TENANT_SCOPES, Tenant};
use super::openapi::Operation;
use crate::provider::{Does, Provider, feed, online};
use crate::support::until;

/// See the module.
pub(crate) struct World {
    pub(crate) api: Api,
    /// With an event, the key-values `greeting` and `visits`, two keys, and feeds.
    pub(crate) acme: Tenant,
    /// With the same of its own.
    pub(crate) other: Tenant,
    pub(crate) suspended: Tenant,
    pub(crate) deleting: Tenant,
    /// The id of acme's event.
    pub(crate) event: String,
    /// The id of a key of acme's that nobody uses.
    pub(crate) spare_key: String,
    pub(crate) revoked: Actor,
    pub(crate) catalog: Catalog,
}

/// What acme has in its catalog. From now on the provider of its feeds says nothing, so that a run stays open.
pub(crate) struct Catalog {
    /// A feed that the timer leaves alone; its id.
    pub(crate) feed: String,
    /// Another one.
    pub(crate) other_feed: String,
    /// The id of a plan of it.
    pub(crate) plan: String,
    /// The ids of its runs: the one that succeeded, and the one that is held.
    pub(crate) run: String,
    pub(crate) held_run: String,
}

impl World {
    pub(crate) async fn make() -> Self {
        Self::make_with(&[]).await
    }

    pub(crate) async fn make_with(settings: &[(&str, &str)]) -> Self {
        let api = Api::start_with(&[&[NO_ERASURE, NEAR], settings].concat());
        let acme = inhabited(&api, "acme").await;
        let event = acme.tell("of acme").await["id"].as_str().unwrap().to_owned();
        let (spare_key, _) = api.key_of(acme.number, &["kv:read"]).await;
        let (revoked_key, revoked) = api.key_of(acme.number, &TENANT_SCOPES).await;
        let world = Self {
            catalog: catalog_of(&acme).await,
            other: inhabited(&api, "other").await,
            suspended: inhabited(&api, "suspended").await,
            deleting: inhabited(&api, "deleting").await,
            event,
            spare_key,
            revoked,
            acme,
            api,
        };
        let admin = world.api.admin();
        let tenant = |tenant: &Tenant| format!("/api/v1/tenants/{}", tenant.number);
        admin.delete(&format!("{}/keys/{revoked_key}", tenant(&world.acme))).send().await.expect(204);
        admin.post(&format!("{}/suspend", tenant(&world.suspended))).send().await.expect(200);
        admin.delete(&tenant(&world.deleting)).send().await.expect(202);
        world
    }

    /// A key of acme's that has expired.
    pub(crate) async fn expired(&self) -> Actor {
        let draft = json!({"name": "short", "scopes": TENANT_SCOPES, "expires_at": in_two_seconds()});
        let (_, expired) = self.api.key_from(self.acme.number, &draft).await;
        until("the key has expired", async || expired.get("/api/v1/kv").send().await.status == 401).await;
        expired
    }

    /// A key in good form that was never given to anybody.
    pub(crate) fn foreign(&self) -> Actor {
        self.api.bearer(SecretKey::from_entropy(KeyKind::Tenant, [1; 16], [2; 32]).expose())
    }

    /// The path of an operation, about what is acme's.
    pub(crate) fn path(&self, operation: &Operation) -> String {
        let key = match operation.method {
            "POST" => "visits",
            _ => "greeting",
        };
        operation
            .path
            .replace("{tenant}", &self.acme.number.to_string())
            .replace("{key_id}", &self.spare_key)
            .replace(
                "{id}",
                if operation.path.contains("/plans/") { &self.catalog.plan } else { &self.event },
            )
            .replace(
                "{feed}",
                if operation.path.ends_with("/replay") {
                    &self.catalog.other_feed
                } else {
                    &self.catalog.feed
                },
            )
            .replace(
                "{run}",
                if operation.path.ends_with("/confirm") { &self.catalog.held_run } else { &self.catalog.run },
            )
            .replace("/search", "/search?starts_at=2000-01-01&ends_at=2099-12-31")
            .replace("{key}", key)
            .replace("{code}", "key-missing")
    }
}

/// The target with a parameter set: behind the others, or in the place of one of the same name.
pub(crate) fn with_parameter(target: &str, name: &str, value: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let others = query.split('&').filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name));
    let pair = format!("{name}={value}");
    let query: Vec<&str> = others.chain([pair.as_str()]).collect();
    format!("{path}?{}", query.join("&"))
}

async fn catalog_of(tenant: &Tenant) -> Catalog {
    let plans: Vec<_> = (0..20)
        .map(|n| online("1", &n.to_string(), "a", "2021-06-10T20:00:00", "2021-06-10T21:00:00", "5"))
        .collect();
    let provider = Provider::of(&feed(&plans));
    let (place, other_place) = (feed_of(tenant, &provider).await, feed_of(tenant, &provider).await);
    let id = |value: &serde_json::Value| value["id"].as_str().unwrap().to_owned();
    let succeeded = run(tenant, &place).await;
    provider.serves(&feed(&[]));
    let held = run(tenant, &place).await;
    assert_eq!((&succeeded["outcome"], &held["outcome"]), (&json!("succeeded"), &json!("held")));
    provider.does(&[Does::Hang]);
    let found = tenant.get("/api/v1/search?starts_at=2000-01-01&ends_at=2099-12-31").send().await.expect(200);
    let last_of = |place: &str| place.rsplit('/').next().unwrap().to_owned();
    Catalog {
        feed: last_of(&place),
        other_feed: last_of(&other_place),
        plan: id(&found.json()["data"]["events"][0]),
        run: id(&succeeded),
        held_run: id(&held),
    }
}

/// Soon, in RFC 3339.
pub(crate) fn in_two_seconds() -> String {
    let soon = SystemTime::now() + Duration::from_secs(2);
    let micros = soon.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros();
    Timestamp::from_micros(i64::try_from(micros).unwrap()).to_string()
}

async fn inhabited(api: &Api, name: &str) -> Tenant {
    let tenant = api.tenant(name).await;
    tenant.set("greeting", &format!("hello from {name}")).await;
    tenant.set("visits", "5").await;
    tenant
}

/// A body that the operation would take; nothing where it takes none.
pub(crate) fn good_body(operation: &Operation) -> Option<(&'static str, &'static str)> {
    let json = |body| Some(("application/json", body));
    match (operation.method, operation.path) {
        ("POST", "/api/v1/tenants") | ("PUT" | "PATCH", "/api/v1/tenants/{tenant}") => {
            json(r#"{"name":"new"}"#)
        }
        ("POST", "/api/v1/tenants/{tenant}/keys") => json(r#"{"name":"new","scopes":["kv:read"]}"#),
        ("POST", "/api/v1/events") => json(r#"{"component":"a","environment":"b","message":"new"}"#),
        ("POST", "/api/v1/catalog/feeds") => {
            json(r#"{"name":"new","url":"http://127.0.0.1:9/","enabled":false}"#)
        }
        ("PATCH", "/api/v1/catalog/feeds/{feed}") => json(r#"{"name":"new"}"#),
        ("POST", "/api/v1/kv/{key}") => json(r#"{"increment":1}"#),
        ("PUT", "/api/v1/kv/{key}") => Some(("text/plain", "new")),
        _ => None,
    }
}
