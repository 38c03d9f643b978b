//! Which events to list.

use crate::json_object::JsonObject;

/// Which events to list: all filters must hold; of one that has several values, one value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// The component is one of these, letter for letter.
    pub components: Vec<String>,
    /// The environment is one of these, letter for letter.
    pub environments: Vec<String>,
    /// The e-mail address is one of these, letter for letter.
    pub emails: Vec<String>,
    /// The message contains this text; the case of letters does not count.
    pub message: Option<String>,
    /// Stored then or later: RFC 3339, or a day (`YYYY-MM-DD` or `MM-DD-YYYY`, from its midnight in UTC).
    pub from: Option<String>,
    /// Stored then or earlier: RFC 3339, or a day, all of it included.
    pub to: Option<String>,
    /// The data contains this object, as PostgreSQL's `@>` has it.
    pub data: Option<JsonObject>,
    /// Only events behind this sequence.
    pub after_sequence: Option<u64>,
    /// In which order.
    pub order: EventOrder,
    /// How many a page has at most: 1 to 1000, 50 unless told.
    pub page_limit: Option<u16>,
}

/// In which order events are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EventOrder {
    /// By sequence, the highest first.
    #[default]
    NewestFirst,
    /// By sequence, the lowest first.
    OldestFirst,
}

impl EventQuery {
    /// The parameters of the query.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        for (name, values) in
            [("component", &self.components), ("environment", &self.environments), ("email", &self.emails)]
        {
            pairs.extend(values.iter().map(|value| (name, value.clone())));
        }
        for (name, value) in [("message", &self.message), ("from_date", &self.from), ("to_date", &self.to)] {
            pairs.extend(value.clone().map(|value| (name, value)));
        }
        pairs.extend(self.data.as_ref().map(|data| ("data", data.as_str().to_owned())));
        pairs.extend(self.after_sequence.map(|sequence| ("after_sequence", sequence.to_string())));
        if self.order == EventOrder::OldestFirst {
            pairs.push(("order", "asc".to_owned()));
        }
        pairs.extend(self.page_limit.map(|limit| ("limit", limit.to_string())));
        pairs
    }
}
