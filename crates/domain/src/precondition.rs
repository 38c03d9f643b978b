//! When a write may happen, as RFC 9110 section 13 says it with `If-Match` and `If-None-Match`.

/// The entity tags of one header: any, or those of these revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevisionSet {
    /// `*`: whatever exists.
    Any,
    /// These revisions. A tag that no revision can have is left out by the reader: it matches nothing.
    Of(Vec<u64>),
}

impl RevisionSet {
    /// Whether what stands now (nothing, or something of this revision) is in the set.
    #[must_use]
    pub fn contains(&self, current: Option<u64>) -> bool {
        match (self, current) {
            (_, None) => false,
            (Self::Any, Some(_)) => true,
            (Self::Of(revisions), Some(current)) => revisions.contains(&current),
        }
    }
}

/// What must hold of the current state for a write to happen. The default holds always.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {
    /// The current state must be in this set (`If-Match`).
    pub if_match: Option<RevisionSet>,
    /// The current state must not be in this set (`If-None-Match`); `Any`: nothing may be there yet.
    pub if_none_match: Option<RevisionSet>,
}

impl Precondition {
    /// The write happens only if nothing is there yet.
    #[must_use]
    pub fn absent() -> Self {
        Self { if_match: None, if_none_match: Some(RevisionSet::Any) }
    }

    /// The write happens only if this revision is the current one.
    #[must_use]
    pub fn revision(revision: u64) -> Self {
        Self { if_match: Some(RevisionSet::Of(vec![revision])), if_none_match: None }
    }

    /// Whether the write may happen, where `current` is the revision that stands now.
    #[must_use]
    pub fn holds(&self, current: Option<u64>) -> bool {
        self.if_match.as_ref().is_none_or(|set| set.contains(current))
            && self.if_none_match.as_ref().is_none_or(|set| !set.contains(current))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_precondition_holds_always() {
        assert!(Precondition::default().holds(None));
        assert!(Precondition::default().holds(Some(7)));
    }

    #[test]
    fn absent_holds_only_where_nothing_is() {
        assert!(Precondition::absent().holds(None));
        assert!(!Precondition::absent().holds(Some(1)));
    }

    #[test]
    fn a_revision_holds_only_for_itself() {
        assert!(Precondition::revision(7).holds(Some(7)));
        assert!(!Precondition::revision(7).holds(Some(8)));
        assert!(!Precondition::revision(7).holds(None));
    }

    #[test]
    fn if_match_any_needs_something_to_be_there() {
        let any = Precondition { if_match: Some(RevisionSet::Any), if_none_match: None };
        assert!(any.holds(Some(1)));
        assert!(!any.holds(None));
    }
}
