//! How the things of the API look in tables.

use chrono::{DateTime, SecondsFormat, Utc};
use tenantry_client::{AccessKey, Entry, Event, Tenant};

use super::output::{Fields, Row};
use super::table::Column;

/// To the second: in rows.
pub(super) fn short(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

pub(super) fn short_or_never(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "never".to_owned(), short)
}

/// To the microsecond: of one thing.
pub(super) fn exact(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

pub(super) fn exact_or_never(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "never".to_owned(), exact)
}

impl Row for Tenant {
    const COLUMNS: &'static [Column] = &[
        Column::number("NUMBER"),
        Column::new("ID"),
        Column::new("STATUS"),
        Column::new("CREATED"),
        Column::long("INFO"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.tenant_number.to_string(),
            self.tenant_id.clone(),
            self.status.as_str().to_owned(),
            short(self.created_at),
            self.tenant_info.as_str().to_owned(),
        ]
    }
}

impl Fields for Tenant {
    fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("tenant_number", self.tenant_number.to_string()),
            ("tenant_id", self.tenant_id.clone()),
            ("name", self.name.clone()),
            ("status", self.status.as_str().to_owned()),
            ("tenant_info", self.tenant_info.as_str().to_owned()),
            ("created_at", exact(self.created_at)),
            ("updated_at", exact(self.updated_at)),
        ];
        if let Some(erasure) = &self.erasure {
            fields.push(("deleted_at", exact(erasure.started_at)));
            fields.push(("erased_rows", erasure.erased_rows.to_string()));
        }
        fields
    }
}

impl Row for AccessKey {
    const COLUMNS: &'static [Column] = &[
        Column::new("KEY ID"),
        Column::long("NAME"),
        Column::new("SCOPES"),
        Column::new("CREATED"),
        Column::new("EXPIRES"),
        Column::new("LAST USED"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.key_id.clone(),
            self.name.clone(),
            self.scopes.join(","),
            short(self.created_at),
            short_or_never(self.expires_at),
            short_or_never(self.last_used_at),
        ]
    }
}

impl Fields for AccessKey {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("key_id", self.key_id.clone()),
            ("prefix", self.prefix.clone()),
            ("name", self.name.clone()),
            ("scopes", self.scopes.join(",")),
            ("created_at", exact(self.created_at)),
            ("expires_at", exact_or_never(self.expires_at)),
            ("last_used_at", exact_or_never(self.last_used_at)),
        ]
    }
}

impl Row for Event {
    const COLUMNS: &'static [Column] = &[
        Column::number("SEQUENCE"),
        Column::new("CREATED"),
        Column::long("COMPONENT"),
        Column::long("ENVIRONMENT"),
        Column::long("MESSAGE"),
        Column::long("EMAIL"),
        Column::long("DATA"),
        Column::new("ID"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.sequence.to_string(),
            short(self.created_at),
            self.component.clone(),
            self.environment.clone(),
            self.message.clone(),
            self.email.clone().unwrap_or_default(),
            self.data.as_str().to_owned(),
            self.id.to_string(),
        ]
    }
}

impl Fields for Event {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("id", self.id.to_string()),
            ("sequence", self.sequence.to_string()),
            ("created_at", exact(self.created_at)),
            ("component", self.component.clone()),
            ("environment", self.environment.clone()),
            ("message", self.message.clone()),
            ("email", self.email.clone().unwrap_or_default()),
            ("data", self.data.as_str().to_owned()),
        ]
    }
}

impl Row for Entry {
    const COLUMNS: &'static [Column] = &[
        Column::long("KEY"),
        Column::number("SIZE"),
        Column::long("TYPE"),
        Column::number("REVISION"),
        Column::number("VERSION"),
        Column::new("UPDATED"),
        Column::new("EXPIRES"),
        Column::long("VALUE"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.key.clone(),
            self.size.to_string(),
            self.content_type.clone(),
            self.revision.to_string(),
            self.version.to_string(),
            short(self.updated_at),
            short_or_never(self.expires_at),
            value_of(self),
        ]
    }
}

/// Text as it is; of bytes, that they are bytes.
fn value_of(entry: &Entry) -> String {
    match (&entry.value, entry.encoding.as_deref()) {
        (Some(text), Some("utf-8")) => text.clone(),
        (Some(_), _) => format!("({} bytes)", entry.size),
        (None, _) => String::new(),
    }
}
