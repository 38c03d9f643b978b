//! The immutable index that a search is answered from.

use tenantry_domain::{CatalogRevision, PlanId, SearchablePlan, Timestamp};
use tenantry_ports::SearchablePlans;

/// Appends a plan as it stands in an answer. The shape is the business of whoever answers.
pub type PrintPlan = fn(&SearchablePlan, &mut Vec<u8>);

/// How many plans share one entry of the index by ends.
const BLOCK: usize = 64;

/// What holds beside the texts for each plan: its start, its end, its id, and where its text ends.
const BYTES_A_PLAN: usize = 8 + 8 + 16 + 8;

/// What a snapshot without plans takes, with its place on the shelf.
const BYTES_AT_LEAST: usize = 512;

/// Which plans are looked for: those that start at or after one moment and end at or before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchQuery {
    /// They start then or later.
    pub starts_at: Timestamp,
    /// They end then or earlier.
    pub ends_at: Timestamp,
    /// The last plan seen.
    pub after: Option<SearchPosition>,
    /// How many at most.
    pub limit: usize,
}

/// A plan's place in every answer: they are by when they start, and then by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SearchPosition {
    /// When it starts.
    pub starts_at: Timestamp,
    /// Its id.
    pub id: PlanId,
}

/// What a search came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchEnd {
    /// How many plans were found.
    pub found: usize,
    /// The last of them, where there are more behind it.
    pub more_behind: Option<SearchPosition>,
}

/// Every plan of a tenant that a search may find, as of one revision, with its text ready.
#[derive(Debug)]
pub struct SearchSnapshot {
    revision: CatalogRevision,
    /// Of each plan, in order. Microseconds.
    starts: Vec<i64>,
    ends: Vec<i64>,
    ids: Vec<PlanId>,
    /// The lowest end of each [`BLOCK`], so that blocks without an answer are passed over.
    block_ends: Vec<i64>,
    /// Each plan's text and a comma, one after another.
    texts: Vec<u8>,
    /// Where the text of each plan ends, its comma included.
    text_ends: Vec<usize>,
}

impl SearchSnapshot {
    /// The snapshot of these plans, which are by start and id already.
    #[must_use]
    pub fn build(plans: SearchablePlans, print: PrintPlan) -> Self {
        let count = plans.plans.len();
        let mut snapshot = Self {
            revision: plans.revision,
            starts: Vec::with_capacity(count),
            ends: Vec::with_capacity(count),
            ids: Vec::with_capacity(count),
            block_ends: Vec::with_capacity(count.div_ceil(BLOCK)),
            texts: Vec::new(),
            text_ends: Vec::with_capacity(count),
        };
        for plan in plans.plans {
            snapshot.starts.push(plan.time.starts_at().as_micros());
            snapshot.ends.push(plan.time.ends_at().as_micros());
            snapshot.ids.push(plan.id);
            print(&plan, &mut snapshot.texts);
            snapshot.texts.push(b',');
            snapshot.text_ends.push(snapshot.texts.len());
        }
        snapshot.texts.shrink_to_fit();
        let lowest = |block: &[i64]| block.iter().copied().min().unwrap_or(i64::MAX);
        snapshot.block_ends.extend(snapshot.ends.chunks(BLOCK).map(lowest));
        snapshot
    }

    /// The catalog's revision that it shows.
    #[must_use]
    pub fn revision(&self) -> CatalogRevision {
        self.revision
    }

    /// How many plans it holds.
    #[must_use]
    pub fn plans(&self) -> usize {
        self.starts.len()
    }

    /// About how many bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        BYTES_AT_LEAST + self.plans() * BYTES_A_PLAN + self.texts.len()
    }

    /// Appends the texts of the plans that are found to `answer`, parted by commas.
    pub fn search(&self, query: &SearchQuery, answer: &mut Vec<u8>) -> SearchEnd {
        let begin = answer.len();
        let (mut at, to) = self.range(query);
        let latest_end = query.ends_at.as_micros();
        let mut end = SearchEnd { found: 0, more_behind: None };
        let mut last = 0;
        // Neighbours that are found are copied together.
        let mut run: Option<(usize, usize)> = None;
        while at < to {
            if at.is_multiple_of(BLOCK) && self.block_ends[at / BLOCK] > latest_end {
                at += BLOCK;
                continue;
            }
            if self.ends[at] <= latest_end {
                if end.found == query.limit {
                    end.more_behind = Some(self.position(last));
                    break;
                }
                run = match run {
                    Some((from, until)) if until == at => Some((from, at + 1)),
                    other => {
                        self.copy(other, answer);
                        Some((at, at + 1))
                    }
                };
                end.found += 1;
                last = at;
            }
            at += 1;
        }
        self.copy(run, answer);
        if answer.len() > begin {
            // The comma behind the last.
            answer.pop();
        }
        end
    }

    /// Which plans may be found, by when they start.
    fn range(&self, query: &SearchQuery) -> (usize, usize) {
        let earliest = query.starts_at.as_micros();
        let mut from = self.starts.partition_point(|start| *start < earliest);
        if let Some(after) = query.after {
            let start = after.starts_at.as_micros();
            let same = self.starts.partition_point(|other| *other < start);
            let behind = self.starts.partition_point(|other| *other <= start);
            let seen = self.ids[same..behind].partition_point(|id| *id <= after.id);
            from = from.max(same + seen);
        }
        // What starts later than it may end ends later still.
        let latest = query.ends_at.as_micros();
        (from, self.starts.partition_point(|start| *start <= latest))
    }

    fn position(&self, at: usize) -> SearchPosition {
        SearchPosition { starts_at: Timestamp::from_micros(self.starts[at]), id: self.ids[at] }
    }

    fn copy(&self, run: Option<(usize, usize)>, answer: &mut Vec<u8>) {
        let Some((from, until)) = run else { return };
        let begin = from.checked_sub(1).map_or(0, |before| self.text_ends[before]);
        answer.extend_from_slice(&self.texts[begin..self.text_ends[until - 1]]);
    }
}
