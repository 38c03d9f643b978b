//! The configuration: four layers, one set of keys, every problem at once.
//!
//! The lowest layer is the file `config/tenantry.toml` of the repository, built into the binary; above it
//! stand the user's file, the environment and the flags. What a key may hold is said once, in `rules.rs`.

mod compat;
mod database;
mod environment;
mod file;
mod jobs;
mod loader;
mod options;
mod problem;
mod rules;
mod settings;
mod shared_cache;

pub use compat::{AnonymousSettings, CompatSettings};
pub use database::Database;
pub use environment::variable_of;
pub use loader::{Config, ConfigLoader, ExplainedValue};
pub use options::StorageOptions;
pub use problem::{Problem, Problems, Source};
pub use settings::{
    CacheSettings, CatalogSettings, FeedSettings, HttpSettings, JobSettings, LimitSettings, LogFormat,
    LogSettings, MaintenanceSettings, PostgresSettings, Settings, SqliteSettings,
};

/// The file of defaults, with a comment on each key.
pub const DEFAULTS: &str = include_str!("../../../../config/tenantry.toml");
