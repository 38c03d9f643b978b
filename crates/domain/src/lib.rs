//! What Tenantry's tenants, events, key-values, plans and access keys *are*, and the rules that hold for them
//! wherever they are stored and however they are reached.
//!
//! What belongs here: types that cannot hold a wrong value, and pure functions over them.
//! What never will: I/O, async, clocks, random sources, SQL rows, wire shapes, status codes.
//!
//! Start with [`Tenant`], [`Event`], [`Entry`], [`Plan`] with its [`Feed`], and [`AccessKey`]; what a caller hands in arrives as a
//! draft ([`TenantDraft`], [`EventDraft`], [`AccessKeyDraft`], [`FeedDraft`]) and is parsed once, or refused with
//! every [`Violation`] it has.

mod access_key;
mod event;
mod event_filter;
mod feed;
mod feed_reject;
mod feed_run;
mod json_object;
mod json_text;
mod key_value;
mod merge_patch;
mod page;
mod past;
mod plan;
mod precondition;
mod price;
mod scope;
mod secret_key;
mod tenant;
mod text;
mod time_zone;
mod timestamp;
mod violation;
mod zone;

pub use access_key::{AccessKey, AccessKeyDraft, AccessKeyName, Caller, KeyOwner, NewAccessKey};
pub use event::{
    Component, Email, Environment, Event, EventDraft, EventId, Message, NewEvent, Sequence, Stored,
};
pub use event_filter::{EventFilter, Order, contains_ignoring_case, json_contains};
pub use feed::{Feed, FeedDraft, FeedId, FeedName, FeedSettings, FeedUrl};
pub use feed_reject::{RecordPlace, Reject, RejectCode, RejectId, RejectReason, RejectedRecord};
pub use feed_run::{FeedRun, RunCounts, RunId, RunState, RunTrigger};
pub use json_object::{JsonObject, JsonObjectError};
pub use json_text::{JsonTextError, check_json_text};
pub use key_value::{
    ContentType, Entry, EntryMeta, IncrementError, Key, KeyError, Revision, TimeToLive, incremented,
};
pub use merge_patch::merge_patch;
pub use page::{Page, PageLimit};
pub use past::{PastEvent, PastPlan, PastTenant};
pub use plan::{
    CatalogRevision, Plan, PlanContent, PlanId, PlanKey, PlanRecord, PlanSource, PlanTime, PlanTitle,
    PlanVersion, ProviderId, SearchablePlan, SellMode,
};
pub use precondition::{Precondition, RevisionSet};
pub use price::{Price, PriceError, PriceRange};
pub use scope::{Scope, ScopeSet};
pub use secret_key::{KeyHash, KeyId, KeyKind, MalformedKey, PresentedKey, SecretKey};
pub use tenant::{
    Erasure, NewTenant, Tenant, TenantDraft, TenantFilter, TenantName, TenantNumber, TenantRef, TenantStatus,
};
pub use time_zone::TimeZone;
pub use timestamp::Timestamp;
pub use violation::{Violation, Violations};
pub use zone::{Zone, ZoneList, ZoneListBuilder};
