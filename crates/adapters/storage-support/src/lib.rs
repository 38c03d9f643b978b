//! What the SQL adapters share: group commit for writes, and bounded offload for reads.
//!
//! What belongs here: how blocking work is queued, gathered and answered. What never will: SQL, an
//! engine, or a noun of the domain.

mod gathered_reads;
mod group_commit;
mod read_pool;
mod reply;

pub use gathered_reads::GatheredReads;
pub use group_commit::{Batch, GroupCommit, QueueLimits};
pub use read_pool::{Caller, ReadLimits, ReadPool};
