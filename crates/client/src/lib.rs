//! A typed, async client of Tenantry's HTTP API.
//!
//! ```no_run
//! use tenantry_client::{Client, NewEvent, PutOptions};
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder("https://tenantry.example").key("tnt_…").build()?;
//! let event = NewEvent::new("billing", "production", "order 4711 failed").email("ada@example.com");
//! let stored = client.events().create(&event).await?;
//! client.key_values().put("last-order", stored.event.id.to_string(), PutOptions::text()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Start with [`Client`]: it leads to [`Tenants`], [`AccessKeys`], [`Events`], [`KeyValues`] and [`Catalog`]. Each list comes as a
//! stream that follows the cursors, or page by page ([`Page`]). What can go wrong is a [`ClientError`]; a refusal carries
//! the server's [`Problem`].
//!
//! # What is sent again
//! A request that failed is sent again, with growing pauses ([`RetryPolicy`]), where that cannot do harm:
//!
//! | request | sent again after a lost answer, 502, 503 or 504 | because |
//! |---|---|---|
//! | every read | yes | nothing is changed |
//! | creating events, one or many | yes | each carries an id; the client makes one where the caller gives none, and the server stores an id once |
//! | putting or deleting a key-value | yes | done twice it leaves the same. Without a precondition it may take a second revision, and stand over what somebody else wrote in between, as any such write may |
//! | changing, suspending, activating or deleting a tenant; revoking a key | yes | as above |
//! | incrementing under a precondition that holds once ([`Precondition::holds_once`]) | yes | the second time the precondition does not hold |
//! | changing, removing or running a feed; confirming a run | yes | as above; a feed has one run at a time |
//! | any other increment; creating a tenant, a key or a feed | no | done twice it is not the same as once |
//!
//! A 503 counts as a lost answer, since the server says by it only that nothing was *acknowledged*: a database that
//! fell silent at a commit may have carried it out. Where no connection could be made, and after 408 and 429, nothing
//! was done, so every request is sent again. Where a request was sent again after a lost answer, and the server then
//! refuses it (412, 404), that may be the first attempt's own doing: [`Problem::after_lost_answer`] says so.
//!
//! # What belongs here, and what never will
//! The wire shapes are this crate's own, and it depends on no other crate of the workspace: it knows of the server only
//! what the server's OpenAPI document says. What is unknown in an answer is passed over, so that an older client reads
//! a newer server. No rule of the domain stands here: the server is who refuses.

mod access_key;
mod attempts;
mod builder;
mod catalog;
mod client;
mod error;
mod event;
mod event_batch;
mod event_query;
mod health;
mod json_object;
mod key_path;
mod key_value;
mod key_value_headers;
mod key_value_list;
mod page;
mod precondition;
mod problem;
mod request;
mod retry;
mod secret;
mod tenant;
mod time;
mod tls;

pub use access_key::{AccessKey, AccessKeys, CreatedAccessKey, NewAccessKey};
pub use builder::{BuildError, ClientBuilder};
pub use catalog::{Catalog, Feed, FeedPatch, FeedRun, FoundPlan, NewFeed, Reject, RejectPlace, RejectReason};
pub use client::Client;
pub use error::{ClientError, TransportError, TransportKind};
pub use event::{Event, Events, NewEvent, StoredEvent};
pub use event_batch::{BatchItem, BatchOutcome, ItemOutcome};
pub use event_query::{EventOrder, EventQuery};
pub use health::Readiness;
pub use json_object::{JsonObject, JsonObjectError};
pub use key_value::{Increment, Incremented, KeyValues, PutOptions, Value, ValueInfo, Written};
pub use key_value_list::{Entry, KeyValueQuery};
pub use page::{ItemStream, Page};
pub use precondition::{EntityTag, Precondition};
pub use problem::{Problem, Violation};
pub use retry::RetryPolicy;
pub use secret::Secret;
pub use tenant::{
    Erasure, NewTenant, Tagged, Tenant, TenantPatch, TenantQuery, TenantRef, TenantStatus, Tenants,
};
