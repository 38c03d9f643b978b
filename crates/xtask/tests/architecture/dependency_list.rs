//! `docs/dependencies.md`: a table whose first column names each library in backticks.

use std::collections::BTreeSet;

/// The names in the first column of the tables of this text.
pub(crate) fn names(markdown: &str) -> BTreeSet<String> {
    let rows = markdown.lines().filter_map(|line| line.trim().strip_prefix('|'));
    let first_cells = rows.filter_map(|row| row.split('|').next());
    let names = first_cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    names.map(str::to_owned).collect()
}

/// What is used or declared and not listed, and what is listed and not used.
pub(crate) fn faults(
    listed: &BTreeSet<String>,
    used: &BTreeSet<String>,
    declared: &BTreeSet<String>,
) -> Vec<String> {
    let missing = used.union(declared).filter(|name| !listed.contains(*name));
    let missing = missing.map(|name| format!("{name} is a dependency and not in docs/dependencies.md"));
    let unused = listed.difference(used);
    missing
        .chain(unused.map(|name| format!("{name} is in docs/dependencies.md and no crate uses it")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_first_column_names_the_libraries() {
        let markdown = "# `title`\n\n| crate | why |\n|---|---|\n| `serde`, `serde_json` | for `json` |\n  | `uuid` | |\n";
        assert_eq!(names(markdown), set(&["serde", "serde_json", "uuid"]));
    }

    #[test]
    fn what_is_not_listed_and_what_is_not_used_is_found() {
        assert!(faults(&set(&["a"]), &set(&["a"]), &set(&["a"])).is_empty());
        assert_eq!(faults(&set(&["a"]), &set(&["a", "b"]), &set(&["a"])).len(), 1);
        assert_eq!(faults(&set(&["a"]), &set(&["a"]), &set(&["a", "c"])).len(), 1);
        assert_eq!(faults(&set(&["a", "d"]), &set(&["a"]), &set(&["a", "d"])).len(), 1);
    }
}
