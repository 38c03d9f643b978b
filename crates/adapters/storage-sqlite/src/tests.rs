//! Tests of the storage as a whole that need to reach inside it.

mod counters;
mod disk_full;
mod event_range;
mod failing_writes;
mod job_queue;
mod rig;
