//! What the predecessors' tables look like, and which table of a file is one of them.

use crate::file_error::FileError;
use crate::predecessor::Predecessor;
use crate::search::columns::Role;
use crate::search::references::ForeignKey;
use crate::search::tables::{LOOKED_FOR, SearchTable, SearchTables};

/// A table as a predecessor has it. Its columns may stand in any order and among others, in any schema.
struct Shape {
    predecessor: Predecessor,
    /// The table's names, without underscores and without the `s` of the plural.
    names: &'static [&'static str],
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

const SHAPES: [Shape; 3] = [
    Shape {
        predecessor: Predecessor::Tenantbase,
        names: &["kvalue", "keyvalue"],
        required: &["key", "value"],
        optional: &["id"],
    },
    Shape {
        predecessor: Predecessor::Activity,
        names: &["event", "activity", "activitie", "activityevent"],
        required: &["id", "component", "environment", "message", "created_at"],
        optional: &["email", "data"],
    },
    Shape {
        predecessor: Predecessor::Tenants,
        names: &["tenant"],
        required: &["tenant_number", "tenant_id"],
        optional: &["tenant_info", "created_at", "updated_at"],
    },
];

/// So many tables that are not known are told.
const MOST_TOLD: usize = 20;

/// A table of the file that is a predecessor's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownTable {
    pub(crate) predecessor: Predecessor,
    /// Its name in the file, with its schema.
    pub(crate) name: String,
    /// Its columns in the file, in lower case.
    pub(crate) columns: Vec<String>,
}

impl KnownTable {
    /// Which of the file's columns this is.
    pub(crate) fn place_of(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }

    /// The columns that are read, as far as the file has them.
    pub(crate) fn read_columns(&self) -> impl Iterator<Item = &'static str> {
        let shape = SHAPES.iter().find(|shape| shape.predecessor == self.predecessor);
        let columns = shape.into_iter().flat_map(|shape| shape.required.iter().chain(shape.optional));
        columns.copied().filter(|column| self.place_of(column).is_some())
    }
}

/// What a table of the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    /// The one table of a predecessor.
    One,
    /// One of the search's tables.
    Search(Role),
}

/// What is read of a file.
#[derive(Debug)]
pub(crate) enum Found {
    /// The one table of a predecessor.
    One(KnownTable),
    /// The search's tables.
    Search(Box<SearchTables>),
}

/// Finds the table of a file that is wanted, or the search's tables.
pub(crate) struct Tables {
    wanted: Option<Predecessor>,
    chosen: Option<KnownTable>,
    search: SearchTables,
    others: Vec<String>,
    count: usize,
}

impl Tables {
    /// For the table of this predecessor, or of any.
    pub(crate) fn new(wanted: Option<Predecessor>) -> Self {
        Self { wanted, chosen: None, search: SearchTables::default(), others: Vec::new(), count: 0 }
    }

    /// A table of the file: whether it is one that is read. It may come several times, the last time with the order of
    /// columns in which rows follow.
    pub(crate) fn offer(&mut self, name: &str, columns: &[String]) -> Result<Option<Offered>, FileError> {
        let columns: Vec<_> = columns.iter().map(|column| column.to_lowercase()).collect();
        if let Some(predecessor) = self.predecessor_of(name, &columns) {
            return self.choose(predecessor, name, columns).map(|()| Some(Offered::One));
        }
        if self.wants(Predecessor::Search)
            && let Some(table) = SearchTable::of(name, &columns)
        {
            let role = table.role;
            self.search.offer(table)?;
            self.check_one_predecessor()?;
            return Ok(Some(Offered::Search(role)));
        }
        let told = format!("{name}({})", columns.join(", "));
        if !self.others.contains(&told) {
            self.count += 1;
            if self.others.len() < MOST_TOLD {
                self.others.push(told);
            }
        }
        Ok(None)
    }

    fn choose(
        &mut self,
        predecessor: Predecessor,
        name: &str,
        columns: Vec<String>,
    ) -> Result<(), FileError> {
        match &mut self.chosen {
            Some(chosen) if chosen.name != name => Err(FileError::SeveralTables(format!(
                "{} ({}), {name} ({predecessor})",
                chosen.name, chosen.predecessor
            ))),
            chosen => {
                *chosen = Some(KnownTable { predecessor, name: name.to_owned(), columns });
                self.check_one_predecessor()
            }
        }
    }

    /// Refuses a file that holds plans of the search, and another predecessor's table.
    fn check_one_predecessor(&self) -> Result<(), FileError> {
        match (&self.chosen, self.search.of(Role::Plans)) {
            (Some(chosen), Some(plans)) => Err(FileError::SeveralTables(format!(
                "{} ({}), {} ({})",
                chosen.name,
                chosen.predecessor,
                plans.name,
                Predecessor::Search
            ))),
            _ => Ok(()),
        }
    }

    fn wants(&self, predecessor: Predecessor) -> bool {
        self.wanted.is_none_or(|wanted| wanted == predecessor)
    }

