//! The rules of `docs/architecture.md` that a machine can hold, read off `cargo metadata`: which crate may
//! depend on which, which libraries belong where, and that each library is accounted for. And the tests that
//! `docs/guarantees.md` names.

mod arrows;
mod dependency_list;
mod guarantees;
mod libraries;
mod manifest;
mod member;

use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use member::Place;

/// One `[dependencies]` line of a workspace crate.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edge {
    from: Place,
    /// The name of the package.
    to: String,
    /// Where that package lives, if it is one of the workspace's.
    to_place: Option<Place>,
    kind: DependencyKind,
    optional: bool,
}

fn metadata() -> Metadata {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap_or_else(|error| panic!("{error}"))
}

/// Every dependency that any workspace crate declares.
fn edges(metadata: &Metadata) -> Vec<Edge> {
    let place_of = |manifest: &Path| Place::of(metadata.workspace_root.as_std_path(), manifest);
    let mut edges = Vec::new();
    for package in metadata.workspace_packages() {
        let from = place_of(package.manifest_path.as_std_path());
        for dependency in &package.dependencies {
            edges.push(Edge {
                from: from.clone(),
                to: dependency.name.clone(),
                to_place: dependency
                    .path
                    .as_ref()
                    .map(|path| place_of(&path.join("Cargo.toml").into_std_path_buf())),
                kind: dependency.kind,
                optional: dependency.optional,
            });
        }
    }
    edges
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n  {}\n", faults.join("\n  "));
}

#[test]
fn arrows_point_inward() {
    let edges = edges(&metadata());
    assert!(edges.iter().any(|edge| edge.to_place.is_some()), "no edge was read at all");
    assert_none(&arrows::faults(&edges));
}

#[test]
fn libraries_stay_where_they_belong() {
    assert_none(&libraries::faults(&edges(&metadata())));
}

#[test]
fn every_guarantee_names_tests_that_are_there() -> std::io::Result<()> {
    let root = metadata().workspace_root.into_std_path_buf();
    let named = guarantees::tests_named(&std::fs::read_to_string(root.join("docs/guarantees.md"))?);
    assert!(named.len() > 100, "the document names hundreds");
    let missing = guarantees::missing(&named, &guarantees::sources_below(&root.join("crates"))?);
    assert!(missing.is_empty(), "\n  {}\n", missing.join("\n  "));
    Ok(())
}

#[test]
fn every_crate_inherits_the_workspaces_lints() {
    for package in metadata().workspace_packages() {
        let manifest = manifest::read(package.manifest_path.as_std_path());
        assert!(manifest::inherits_lints(&manifest), "{} has no `[lints] workspace = true`", package.name);
    }
}

#[test]
fn every_library_is_accounted_for_and_used() {
    let metadata = metadata();
    let root = metadata.workspace_root.as_std_path();
    // The list is written with the documentation; from then on it holds.
    let Ok(list) = std::fs::read_to_string(root.join("docs/dependencies.md")) else { return };
    let listed = dependency_list::names(&list);
    let used = edges(&metadata).into_iter().filter(|edge| edge.to_place.is_none()).map(|edge| edge.to);
    let declared = manifest::external_dependencies(&manifest::read(&root.join("Cargo.toml")));
    assert_none(&dependency_list::faults(&listed, &used.collect(), &declared));
}
