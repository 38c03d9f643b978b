//! Lays the layers over one another.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use config::{Map, Value, ValueKind};

use super::database::without_password;
use super::problem::{Problem, Problems, Source};
use super::rules::{RULES, Rule, rule_of};
use super::settings::Settings;
use super::{DEFAULTS, environment, file};
use super::{jobs, shared_cache};

/// What one source says: keys by their whole path, with where each stands. Every key in it is known, and
/// every value obeys its rule.
#[derive(Debug, Clone, Default)]
pub(super) struct Layer {
    values: BTreeMap<String, (ValueKind, Source)>,
}

impl Layer {
    /// Takes a value of the right type if it obeys the key's rule.
    pub(super) fn set(&mut self, key: &str, value: ValueKind, source: Source, problems: &mut Vec<Problem>) {
        let obeys = match (rule_of(key), &value) {
            (Some(Rule::Integer(range)), ValueKind::I64(number)) if !range.contains(number) => {
                Err(format!("is {number}, but must be {} to {}", range.start(), range.end()))
            }
            (Some(Rule::Text(check)), ValueKind::String(text)) => check(text),
            (Some(Rule::List(check)), ValueKind::Array(items)) => {
                items.iter().try_for_each(|item| match &item.kind {
                    ValueKind::String(text) => check(text),
                    _ => Ok(()),
                })
            }
            _ => Ok(()),
        };
        match obeys {
            Ok(()) => {
                self.values.insert(key.to_owned(), (value, source));
            }
            Err(fault) => problems.push(Problem::new(format!("{key} {fault} ({source})"))),
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl config::Source for Layer {
    fn clone_into_box(&self) -> Box<dyn config::Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        let value =
            |(value, source): &(ValueKind, Source)| Value::new(Some(&source.to_string()), value.clone());
        Ok(self.values.iter().map(|(key, held)| (key.clone(), value(held))).collect())
    }
}

/// Collects layers, lowest first, and every problem on the way.
pub struct ConfigLoader {
    layers: Vec<Layer>,
    problems: Vec<Problem>,
}

impl fmt::Debug for ConfigLoader {
    /// Without the values: there may be a password among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigLoader").field("problems", &self.problems).finish_non_exhaustive()
    }
}

impl ConfigLoader {
    /// Begins with the defaults.
    #[must_use]
    pub fn new() -> Self {
        let mut problems = Vec::new();
        let defaults = file::parse(DEFAULTS, &|_| Source::Default, &mut problems);
        Self { layers: vec![defaults], problems }
    }

    /// Lays the user's file over what is there. A file that cannot be read is a problem.
    #[must_use]
    pub fn file(mut self, path: &Path) -> Self {
        self.layers.push(file::read(path, &mut self.problems));
        self
    }

    /// Lays the variables that begin with `TENANTRY_` over what is there.
    #[must_use]
    pub fn environment(mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        self.layers.push(environment::read(variables, &mut self.problems));
        self
    }

    /// Sets one key, given as text in the way of an environment variable.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str, source: Source) -> Self {
        let mut layer = Layer::default();
        match rule_of(key)
            .ok_or_else(|| "is no key".to_owned())
            .and_then(|rule| environment::parse(rule, value))
        {
            Ok(value) => layer.set(key, value, source, &mut self.problems),
            Err(fault) => self.problems.push(Problem::new(format!("{key} {fault} ({source})"))),
        }
        self.layers.push(layer);
        self
    }

    /// The configuration that results.
    ///
    /// # Errors
    /// Every problem of every layer; where there is none, every problem that lies between keys.
    pub fn load(self) -> Result<Config, Problems> {
        Problems::from_list(self.problems)?;
        let mut values = BTreeMap::new();
        let mut builder = config::Config::builder();
        for layer in self.layers {
            values.extend(layer.values.clone());
            builder = builder.add_source(layer);
        }
        // Every value was checked when it was read: this fails only where the table of keys, the file of
        // defaults and the structure of the settings differ, which a test excludes.
        let settings: Settings =
            builder.build().and_then(config::Config::try_deserialize).map_err(|error| {
                Problems::one(Problem::new(format!("the configuration cannot be read: {error}")))
            })?;
        Problems::from_list(settings.conflicts())?;
        let explained = RULES.iter().filter_map(|(key, _)| {
            let (value, source) = values.remove(*key)?;
            Some(ExplainedValue { key, value: explained(key, &value), source })
        });
        let explained = explained.collect();
        Ok(Config { settings, explained })
    }
}

impl Default for ConfigLoader {
    fn default() -> Self {
        Self::new()
    }
}

/// A value as it would be written in the file, but for a password.
fn explained(key: &str, value: &ValueKind) -> String {
    match value {
        ValueKind::String(url)
            if matches!(key, "database_url" | "database_read_url" | "postgres.owner_url") =>
        {
            format!("{:?}", without_password(url))
        }
        ValueKind::String(url) if shared_cache::is_key_of_url(key) => {
            format!("{:?}", shared_cache::shown(url))
        }
        ValueKind::String(url) if key == "jobs.rabbitmq_url" => format!("{:?}", jobs::shown(url)),
        other => show(other),
    }
}

/// A value as it would be written in the file.
fn show(value: &ValueKind) -> String {
    match value {
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| show(&item.kind)).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

/// A key with what it holds, and where that comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedValue {
    /// The key, whole.
    pub key: &'static str,
    /// The value, as it would be written in the file.
    pub value: String,
    /// Where it comes from.
    pub source: Source,
}

/// The configuration as it holds: every key with a value that obeys its rule.
#[derive(Debug, Clone)]
pub struct Config {
    settings: Settings,
    explained: Vec<ExplainedValue>,
}

impl Config {
    /// The values.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Every key with its value and where that comes from, in the order of the file of defaults.
    #[must_use]
    pub fn explain(&self) -> &[ExplainedValue] {
        &self.explained
    }
}
