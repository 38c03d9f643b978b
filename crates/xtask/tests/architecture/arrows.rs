//! Arrows point inward: domain ← ports ← services ← interfaces; domain ← ports ← adapters; app sees all. The client
//! stands outside: it knows of the server what its OpenAPI document says.

use cargo_metadata::DependencyKind::Development;

use crate::Edge;
use crate::member::Place::{self, Adapter, App, Client, Domain, Interface, Ports, Services, Unknown, Xtask};

/// Each arrow between workspace crates that must not be.
pub(crate) fn faults(edges: &[Edge]) -> Vec<String> {
    let inner = edges.iter().filter_map(|edge| Some((edge, edge.to_place.as_ref()?)));
    let forbidden = inner.filter(|(edge, to)| !is_allowed(&edge.from, to, edge.kind == Development));
    forbidden
        .map(|(edge, to)| format!("{} must not depend on {to} ({} dependency)", edge.from, edge.kind))
        .collect()
}

fn is_allowed(from: &Place, to: &Place, is_for_tests: bool) -> bool {
    // A crate may name itself, to turn its own features on for its tests.
    if from == to {
        return is_for_tests;
    }
    match (from, to) {
        (Unknown(_), _) | (_, Unknown(_)) | (Client | Domain | Xtask, _) | (_, App | Xtask) => false,
        (_, suite) if suite.is_storage_contract() => is_for_tests && from.is_storage_adapter(),
        // A storage may bring an invalidation bus.
        (_, suite) if suite.is_cache_contract() => {
            is_for_tests && (from.is_cache_adapter() || from.is_storage_adapter())
        }
        // A storage brings a job queue; the app's tests kill a broker.
        (_, suite) if suite.is_queue_contract() => {
            is_for_tests && (from.is_queue_adapter() || from.is_storage_adapter() || *from == App)
        }
        (Ports, to) => matches!(to, Domain),
        (Services, to) => matches!(to, Domain | Ports),
        (Adapter(_), to) if to.is_storage_support() => from.is_storage_adapter(),
        (Adapter(_), to) if to.is_cache_support() => from.is_cache_adapter(),
        (Adapter(_), to) => matches!(to, Domain | Ports),
        (Interface(_), to) => matches!(to, Domain | Ports | Services),
        (App, _) => true,
    }
}

#[cfg(test)]
mod tests {
    use cargo_metadata::DependencyKind::{self, Build, Normal};

    use super::*;

    fn adapter(name: &str) -> Place {
        Adapter(name.to_owned())
    }

    fn edge(from: &Place, to: &Place, kind: DependencyKind) -> Edge {
        Edge { from: from.clone(), to: to.to_string(), to_place: Some(to.clone()), kind, optional: false }
    }

    #[test]
    fn the_arrows_of_the_hexagon_are_allowed() {
        let http = Interface("http".to_owned());
        let sqlite = adapter("storage-sqlite");
        let edges = [
            edge(&Ports, &Domain, Normal),
            edge(&Services, &Ports, Normal),
            edge(&Services, &Ports, Development),
            edge(&http, &Services, Normal),
            edge(&sqlite, &Ports, Normal),
            edge(&sqlite, &adapter("storage-support"), Normal),
            edge(&sqlite, &adapter("storage-contract"), Development),
            edge(&adapter("storage-contract"), &Ports, Normal),
            edge(&adapter("cache-redis"), &adapter("cache-support"), Normal),
            edge(&adapter("cache-redis"), &adapter("cache-contract"), Development),
            edge(&adapter("storage-postgres"), &adapter("cache-contract"), Development),
            edge(&adapter("cache-contract"), &Ports, Normal),
            edge(&adapter("queue-rabbitmq"), &adapter("queue-contract"), Development),
            edge(&sqlite, &adapter("queue-contract"), Development),
            edge(&App, &adapter("queue-contract"), Development),
            edge(&App, &http, Normal),
            edge(&App, &sqlite, Normal),
            edge(&App, &Client, Normal),
        ];
        assert_eq!(faults(&edges), Vec::<String>::new());
    }

    #[test]
    fn every_other_arrow_is_found() {
        let http = Interface("http".to_owned());
        let sqlite = adapter("storage-sqlite");
        let memory = adapter("cache-memory");
        let contract = adapter("storage-contract");
        let support = adapter("storage-support");
        let forbidden = [
            (&Domain, &Ports, Normal),
            (&Domain, &Ports, Development),
            (&Ports, &Services, Normal),
            (&Services, &sqlite, Normal),
            (&Services, &sqlite, Development),
            (&Services, &http, Build),
            (&sqlite, &Services, Normal),
            (&sqlite, &memory, Normal),
            (&sqlite, &contract, Normal),
            (&memory, &support, Normal),
            (&memory, &contract, Development),
            (&support, &contract, Development),
            (&contract, &support, Normal),
            (&memory, &adapter("cache-contract"), Normal),
            (&sqlite, &adapter("cache-contract"), Normal),
            (&sqlite, &adapter("cache-support"), Normal),
            (&adapter("cache-redis"), &memory, Normal),
            (&adapter("cache-support"), &adapter("cache-contract"), Development),
            (&adapter("cache-contract"), &adapter("cache-support"), Normal),
            (&http, &adapter("cache-contract"), Development),
            (&App, &adapter("cache-contract"), Normal),
            (&adapter("queue-rabbitmq"), &adapter("queue-contract"), Normal),
            (&App, &adapter("queue-contract"), Normal),
            (&adapter("cache-redis"), &adapter("queue-contract"), Development),
            (&http, &sqlite, Normal),
            (&http, &sqlite, Development),
            (&http, &Interface("memcached".to_owned()), Normal),
            (&http, &App, Development),
            (&App, &Xtask, Normal),
            (&Client, &Domain, Normal),
            (&Client, &http, Development),
            (&Client, &App, Development),
            (&http, &Client, Normal),
            (&Services, &Client, Normal),
            (&sqlite, &Client, Development),
            (&App, &contract, Normal),
            (&Xtask, &Domain, Normal),
            (&Xtask, &Domain, Development),
            (&Unknown("crates/new".to_owned()), &Domain, Normal),
        ];
        for (from, to, kind) in forbidden {
            assert_eq!(faults(&[edge(from, to, kind)]).len(), 1, "{from} → {to} ({kind})");
        }
    }
}