    fn predecessor_of(&self, name: &str, columns: &[String]) -> Option<Predecessor> {
        let bare = name.rsplit('.').next().unwrap_or(name).to_lowercase().replace('_', "");
        let bare = bare.strip_suffix('s').unwrap_or(&bare);
        let fits = |shape: &&Shape| {
            self.wants(shape.predecessor)
                && shape.names.contains(&bare)
                && shape.required.iter().all(|column| columns.iter().any(|name| name == column))
        };
        SHAPES.iter().find(fits).map(|shape| shape.predecessor)
    }

    /// A reference from one table to another.
    pub(crate) fn refer(&mut self, key: ForeignKey) {
        self.search.refer(key);
    }

    /// The table that was found last.
    pub(crate) fn chosen(&self) -> Option<&KnownTable> {
        self.chosen.as_ref()
    }

    /// The search's tables that were found.
    pub(crate) fn search(&self) -> &SearchTables {
        &self.search
    }

    /// The tables that are read, with their columns that are.
    pub(crate) fn to_read(&self) -> Vec<(String, Vec<String>)> {
        match &self.chosen {
            Some(table) => vec![(table.name.clone(), table.read_columns().map(str::to_owned).collect())],
            None => {
                let tables = Role::ALL.into_iter().filter_map(|role| self.search.of(role));
                tables.map(|table| (table.name.clone(), table.read_columns())).collect()
            }
        }
    }

    /// The file has ended: the tables, or what there is instead.
    pub(crate) fn finish(self) -> Result<Found, FileError> {
        let Self { wanted, chosen, search, mut others, count } = self;
        if let Some(chosen) = chosen {
            return Ok(Found::One(chosen));
        }
        if search.of(Role::Plans).is_some() {
            return Ok(Found::Search(Box::new(search)));
        }
        let untold = count - others.len();
        let beside = [Role::BasePlans, Role::Zones].into_iter().filter_map(|role| search.of(role));
        others.extend(beside.map(SearchTable::describe));
        let shapes = SHAPES.iter().filter(|shape| wanted.is_none_or(|wanted| wanted == shape.predecessor));
        let mut looked_for: Vec<_> = shapes.map(describe).collect();
        if wanted.is_none_or(|wanted| wanted == Predecessor::Search) {
            looked_for.push(LOOKED_FOR.to_owned());
        }
        let mut found = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
        if untold > 0 {
            found.push_str(&format!(" and {untold} more"));
        }
        Err(FileError::NoTable { wanted: looked_for.join(", "), found })
    }
}

fn describe(shape: &Shape) -> String {
    let name = match shape.predecessor {
        Predecessor::Tenants => "tenants",
        Predecessor::Tenantbase => "kvalue",
        Predecessor::Activity => "events",
        Predecessor::Search => "plans",
    };
    format!("{name}({})", shape.required.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(list: &str) -> Vec<String> {
        list.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_table_is_known_by_its_name_and_columns_in_any_order_and_schema() {
        for (name, list, predecessor) in [
            ("public.tenants", "updated_at tenant_info tenant_id tenant_number extra", Predecessor::Tenants),
            ("Tenant", "TENANT_NUMBER TENANT_ID", Predecessor::Tenants),
            ("kvalue", "id key value", Predecessor::Tenantbase),
            ("main.key_values", "value key", Predecessor::Tenantbase),
            ("event", "created_at id component environment message data email", Predecessor::Activity),
            ("app.activities", "id component environment message created_at", Predecessor::Activity),
        ] {
            let mut tables = Tables::new(None);
            assert_eq!(tables.offer(name, &columns(list)).unwrap(), Some(Offered::One), "{name}");
            let Found::One(found) = tables.finish().unwrap() else { panic!("{name}") };
            assert_eq!(found.predecessor, predecessor);
        }
    }

    #[test]
    fn what_is_looked_for_and_what_is_there_is_told() {
        let mut tables = Tables::new(Some(Predecessor::Tenants));
        assert_eq!(tables.offer("kvalue", &columns("id key value")).unwrap(), None);
        assert_eq!(tables.offer("tenants", &columns("id name")).unwrap(), None);
        let told = tables.finish().unwrap_err().to_string();
        assert!(told.contains("looked for tenants(tenant_number, tenant_id)"), "{told}");
        assert!(told.contains("kvalue(id, key, value), tenants(id, name)"), "{told}");
    }

    #[test]
    fn of_several_tables_none_is_guessed() {
        let mut tables = Tables::new(None);
        assert!(tables.offer("public.kvalue", &columns("key value")).unwrap().is_some());
        assert!(
            tables.offer("public.kvalue", &columns("value key")).unwrap().is_some(),
            "the same one again"
        );
        assert!(matches!(
            tables.offer("old.kvalue", &columns("key value")),
            Err(FileError::SeveralTables(_))
        ));
    }

    #[test]
    fn many_tables_that_are_not_known_are_told_in_bounds() {
        let mut tables = Tables::new(None);
        for number in 0..1000 {
            assert_eq!(tables.offer(&format!("t{number}"), &columns("a b")).unwrap(), None);
        }
        let told = tables.finish().unwrap_err().to_string();
        assert!(told.contains("and 980 more") && told.len() < 1200, "{told}");
    }
}
