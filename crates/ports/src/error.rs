//! What can go wrong with any storage, whatever was asked of it.

/// Why storage did not do what it was asked. Nothing was changed, or (after a crash in the middle of a
/// commit) it is not known whether it was; either way it was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// Too busy, locked, shutting down or out of reach: worth another try in a moment.
    #[error("storage is not available: {0}")]
    Unavailable(String),
    /// No space is left for the write; reads go on.
    #[error("storage is full: {0}")]
    Full(String),
    /// Anything else: a fault that another try will not mend. The text is for the log, never for a caller.
    #[error("storage failed: {0}")]
    Failed(String),
}
