//! What the provider-event search has kept: plans with what their base plans and zones say.
//!
//! How it named its tables and columns is not handed down. What is known is what it answered (`title`, `start_date`,
//! `min_price`, …) and what its provider's feed says (`base_plan_id`, `sell_mode`, `plan_start_date`, …), so tables are
//! known by such columns: one flat table of plans, or plans with a table of base plans, of zones, or both beside it. What
//! was taken for what is told ([`Layout::describe`](layout::Layout::describe)).

pub(crate) mod assembly;
pub(crate) mod columns;
pub(crate) mod layout;
mod plan;
pub(crate) mod references;
pub(crate) mod staging;
pub(crate) mod tables;

#[cfg(test)]
mod tests;

use diesel::SqliteConnection;
use tenantry_domain::PastPlan;

use crate::fault::Faults;
use crate::file_error::FileError;
use assembly::{Choice, Told};
use columns::{PROVIDER, Role};
use layout::Layout;
use tables::SearchTables;

/// So many providers are told.
const MOST_PROVIDERS: usize = 10;

/// How many rows each table has, and how many of them could not be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) rows: [u64; 3],
    pub(crate) rejected: [u64; 3],
}

/// The search's data in a file that was read whole.
pub(crate) struct Catalog {
    layout: Layout,
    choice: Choice,
    rows: u64,
    side_tables: Vec<SideTable>,
}

impl Catalog {
    /// Finds out what the tables mean, and which of the staged rows cannot be taken: `fault` is told of each.
    pub(crate) fn read(
        connection: &mut SqliteConnection,
        tables: &SearchTables,
        choice: Choice,
        counts: Counts,
        fault: &mut dyn FnMut(i64, String),
    ) -> Result<Self, FileError> {
        let layout = Layout::of(tables, &mut |key| staging::has_uuids(connection, key))?;
        if !layout.has_provider_ids() && !choice.without_provider_ids {
            return Err(FileError::NoProviderIds(layout.plans.name));
        }
        check_provider(connection, &layout, &choice)?;
        assembly::prepare(connection, &layout)?;
        let mut catalog =
            Self { layout, choice, rows: counts.rejected[Role::Plans.place()], side_tables: Vec::new() };
        let Self { layout, choice, .. } = &catalog;
        let zones = layout.zones.as_ref().map_or("", |(table, _)| &table.name);
        let (mut plans, mut left_out) = (0, 0);
        assembly::assemble(connection, layout, choice, |told| {
            match told {
                Told::Plan(_, Ok(_)) => plans += 1,
                Told::Plan(line, Err(why)) => {
                    plans += 1;
                    fault(line, why);
                }
                Told::Zone(line, why) => {
                    left_out += 1;
                    fault(line, format!("{zones}: {why}"));
                }
            }
            true
        })?;
        // Of another provider's plans zones are not looked for.
        let (orphans, count) = assembly::orphans(connection, layout, Faults::MOST_TOLD)?;
        let why = format!("{zones}: {} has no such plan", layout.plans.name);
        let told = orphans.into_iter().map(Some).chain(std::iter::repeat(None));
        for line in told.take(usize::try_from(count).unwrap_or(usize::MAX)) {
            fault(line.unwrap_or_default(), why.clone());
        }
        let tables =
            [(Role::BasePlans, &layout.base_plans, 0), (Role::Zones, &layout.zones, left_out + count)];
        let beside = tables.into_iter().filter_map(|(role, table, more)| {
            let (table, _) = table.as_ref()?;
            let rejected = counts.rejected[role.place()] + more;
            Some(SideTable { name: table.name.clone(), rows: counts.rows[role.place()], rejected })
        });
        catalog.side_tables = beside.collect();
        catalog.rows += plans;
        Ok(catalog)
    }

    /// The name of the table of plans.
    pub(crate) fn table(&self) -> &str {
        &self.layout.plans.name
    }

    /// How many plans there are, good or not.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn side_tables(&self) -> &[SideTable] {
        &self.side_tables
    }

    pub(crate) fn describe(&self) -> String {
        self.layout.describe()
    }

    /// Hands out each plan that can be taken, with its line, until `take` wants no more.
    pub(crate) fn deliver(
        &self,
        connection: &mut SqliteConnection,
        mut take: impl FnMut(i64, PastPlan) -> bool,
    ) -> Result<(), FileError> {
        assembly::assemble(connection, &self.layout, &self.choice, |told| match told {
            Told::Plan(line, Ok(plan)) => take(line, *plan),
            Told::Plan(_, Err(_)) | Told::Zone(..) => true,
        })
    }
}

/// Refuses plans of several providers where none is named, and a name that none of them has.
fn check_provider(
    connection: &mut SqliteConnection,
    layout: &Layout,
    choice: &Choice,
) -> Result<(), FileError> {
    let Some(table) = layout.provider() else {
        return match &choice.provider {
            None => Ok(()),
            Some(wanted) => Err(FileError::OtherProviders {
                wanted: wanted.clone(),
                found: "one that has no name".to_owned(),
            }),
        };
    };
    let providers = staging::distinct(connection, table.role, PROVIDER, MOST_PROVIDERS + 1)?;
    let mut told = providers.iter().take(MOST_PROVIDERS).cloned().collect::<Vec<_>>().join(", ");
    if providers.len() > MOST_PROVIDERS {
        told.push_str(", …");
    }
    match &choice.provider {
        Some(wanted) if !providers.contains(wanted) && providers.len() <= MOST_PROVIDERS => {
            Err(FileError::OtherProviders { wanted: wanted.clone(), found: told })
        }
        None if providers.len() > 1 => Err(FileError::SeveralProviders(told)),
        _ => Ok(()),
    }
}

/// What is told of the tables of base plans and zones, beside that of plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideTable {
    /// Its name in the file.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// How many of them are not taken. A plan without its base plan is not taken either; one without a zone is.
    pub rejected: u64,
}
