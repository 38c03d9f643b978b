//! What became of the rows of an import, counted and told.

use tenantry_domain::{Feed, FeedRun, Tenant};
use tenantry_predecessor_files::{Faults, PastData, Place, Predecessor, SideTable};
use tenantry_services::PastOutcome;

use super::{CommandError, complain, print_line};

/// What became of the rows.
pub(super) struct Tally {
    file: String,
    predecessor: Predecessor,
    table: String,
    /// Of the search: what was taken for what, and the tables beside that of plans.
    layout: Option<String>,
    side_tables: Vec<SideTable>,
    tenant: Option<String>,
    feed: Option<String>,
    read: u64,
    good: u64,
    superseded: u64,
    stored: u64,
    replaced: u64,
    /// Plans of which a later dump says something else.
    changed: u64,
    already_there: u64,
    /// What the run of a feed has to say.
    detail: Option<String>,
    /// Rows that were not stored.
    rejected: Faults,
    /// Rows whose keys hold other values.
    differing: Faults,
    /// Rows that were stored under another time.
    moved: Faults,
}

impl Tally {
    /// Of a file that was read, and of which nothing is stored yet.
    pub(super) fn new(file: &str, data: &PastData) -> Self {
        Self {
            file: file.to_owned(),
            predecessor: data.predecessor(),
            table: data.table().to_owned(),
            layout: data.layout(),
            side_tables: data.side_tables().to_vec(),
            tenant: None,
            feed: None,
            read: data.rows(),
            good: data.good_rows(),
            superseded: data.superseded(),
            stored: 0,
            replaced: 0,
            changed: 0,
            already_there: 0,
            detail: None,
            rejected: data.faults().clone(),
            differing: Faults::default(),
            moved: Faults::default(),
        }
    }

    /// The rows become this tenant's data, if they are one's.
    pub(super) fn becomes_that_of(&mut self, tenant: Option<&Tenant>) {
        self.tenant = tenant.map(Tenant::id);
    }

    /// The plans belong to this feed.
    pub(super) fn belongs_to(&mut self, feed: &Feed) {
        self.feed = Some(feed.settings.name.to_string());
    }

    /// Notes what became of all plans.
    pub(super) fn note_run(&mut self, run: &FeedRun) {
        let counts = run.counts;
        self.stored += counts.plans_new;
        self.changed += counts.plans_changed;
        self.already_there += counts.plans_unchanged;
        self.detail.clone_from(&run.detail);
    }

    /// Notes what became of a row.
    pub(super) fn note(&mut self, place: Place, outcome: PastOutcome) {
        match outcome {
            PastOutcome::Stored => self.stored += 1,
            PastOutcome::StoredAt(time) => {
                self.stored += 1;
                self.moved
                    .push(place, format!("created_at became {time}, since it may not fall, nor lie ahead"));
            }
            PastOutcome::Replaced => self.replaced += 1,
            PastOutcome::AlreadyThere => self.already_there += 1,
            PastOutcome::Differs => {
                self.differing
                    .push(place, "the key holds another value, which was kept; --replace takes the file's");
            }
            PastOutcome::Refused(why) => self.rejected.push(place, why),
        }
    }

    /// How many rows were carried to their end.
    pub(super) fn stored_or_not(&self) -> u64 {
        self.stored + self.replaced + self.already_there + self.differing.count()
    }

    /// What is stored, for a sentence about an import that ended too soon.
    pub(super) fn so_far(&self) -> String {
        format!("{} rows are stored until then", self.stored + self.replaced)
    }

    /// Tells it all: rows on standard error, the sum on standard output.
    ///
    /// # Errors
    /// When rows were not stored: that is a failure, and told.
    pub(super) fn tell(&self, is_dry_run: bool) -> Result<(), CommandError> {
        for faults in [&self.moved, &self.differing, &self.rejected] {
            for fault in faults.told() {
                complain(&format!("{}, {fault}", self.file));
            }
            let untold = faults.count() - faults.told().len() as u64;
            if untold > 0 {
                complain(&format!("{}: {untold} more rows of that kind", self.file));
            }
        }
        if let Some(detail) = &self.detail {
            complain(&format!("{}: {detail}", self.file));
        }
        if let Some(layout) = &self.layout {
            print_line(&format!("{}: {layout}", self.predecessor))?;
        }
        print_line(&self.sum(is_dry_run))?;
        if self.rejected.count() + self.differing.count() > 0 { Err(CommandError::Reported) } else { Ok(()) }
    }

    fn sum(&self, is_dry_run: bool) -> String {
        let Self { predecessor, table, read, rejected, .. } = self;
        let mut parts = vec![format!("{predecessor}, table {table}: {read} rows read")];
        if is_dry_run {
            parts.push(format!("{} could be stored", self.good));
        } else {
            let into = self.tenant.as_ref().map(|tenant| format!(" into {tenant}")).unwrap_or_default();
            let of = self.feed.as_ref().map(|feed| format!(", feed {feed}")).unwrap_or_default();
            parts.push(format!("{} stored{into}{of}", self.stored));
            if self.moved.count() > 0 {
                parts.push(format!("{} of them under another time", self.moved.count()));
            }
            if self.replaced > 0 {
                parts.push(format!("{} replaced", self.replaced));
            }
            if self.changed > 0 {
                parts.push(format!("{} changed", self.changed));
            }
            parts.push(format!("{} already there", self.already_there));
            if self.differing.count() > 0 {
                parts.push(format!("{} hold another value", self.differing.count()));
            }
        }
        if *predecessor == Predecessor::Tenantbase {
            parts.push(format!("{} superseded by a later row of the same key", self.superseded));
        }
        let beside: u64 = self.side_tables.iter().map(|table| table.rejected).sum();
        parts.push(format!("{} rejected", rejected.count() - beside));
        let mut sum = parts.join(", ");
        for SideTable { name, rows, rejected } in &self.side_tables {
            sum.push_str(&format!("; table {name}: {rows} rows read, {rejected} rejected"));
        }
        sum
    }
}
