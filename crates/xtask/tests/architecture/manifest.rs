//! What `cargo metadata` does not tell of a Cargo.toml.

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};

/// The manifest in this file.
pub(crate) fn read(path: &Path) -> Table {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Whether the crate takes the workspace's lints as they are.
pub(crate) fn inherits_lints(manifest: &Table) -> bool {
    let lints = manifest.get("lints").and_then(Value::as_table);
    lints.and_then(|lints| lints.get("workspace")).and_then(Value::as_bool) == Some(true)
}

/// The libraries in `[workspace.dependencies]` that are not the workspace's own.
pub(crate) fn external_dependencies(root: &Table) -> BTreeSet<String> {
    let workspace = root.get("workspace").and_then(Value::as_table);
    let all = workspace.and_then(|workspace| workspace.get("dependencies")).and_then(Value::as_table);
    let external = all.into_iter().flatten().filter(|(_, details)| details.get("path").is_none());
    external.map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().expect("TOML")
    }

    #[test]
    fn lints_are_inherited_only_where_the_manifest_says_so() {
        assert!(inherits_lints(&table("[lints]\nworkspace = true")));
        assert!(!inherits_lints(&table("[lints.rust]\nunsafe_code = 'forbid'")));
        assert!(!inherits_lints(&table("[package]\nname = 'x'")));
    }

    #[test]
    fn own_crates_are_not_external() {
        let root = table("[workspace.dependencies]\nown = { path = 'own' }\na = '1'\nb = { version = '1' }");
        assert_eq!(external_dependencies(&root).into_iter().collect::<Vec<_>>(), ["a", "b"]);
    }
}
