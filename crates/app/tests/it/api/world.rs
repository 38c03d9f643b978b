//! A world in which every kind of caller has something to lose: two tenants with data, one that is
//! suspended, one that is being deleted, and keys of every fate.

use std::time::{Duration, SystemTime};

use serde_json::json;
use tenantry_domain::{KeyKind, SecretKey, Timestamp};

use super::harness::{Actor, Api, NO_ERASURE, TENANT_SCOPES, Tenant};
use super::openapi::Operation;
use crate::support::until;

/// See the module.
pub(crate) struct World {
    pub(crate) api: Api,
    /// With an event, the key-values `greeting` and `visits`, and two keys.
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
}

impl World {
    pub(crate) async fn make() -> Self {
        Self::make_with(&[]).await
    }

    pub(crate) async fn make_with(settings: &[(&str, &str)]) -> Self {
        let api = Api::start_with(&[&[NO_ERASURE], settings].concat());
        let acme = inhabited(&api, "acme").await;
        let event = acme.tell("of acme").await["id"].as_str().unwrap().to_owned();
        let (spare_key, _) = api.key_of(acme.number, &["kv:read"]).await;
        let (revoked_key, revoked) = api.key_of(acme.number, &TENANT_SCOPES).await;
        let world = Self {
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
            .replace("{id}", &self.event)
            .replace("{key}", key)
            .replace("{code}", "key-missing")
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
        ("POST", "/api/v1/kv/{key}") => json(r#"{"increment":1}"#),
        ("PUT", "/api/v1/kv/{key}") => Some(("text/plain", "new")),
        _ => None,
    }
}
