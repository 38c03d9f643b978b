//! Parts of a list, by keyset: the cost of a page does not grow with its depth.

/// How many items a page holds at most: 1 to 1000, 50 unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageLimit(u16);

impl PageLimit {
    /// The largest page.
    pub const MAX: Self = Self(1000);

    /// A limit of 1 to 1000; nothing for any other number.
    #[must_use]
    pub fn new(items: u64) -> Option<Self> {
        u16::try_from(items).ok().filter(|items| (1..=Self::MAX.0).contains(items)).map(Self)
    }

    /// The limit as a count of items.
    #[must_use]
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for PageLimit {
    fn default() -> Self {
        Self(50)
    }
}

/// Some items of a list, in its order, and whether more come after the last of them.
///
/// A page that says `more` holds at least one item: the next one starts behind its last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, at most as many as the [`PageLimit`].
    pub items: Vec<T>,
    /// Whether the list goes on behind the last item.
    pub more: bool,
}

impl<T> Page<T> {
    /// Makes a page from up to one item more than fits: storage asks for `limit + 1` rows to know
    /// whether the list goes on.
    #[must_use]
    pub fn from_one_more(mut items: Vec<T>, limit: PageLimit) -> Self {
        let more = items.len() > limit.get();
        items.truncate(limit.get());
        Self { items, more }
    }

    /// The same page of other items.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), more: self.more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_one_to_a_thousand() {
        assert_eq!(PageLimit::new(0), None);
        assert_eq!(PageLimit::new(1001), None);
        assert_eq!(PageLimit::new(u64::MAX), None);
        assert_eq!(PageLimit::new(1000).unwrap().get(), 1000);
        assert_eq!(PageLimit::default().get(), 50);
    }

    #[test]
    fn the_item_too_many_says_that_there_is_more() {
        let two = PageLimit::new(2).unwrap();
        assert_eq!(Page::from_one_more(vec![1, 2, 3], two), Page { items: vec![1, 2], more: true });
        assert_eq!(Page::from_one_more(vec![1, 2], two), Page { items: vec![1, 2], more: false });
    }
}
