//! Libraries stay where they belong: no web, database, cache or runtime library in the hexagon's inside.

use cargo_metadata::DependencyKind::Development;

use crate::Edge;
use crate::member::Place::{Adapter, App, Client, Domain, Interface, Ports, Services, Xtask};

/// Each dependency on a library that does not belong in that crate.
pub(crate) fn faults(edges: &[Edge]) -> Vec<String> {
    edges.iter().filter(|edge| edge.to_place.is_none()).filter_map(fault).collect()
}

fn fault(edge: &Edge) -> Option<String> {
    let Edge { from, to, kind, .. } = edge;
    let is_of = |family: &str| {
        to == family || to.strip_prefix(family).is_some_and(|rest| rest.starts_with(['-', '_']))
    };
    let is_for_tests = *kind == Development;
    let is_inside = matches!(from, Domain | Ports | Services);

    if is_inside && ["actix", "diesel", "redis", "tokio"].into_iter().any(is_of) {
        let is_runtime_for_tests = is_for_tests && *from == Services && is_of("tokio");
        return (!is_runtime_for_tests).then(|| {
            format!("{from} must not depend on {to} ({kind} dependency): it has no I/O of its own")
        });
    }
    // The app's tests forge databases, to see how it starts on them.
    let is_forgery = is_for_tests && *from == App;
    if is_of("diesel") && !from.is_about_storage() && !from.reads_predecessors() && !is_forgery {
        return Some(format!("{from} must not depend on {to}: only storage adapters know SQL"));
    }
    if is_of("redis") && !matches!(from, Adapter(name) if name == "cache-redis") {
        return Some(format!("{from} must not depend on {to}: only the adapter of Redis knows it"));
    }
    if is_of("actix") {
        let is_web = matches!(from, App | Xtask) || matches!(from, Interface(name) if name == "http");
        if !is_web {
            return Some(format!(
                "{from} must not depend on {to}: only the HTTP interface and the app serve"
            ));
        }
    }
    if *from == Xtask && !edge.optional && !is_for_tests {
        return Some(format!(
            "xtask must not depend on {to}, unless optionally: a bare machine builds it first"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use cargo_metadata::DependencyKind::{self, Build, Normal};

    use super::*;
    use crate::member::Place;

    fn edge(from: Place, to: &str, kind: DependencyKind, optional: bool) -> Edge {
        Edge { from, to: to.to_owned(), to_place: None, kind, optional }
    }

    fn http() -> Place {
        Interface("http".to_owned())
    }

    fn adapter(name: &str) -> Place {
        Adapter(name.to_owned())
    }

    #[test]
    fn libraries_in_their_places_are_allowed() {
        let edges = [
            edge(Domain, "serde", Normal, false),
            edge(Services, "tokio", Development, false),
            edge(adapter("storage-sqlite"), "diesel", Normal, false),
            edge(adapter("storage-sqlite"), "diesel_migrations", Normal, false),
            edge(adapter("predecessor-files"), "diesel", Normal, false),
            edge(adapter("cache-redis"), "redis", Normal, false),
            edge(http(), "actix-web", Normal, false),
            edge(App, "actix-web", Normal, false),
            edge(Client, "tokio", Normal, false),
            edge(App, "diesel", Development, false),
            edge(Xtask, "actix-web", Normal, true),
            edge(Xtask, "cargo_metadata", Development, false),
        ];
        assert_eq!(faults(&edges), Vec::<String>::new());
    }

    #[test]
    fn libraries_elsewhere_are_found() {
        let edges = [
            edge(Domain, "tokio", Normal, false),
            edge(Domain, "tokio", Development, false),
            edge(Ports, "tokio-util", Normal, true),
            edge(Ports, "redis", Normal, false),
            edge(Services, "tokio", Normal, false),
            edge(Services, "tokio", Build, false),
            edge(Services, "diesel", Development, false),
            edge(Services, "actix-web", Normal, false),
            edge(http(), "diesel", Normal, false),
            edge(App, "diesel_migrations", Normal, false),
            edge(adapter("cache-memory"), "diesel", Normal, false),
            edge(adapter("cache-memcached"), "redis", Normal, false),
            edge(App, "redis", Normal, false),
            edge(Client, "diesel", Normal, false),
            edge(Client, "actix-web", Development, false),
            edge(adapter("storage-sqlite"), "actix-rt", Normal, false),
            edge(Interface("memcached".to_owned()), "actix-web", Normal, false),
            edge(Xtask, "actix-web", Normal, false),
            edge(Xtask, "serde", Normal, false),
        ];
        for edge in &edges {
            assert_eq!(faults(std::slice::from_ref(edge)).len(), 1, "{edge:?}");
        }
    }

    #[test]
    fn a_name_that_only_begins_alike_is_another_library() {
        assert_eq!(faults(&[edge(Domain, "tokioless", Normal, false)]), Vec::<String>::new());
    }
}
