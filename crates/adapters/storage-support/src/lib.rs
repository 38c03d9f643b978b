//! What the SQL adapters share: group commit for writes, bounded offload for reads, texts that begin alike as a
//! range of texts, and the catalog, as far as both store it alike.
//!
//! What belongs here: how blocking work is queued, gathered and answered; of the catalog, its rows, what is made of them,
//! what is decided about them, and the queries that are the same to the letter. What never will: an engine, or a query
//! that one of them would do better in other words.
//!
//! The catalog's modules are called as those of the engines' crates that they belong to. What they ask of an engine is
//! [`engine`]; its methods and their functions fail as its queries do, and where what is stored cannot be what was stored
//! ([`Damaged`](engine::Damaged)).

pub mod bind;
pub mod catalog_export;
pub mod catalog_import;
pub mod engine;
pub mod feed;
pub mod feed_reject;
pub mod feed_run_claim;
pub mod feed_run_finish;
pub mod feed_run_publish;
pub mod feed_run_row;
pub mod feed_run_schedule;
pub mod feed_run_stage;
mod gathered_reads;
mod group_commit;
mod page;
pub mod plan;
pub mod plan_content;
mod prefix;
mod read_pool;
mod reply;
pub mod tenant;

pub use gathered_reads::GatheredReads;
pub use group_commit::{Batch, GroupCommit, QueueLimits};
pub use prefix::end_of_prefix;
pub use read_pool::{Caller, ReadLimits, ReadPool};
