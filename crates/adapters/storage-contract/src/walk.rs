//! Walking through a list page by page.

use std::fmt::Debug;

use tenantry_domain::{Page, PageLimit};

/// The page sizes with which every list is walked: one item, a few, and the usual number.
pub(crate) const PAGE_SIZES: [u64; 3] = [1, 3, 50];

/// A limit of so many items.
pub(crate) fn limit(items: u64) -> PageLimit {
    PageLimit::new(items).expect("1 to 1000")
}

/// Reads all pages of a list, each behind the last item of the one before, and gives what they held.
/// On the way every page must keep its limit and its word about whether `more` comes.
pub(crate) async fn walk<T: Debug, P>(
    limit: PageLimit,
    position: impl Fn(&T) -> P,
    page: impl AsyncFn(Option<P>, PageLimit) -> Page<T>,
) -> Vec<T> {
    let mut items: Vec<T> = Vec::new();
    loop {
        let page = page(items.last().map(&position), limit).await;
        assert!(page.items.len() <= limit.get(), "a page is longer than its limit {limit:?}");
        assert!(
            items.is_empty() || !page.items.is_empty(),
            "a page said that more comes behind {:?}, and none came",
            items.last()
        );
        assert!(!page.items.is_empty() || !page.more, "an empty page says that more comes");
        items.extend(page.items);
        assert!(items.len() < 100_000, "the list has no end");
        if !page.more {
            return items;
        }
    }
}
