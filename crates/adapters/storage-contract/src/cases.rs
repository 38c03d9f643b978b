//! The cases, a file a noun. Each is named as the sentence that it proves.

#![expect(missing_docs, reason = "a case's name is what there is to say of it")]

pub(crate) mod access_key;
pub(crate) mod access_key_list;
pub(crate) mod admin_key;
pub(crate) mod dropped_write;
pub(crate) mod event_append;
pub(crate) mod event_concurrency;
pub(crate) mod event_filter;
pub(crate) mod event_filter_data;
pub(crate) mod event_filter_message;
pub(crate) mod event_list;
pub(crate) mod export;
pub(crate) mod feed;
pub(crate) mod feed_claim;
pub(crate) mod feed_hold;
pub(crate) mod feed_import;
pub(crate) mod feed_precondition;
pub(crate) mod feed_reject;
pub(crate) mod feed_run;
pub(crate) mod health;
pub(crate) mod import;
pub(crate) mod key_value_concurrency;
pub(crate) mod key_value_delete;
pub(crate) mod key_value_expiry;
pub(crate) mod key_value_increment;
pub(crate) mod key_value_list;
pub(crate) mod key_value_put;
pub(crate) mod past_event;
pub(crate) mod past_plan;
pub(crate) mod past_tenant;
pub(crate) mod plan;
pub(crate) mod setting;
pub(crate) mod tenant;
pub(crate) mod tenant_erasure;
pub(crate) mod tenant_list;
