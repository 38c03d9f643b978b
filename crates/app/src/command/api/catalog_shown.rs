//! How the catalog looks in tables.

use serde::Serialize;
use serde_json::value::RawValue;
use tenantry_client::{Feed, FeedRun, FoundPlan, Reject};
use uuid::Uuid;

use super::output::{Fields, Row};
use super::shown::{exact, exact_or_never, short, short_or_never};
use super::table::Column;

impl Row for Feed {
    const COLUMNS: &'static [Column] = &[
        Column::new("ID"),
        Column::long("NAME"),
        Column::number("INTERVAL"),
        Column::new("ENABLED"),
        Column::new("LAST SUCCESS"),
        Column::long("URL"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.interval_seconds.to_string(),
            self.enabled.to_string(),
            short_or_never(self.last_success_at),
            self.url.clone(),
        ]
    }
}

impl Fields for Feed {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("id", self.id.to_string()),
            ("name", self.name.clone()),
            ("url", self.url.clone()),
            ("interval_seconds", self.interval_seconds.to_string()),
            ("time_zone", self.time_zone.clone()),
            ("enabled", self.enabled.to_string()),
            ("version", self.version.to_string()),
            ("created_at", exact(self.created_at)),
            ("updated_at", exact(self.updated_at)),
            ("next_run_at", exact_or_never(self.next_run_at)),
            ("last_success_at", exact_or_never(self.last_success_at)),
        ]
    }
}

impl Row for FeedRun {
    const COLUMNS: &'static [Column] = &[
        Column::new("ID"),
        Column::new("QUEUED"),
        Column::new("STATE"),
        Column::number("SEEN"),
        Column::number("NEW"),
        Column::number("CHANGED"),
        Column::number("LEFT"),
        Column::number("REJECTED"),
        Column::number("ATTEMPTS"),
        Column::long("DETAIL"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            short(self.queued_at),
            self.state.clone(),
            self.plans_seen.to_string(),
            self.plans_new.to_string(),
            self.plans_changed.to_string(),
            self.plans_left_sale.to_string(),
            self.rejected.to_string(),
            self.attempts.to_string(),
            self.detail.clone().unwrap_or_default(),
        ]
    }
}

impl Fields for FeedRun {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("id", self.id.to_string()),
            ("feed_id", self.feed_id.to_string()),
            ("trigger", self.trigger.clone()),
            ("state", self.state.clone()),
            ("queued_at", exact(self.queued_at)),
            ("started_at", exact_or_never(self.started_at)),
            ("finished_at", exact_or_never(self.finished_at)),
            ("attempts", self.attempts.to_string()),
            ("bytes", self.bytes.to_string()),
            ("plans_seen", self.plans_seen.to_string()),
            ("plans_new", self.plans_new.to_string()),
            ("plans_changed", self.plans_changed.to_string()),
            ("plans_unchanged", self.plans_unchanged.to_string()),
            ("plans_left_sale", self.plans_left_sale.to_string()),
            ("rejected", self.rejected.to_string()),
            ("detail", self.detail.clone().unwrap_or_default()),
        ]
    }
}

impl Row for Reject {
    const COLUMNS: &'static [Column] = &[
        Column::new("BASE PLAN"),
        Column::new("PLAN"),
        Column::new("REASON"),
        Column::new("LAST SEEN"),
        Column::long("DETAIL"),
        Column::long("RAW"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.place.base_plan_id.clone().unwrap_or_default(),
            self.place.plan_id.clone().unwrap_or_default(),
            self.reason.code.clone(),
            short(self.last_seen_at),
            self.reason.detail.clone(),
            self.raw.clone(),
        ]
    }
}

impl Row for FoundPlan {
    const COLUMNS: &'static [Column] = &[
        Column::new("STARTS"),
        Column::new("ENDS"),
        Column::long("TITLE"),
        Column::number("FROM"),
        Column::number("TO"),
        Column::new("ID"),
    ];

    fn cells(&self) -> Vec<String> {
        let price = |price: Option<&RawValue>| price.map_or_else(String::new, |price| price.get().to_owned());
        vec![
            format!("{} {}Z", self.start_date, self.start_time),
            format!("{} {}Z", self.end_date, self.end_time),
            self.title.clone(),
            price(self.min_price.as_deref()),
            price(self.max_price.as_deref()),
            self.id.to_string(),
        ]
    }
}

/// A feed that is gone.
#[derive(Serialize)]
pub(super) struct Removed {
    pub(super) id: Uuid,
    pub(super) deleted: bool,
}

impl Fields for Removed {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![("id", self.id.to_string()), ("deleted", self.deleted.to_string())]
    }
}
