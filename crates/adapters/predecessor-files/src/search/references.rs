//! Which row of another table a row belongs to.

use crate::file_error::FileError;
use crate::search::columns::{BASE_PLAN_IDS, PLAN_IDS, Role, bare, plain};
use crate::search::tables::{SearchTable, SearchTables};

/// What `FOREIGN KEY … REFERENCES …` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForeignKey {
    pub(crate) table: String,
    pub(crate) columns: Vec<String>,
    pub(crate) parent: String,
    pub(crate) parent_columns: Vec<String>,
}

/// The keys of a table that are the same as those of the row of another table to which a row belongs: pairs of a key here
/// and one there.
pub(crate) type Join = Vec<(usize, usize)>;

/// How rows of `child` name those of `parent`: as a foreign key says, or else as names leave no doubt.
pub(crate) fn join(
    tables: &SearchTables,
    child: &SearchTable,
    parent: &SearchTable,
) -> Result<Join, FileError> {
    let declared =
        tables.references().iter().filter(|key| key.table == child.name && key.parent == parent.name);
    let declared: Vec<_> = declared.filter_map(|key| pairs(key, child, parent)).collect();
    let candidates = if declared.is_empty() { by_name(child, parent) } else { declared };
    match &candidates[..] {
        [only] => Ok(only.clone()),
        [] => Err(FileError::NoReference { table: child.name.clone(), parent: parent.name.clone() }),
        several => {
            let told = several.iter().map(|join| describe(join, child, parent));
            Err(FileError::AmbiguousReference(told.collect::<Vec<_>>().join(", or ")))
        }
    }
}

fn pairs(key: &ForeignKey, child: &SearchTable, parent: &SearchTable) -> Option<Join> {
    let columns = key.columns.iter().zip(&key.parent_columns);
    columns
        .map(|(column, parent_column)| Some((child.key_of(column)?, parent.key_of(parent_column)?)))
        .collect::<Option<Join>>()
        .filter(|join| !join.is_empty())
}

/// The joins that names alone would allow.
fn by_name(child: &SearchTable, parent: &SearchTable) -> Vec<Join> {
    let (of_base, of_plan) = (child.key_named(&BASE_PLAN_IDS), child.key_named(&PLAN_IDS));
    let same = |key: usize| parent.key_of(child.key_name(key)).map(|there| (key, there));
    if parent.role == Role::Plans
        && let (Some(base), Some(plan)) = (of_base.and_then(same), of_plan.and_then(same))
    {
        // The pair is what tells a plan.
        return vec![vec![base, plan]];
    }
    let named = match parent.role {
        Role::BasePlans => of_base,
        _ => of_plan,
    };
    // `base_plans` may be named by `base_plan_id`, and by `base_plans_id`.
    let parent_name = bare(&parent.name);
    let after_parent = child.keys().iter().position(|place| {
        let name = plain(child.column_name(*place));
        [format!("{parent_name}id"), format!("{parent_name}sid"), format!("{parent_name}dbid")]
            .contains(&name)
    });
    let mut joins = Vec::new();
    for key in [after_parent, named].into_iter().flatten() {
        let id = parent.key_of("id").map(|there| (key, there));
        for pair in [id, same(key)].into_iter().flatten() {
            if !joins.contains(&vec![pair]) {
                joins.push(vec![pair]);
            }
        }
        if !joins.is_empty() {
            break;
        }
    }
    joins
}

/// The join for a person: `public.plans.base_plan_id = public.base_plans.id`.
pub(crate) fn describe(join: &Join, child: &SearchTable, parent: &SearchTable) -> String {
    let pairs = join.iter().map(|(here, there)| {
        format!("{}.{} = {}.{}", child.name, child.key_name(*here), parent.name, parent.key_name(*there))
    });
    pairs.collect::<Vec<_>>().join(" and ")
}
