//! Records, gathered until there are enough to be handed on.

use tenantry_ports::FeedItem;

use super::error::ReadError;

/// Takes records.
pub(crate) trait Take {
    /// Takes some; an error where nobody wants more.
    fn take(&mut self, items: Vec<FeedItem>) -> Result<(), ReadError>;
}

impl<F: FnMut(Vec<FeedItem>) -> Result<(), ReadError>> Take for F {
    fn take(&mut self, items: Vec<FeedItem>) -> Result<(), ReadError> {
        self(items)
    }
}

/// So many records are handed on together, or fewer when they are large.
const MAX_ITEMS: usize = 256;
const MAX_BYTES: usize = 1 << 20;
/// What a record weighs beside its longest text.
const ITEM_BYTES: usize = 1024;

/// Records that have not been handed on yet.
pub(crate) struct Items<'a> {
    to: &'a mut dyn Take,
    gathered: Vec<FeedItem>,
    bytes: usize,
}

impl<'a> Items<'a> {
    pub(crate) fn new(to: &'a mut dyn Take) -> Self {
        Self { to, gathered: Vec::new(), bytes: 0 }
    }

    /// Adds one.
    pub(crate) fn push(&mut self, item: FeedItem) -> Result<(), ReadError> {
        self.bytes += ITEM_BYTES + item.bytes();
        self.gathered.push(item);
        if self.gathered.len() < MAX_ITEMS && self.bytes < MAX_BYTES { Ok(()) } else { self.flush() }
    }

    /// Hands on what there is.
    pub(crate) fn flush(&mut self) -> Result<(), ReadError> {
        self.bytes = 0;
        if self.gathered.is_empty() {
            return Ok(());
        }
        self.to.take(std::mem::take(&mut self.gathered))
    }
}
