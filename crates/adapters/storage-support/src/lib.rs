//! What the SQL adapters share: group commit for writes, bounded offload for reads, and texts that begin alike as a
//! range of texts.
//!
//! What belongs here: how blocking work is queued, gathered and answered. What never will: SQL, an
//! engine, or a noun of the domain.

mod gathered_reads;
mod group_commit;
mod prefix;
mod read_pool;
mod reply;

pub use gathered_reads::GatheredReads;
pub use group_commit::{Batch, GroupCommit, QueueLimits};
pub use prefix::end_of_prefix;
pub use read_pool::{Caller, ReadLimits, ReadPool};
