//! The cases, a file a subject.

pub(crate) mod delivery;
pub(crate) mod lease;
pub(crate) mod settling;
