//! What the target notes of a move that is under way, in each transaction with the rows themselves.

use serde_json::{Value, json};
use tenantry_domain::{FeedId, Key, PlanId, RejectId, RunId, Sequence, TenantNumber};
use tenantry_ports::CatalogPosition;

/// How far tenants' data was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    /// The tenant that it is at.
    pub(super) tenant: TenantNumber,
    /// What of it comes next.
    pub(super) next: Next,
    /// How many of its rows are copied.
    pub(super) rows: u64,
}

/// What of a tenant is copied next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// Its access keys, from the first.
    AccessKeys,
    /// Its events behind that one.
    Events(Option<Sequence>),
    /// Its key-values behind that one.
    KeyValues(Option<Key>),
    /// The rows of its catalog behind that one.
    Catalog(Option<CatalogPosition>),
    /// Nothing: the next tenant.
    Tenant,
}

/// What is noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marker {
    /// Which source, and in which state.
    pub(super) fingerprint: String,
    /// How far; nothing before the tenants are all there.
    pub(super) position: Option<Position>,
}

impl Marker {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let position = self.position.as_ref().map(|position| {
            let (table, after) = match &position.next {
                Next::AccessKeys => ("access_keys", Value::Null),
                Next::Events(after) => ("events", json!(after.map(Sequence::get))),
                Next::KeyValues(after) => ("key_values", json!(after.as_ref().map(Key::as_str))),
                Next::Catalog(after) => ("catalog", after.map_or(Value::Null, catalog_position)),
                Next::Tenant => ("next_tenant", Value::Null),
            };
            json!({
                "tenant": position.tenant.get(), "table": table, "after": after, "rows": position.rows
            })
        });
        json!({ "source": self.fingerprint, "position": position }).to_string().into_bytes()
    }

    /// Nothing where it is not of this form: another version has written it.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let marker: Value = serde_json::from_slice(bytes).ok()?;
        let fingerprint = marker.get("source")?.as_str()?.to_owned();
        let position = match marker.get("position")? {
            Value::Null => None,
            position => Some(Position {
                tenant: TenantNumber::new(position.get("tenant")?.as_i64()?)?,
                next: next(position.get("table")?.as_str()?, position.get("after")?)?,
                rows: position.get("rows")?.as_u64()?,
            }),
        };
        Some(Self { fingerprint, position })
    }
}

fn catalog_position(position: CatalogPosition) -> Value {
    match position {
        CatalogPosition::Feed(feed) => json!(["feed", feed.to_string()]),
        CatalogPosition::Run(feed, run) => json!(["run", feed.to_string(), run.to_string()]),
        CatalogPosition::Reject(feed, reject) => json!(["reject", feed.to_string(), reject.to_string()]),
        CatalogPosition::Version(plan, version) => json!(["version", plan.to_string(), version]),
        CatalogPosition::Plan(plan) => json!(["plan", plan.to_string()]),
    }
}

fn read_catalog_position(position: &Value) -> Option<CatalogPosition> {
    let part = |place: usize| position.get(place)?.as_str();
    match part(0)? {
        "feed" => Some(CatalogPosition::Feed(FeedId::parse(part(1)?)?)),
        "run" => Some(CatalogPosition::Run(FeedId::parse(part(1)?)?, RunId::parse(part(2)?)?)),
        "reject" => Some(CatalogPosition::Reject(FeedId::parse(part(1)?)?, RejectId::parse(part(2)?)?)),
        "version" => {
            let version = position.get(2)?.as_u64()?;
            Some(CatalogPosition::Version(PlanId::parse(part(1)?)?, u32::try_from(version).ok()?))
        }
        "plan" => Some(CatalogPosition::Plan(PlanId::parse(part(1)?)?)),
        _ => None,
    }
}

fn next(table: &str, after: &Value) -> Option<Next> {
    match (table, after) {
        ("access_keys", _) => Some(Next::AccessKeys),
        ("events", Value::Null) => Some(Next::Events(None)),
        ("events", after) => Some(Next::Events(Some(Sequence::new(after.as_u64()?)?))),
        ("key_values", Value::Null) => Some(Next::KeyValues(None)),
        ("key_values", after) => Some(Next::KeyValues(Some(Key::from_stored(after.as_str()?)))),
        ("catalog", Value::Null) => Some(Next::Catalog(None)),
        ("catalog", after) => Some(Next::Catalog(Some(read_catalog_position(after)?))),
        ("next_tenant", _) => Some(Next::Tenant),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_comes_back_as_it_was() {
        let uuid = "00000000-0000-0000-0000-000000000007";
        let feed = FeedId::parse(uuid).unwrap();
        let nexts = [
            Next::AccessKeys,
            Next::Events(None),
            Next::Events(Sequence::new(7)),
            Next::KeyValues(None),
            Next::KeyValues(Some(Key::from_stored("a \"key\" 🦀"))),
            Next::Catalog(None),
            Next::Catalog(Some(CatalogPosition::Feed(feed))),
            Next::Catalog(Some(CatalogPosition::Run(feed, RunId::parse(uuid).unwrap()))),
            Next::Catalog(Some(CatalogPosition::Reject(feed, RejectId::new([7; 16])))),
            Next::Catalog(Some(CatalogPosition::Version(PlanId::parse(uuid).unwrap(), 7))),
            Next::Catalog(Some(CatalogPosition::Plan(PlanId::parse(uuid).unwrap()))),
            Next::Tenant,
        ];
        let position = |next| Position { tenant: TenantNumber::new(3).unwrap(), next, rows: 9 };
        for position in nexts.into_iter().map(position).map(Some).chain([None]) {
            let marker = Marker { fingerprint: "f".to_owned(), position };
            assert_eq!(Marker::from_bytes(&marker.to_bytes()), Some(marker));
        }
    }

    #[test]
    fn what_is_no_marker_is_not_taken_for_one() {
        for text in ["", "{}", "[]", r#"{"source": "f"}"#, r#"{"source": "f", "position": {"tenant": 0}}"#] {
            assert_eq!(Marker::from_bytes(text.as_bytes()), None, "{text}");
        }
    }
}
