//! Where in the hexagon a workspace crate lives: its folder says so.

use std::fmt;
use std::path::Path;

/// A crate's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Domain,
    Ports,
    Services,
    /// One of `crates/adapters`, by the name of its folder.
    Adapter(String),
    /// One of `crates/interfaces`, by the name of its folder.
    Interface(String),
    /// The client of the HTTP API.
    Client,
    App,
    Xtask,
    /// A folder for which no rule is written.
    Unknown(String),
}

impl Place {
    /// The place of the crate with this manifest.
    pub(crate) fn of(root: &Path, manifest: &Path) -> Self {
        let folder = manifest.parent().and_then(|folder| folder.strip_prefix(root).ok()).unwrap_or(manifest);
        let parts: Vec<_> = folder.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        match parts.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["crates", "domain"] => Self::Domain,
            ["crates", "ports"] => Self::Ports,
            ["crates", "services"] => Self::Services,
            ["crates", "adapters", name] => Self::Adapter(name.to_owned()),
            ["crates", "interfaces", name] => Self::Interface(name.to_owned()),
            ["crates", "client"] => Self::Client,
            ["crates", "app"] => Self::App,
            ["crates", "xtask"] => Self::Xtask,
            _ => Self::Unknown(folder.display().to_string()),
        }
    }

    /// The suite that storage adapters pass.
    pub(crate) fn is_storage_contract(&self) -> bool {
        matches!(self, Self::Adapter(name) if name == "storage-contract")
    }

    /// What SQL adapters share.
    pub(crate) fn is_storage_support(&self) -> bool {
        matches!(self, Self::Adapter(name) if name == "storage-support")
    }

    /// The suites that shared caches and buses pass.
    pub(crate) fn is_cache_contract(&self) -> bool {
        matches!(self, Self::Adapter(name) if name == "cache-contract")
    }

    /// What shared-cache adapters share.
    pub(crate) fn is_cache_support(&self) -> bool {
        matches!(self, Self::Adapter(name) if name == "cache-support")
    }

    /// The suite that job queues pass, with a broker for tests that kill one.
    pub(crate) fn is_queue_contract(&self) -> bool {
        matches!(self, Self::Adapter(name) if name == "queue-contract")
    }

    /// An adapter of a broker.
    pub(crate) fn is_queue_adapter(&self) -> bool {
        matches!(self, Self::Adapter(name) if name.starts_with("queue-")) && !self.is_queue_contract()
    }

    /// An adapter that caches.
    pub(crate) fn is_cache_adapter(&self) -> bool {
        matches!(self, Self::Adapter(name) if name.starts_with("cache-"))
            && !self.is_cache_contract()
            && !self.is_cache_support()
    }

    /// Anything about storage: an adapter, what they share, or their suite.
    pub(crate) fn is_about_storage(&self) -> bool {
        matches!(self, Self::Adapter(name) if name.starts_with("storage-"))
    }

    /// What reads the files of predecessors, some of which are databases.
    pub(crate) fn reads_predecessors(&self) -> bool {
        matches!(self, Self::Adapter(name) if name == "predecessor-files")
    }

    /// An adapter that stores.
    pub(crate) fn is_storage_adapter(&self) -> bool {
        self.is_about_storage() && !self.is_storage_contract() && !self.is_storage_support()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain => f.write_str("domain"),
            Self::Ports => f.write_str("ports"),
            Self::Services => f.write_str("services"),
            Self::Adapter(name) => write!(f, "adapters/{name}"),
            Self::Interface(name) => write!(f, "interfaces/{name}"),
            Self::Client => f.write_str("client"),
            Self::App => f.write_str("app"),
            Self::Xtask => f.write_str("xtask"),
            Self::Unknown(folder) => f.write_str(folder),
        }
    }
}

#[test]
fn a_crates_folder_says_its_place() {
    let place = |manifest: &str| Place::of(Path::new("/root"), Path::new(manifest));
    assert_eq!(place("/root/crates/domain/Cargo.toml"), Place::Domain);
    assert_eq!(place("/root/crates/adapters/cache-memory/Cargo.toml"), Place::Adapter("cache-memory".into()));
    assert_eq!(place("/root/crates/interfaces/http/Cargo.toml"), Place::Interface("http".into()));
    assert_eq!(place("/root/crates/client/Cargo.toml"), Place::Client);
    assert_eq!(place("/root/crates/new/Cargo.toml"), Place::Unknown("crates/new".into()));
}
