//! Pages that bytes bound, too.

use tenantry_domain::{Page, PageLimit};

/// The page of what comes first of `items`: at most as many as the limit, and none behind those that make up
/// `max_bytes`. What is behind it is not looked at.
pub(crate) fn bounded_page<T, E>(
    items: impl IntoIterator<Item = Result<T, E>>,
    limit: PageLimit,
    max_bytes: u64,
    bytes_of: impl Fn(&T) -> usize,
) -> Result<Page<T>, E> {
    let mut page = Page { items: Vec::new(), more: false };
    let mut bytes = 0_u64;
    for item in items {
        let is_full = !page.items.is_empty() && bytes >= max_bytes;
        if is_full || page.items.len() == limit.get() {
            page.more = true;
            break;
        }
        let item = item?;
        bytes = bytes.saturating_add(bytes_of(&item) as u64);
        page.items.push(item);
    }
    Ok(page)
}
