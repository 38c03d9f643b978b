//! Runs of a feed: one fetch each, from its request to its report.

use std::fmt;

use uuid::Uuid;

use crate::feed::FeedId;
use crate::plan::CatalogRevision;
use crate::timestamp::Timestamp;

/// A run's id: a UUIDv7, so runs are in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(Uuid);

impl RunId {
    /// The id that this UUID is.
    #[must_use]
    pub fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Reads a UUID in its usual form with hyphens.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 36).then(|| Uuid::try_parse(text).ok().map(Self)).flatten()
    }

    /// The UUID.
    #[must_use]
    pub fn get(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$case_doc:meta])* $case:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$case_doc])* $case,)* }

        impl $name {
            /// Every case.
            pub const ALL: &'static [Self] = &[$(Self::$case,)*];

            /// Its word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$case => $word,)* }
            }

            /// The case of that word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|case| case.as_str() == word)
            }
        }
    };
}

words! {
    /// Why a run was made.
    RunTrigger {
        /// Its feed's time had come.
        Schedule = "schedule",
        /// Somebody asked for it.
        Request = "request",
        /// A file was imported into the feed.
        File = "file",
        /// Rejected records are tried again: only they are looked at, and nothing leaves sale.
        Replay = "replay",
    }
}

words! {
    /// How far a run has come.
    RunState {
        /// It waits for a worker.
        Queued = "queued",
        /// A worker has it.
        Running = "running",
        /// The catalog is what the feed says.
        Succeeded = "succeeded",
        /// The provider says that nothing has changed since the last success.
        Unchanged = "unchanged",
        /// The feed could not be fetched whole, or could not be read; nothing was changed.
        Failed = "failed",
        /// More plans would leave sale than is believed at once: it waits for a person to confirm it, and nothing
        /// was changed.
        Held = "held",
        /// It was held, and a later run of the feed has taken its place.
        Superseded = "superseded",
    }
}

impl RunState {
    /// Whether there will be more of it: it is queued or running.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }
}

/// What a run has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Bytes of the feed, decompressed, of all attempts.
    pub bytes: u64,
    /// How often the provider was asked.
    pub attempts: u32,
    /// Records that were read and taken: new, changed and unchanged ones.
    pub plans_seen: u64,
    /// Plans that the catalog did not have.
    pub plans_new: u64,
    /// Plans of which something differs.
    pub plans_changed: u64,
    /// Plans of which nothing differs.
    pub plans_unchanged: u64,
    /// Plans that were in the feed before, and are no more.
    pub plans_left_sale: u64,
    /// Records that could not be taken.
    pub rejected: u64,
}

/// A run of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRun {
    /// Its id.
    pub id: RunId,
    /// Whose run.
    pub feed: FeedId,
    /// Why it was made.
    pub trigger: RunTrigger,
    /// How far it has come.
    pub state: RunState,
    /// When it was asked for.
    pub queued_at: Timestamp,
    /// When a worker first took it.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
    /// What it has counted. While it is held, `plans_left_sale` are those that would leave.
    pub counts: RunCounts,
    /// For a run that failed or is held: why, for a person. For one that has brought the past: what it has left as it was.
    /// At most 1,000 characters; never a secret.
    pub detail: Option<String>,
    /// The catalog's revision that shows what it brought, once it has succeeded.
    pub catalog_revision: Option<CatalogRevision>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for state in RunState::ALL {
            assert_eq!(RunState::parse(state.as_str()), Some(*state));
        }
        for trigger in RunTrigger::ALL {
            assert_eq!(RunTrigger::parse(trigger.as_str()), Some(*trigger));
        }
        assert_eq!(RunState::parse("done"), None);
    }
}
