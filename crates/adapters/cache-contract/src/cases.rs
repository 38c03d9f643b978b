//! The cases, a file a subject.

pub(crate) mod bus;
pub(crate) mod generation;
pub(crate) mod lease;
pub(crate) mod lookup;
pub(crate) mod replace;
