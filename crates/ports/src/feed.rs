//! Where feeds are kept.

use async_trait::async_trait;
use tenantry_domain::{Feed, FeedId, FeedSettings, Page, PageLimit, Precondition, TenantNumber};

use crate::error::StorageError;

/// Why a feed was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedWriteError {
    /// There is no such tenant, or it is being deleted.
    #[error("there is no such tenant")]
    TenantNotFound,
    /// The tenant has no such feed.
    #[error("there is no such feed")]
    NotFound,
    /// The tenant has as many feeds as it may have.
    #[error("the tenant has {0} feeds already")]
    TooMany(u32),
    /// The feed's version is another one than the caller expected.
    #[error("the feed has changed: its version is {current}")]
    VersionConflict {
        /// The version it has.
        current: u64,
    },
    /// Storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The feeds of each tenant.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait FeedRepository: Send + Sync {
    /// Stores a feed under this id, unless the tenant has `max_feeds`. It is of version 1, created and updated now;
    /// if it is enabled, its first run is due at once.
    ///
    /// # Errors
    /// [`FeedWriteError::TenantNotFound`] also while the tenant is being deleted; [`FeedWriteError::TooMany`].
    async fn create(
        &self,
        tenant: TenantNumber,
        id: FeedId,
        settings: FeedSettings,
        max_feeds: u32,
    ) -> Result<Feed, FeedWriteError>;

    /// The tenant's feed of that id.
    async fn find(&self, tenant: TenantNumber, feed: FeedId) -> Result<Option<Feed>, StorageError>;

    /// The tenant's feeds by id, behind `after`.
    async fn list(
        &self,
        tenant: TenantNumber,
        after: Option<FeedId>,
        limit: PageLimit,
    ) -> Result<Page<Feed>, StorageError>;

    /// Changes a feed that still has `expected_version`; the version grows by one, `updated_at` is now (and never
    /// falls). Where the interval has changed, or it was not enabled before, its next run is due now; where it is
    /// not enabled any more, it has none. Where its URL or its time zone has changed, what its provider said of the
    /// last answer (ETag and Last-Modified) is forgotten.
    ///
    /// # Errors
    /// [`FeedWriteError::TenantNotFound`], [`FeedWriteError::NotFound`], [`FeedWriteError::VersionConflict`].
    async fn update(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        expected_version: u64,
        settings: FeedSettings,
    ) -> Result<Feed, FeedWriteError>;

    /// Removes a feed with its runs, what they have staged, and its rejects, if the precondition holds for its version.
    /// Its plans stay, and are on sale no more; a worker that has a run of it finds its claim lost. Where that changed
    /// a plan, the catalog takes the next revision, and
    /// [`CommitListener::catalog_changed`](crate::CommitListener) is told.
    ///
    /// # Errors
    /// [`FeedWriteError::TenantNotFound`]; [`FeedWriteError::NotFound`], whatever the precondition;
    /// [`FeedWriteError::VersionConflict`].
    async fn delete(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        precondition: Precondition,
    ) -> Result<(), FeedWriteError>;
}
