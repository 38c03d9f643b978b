//! The cases, a file a subject.

pub(crate) mod bus;
pub(crate) mod bus_fault;
pub(crate) mod cache_fault;
pub(crate) mod generation;
pub(crate) mod lease;
pub(crate) mod lookup;
pub(crate) mod replace;
