//! What a write locks before it begins.

use tenantry_domain::TenantNumber;

/// What nobody else may change while a write's transaction lasts. A batch locks what its writes claim in this
/// order, on every node: so none waits for one that waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Claim {
    /// A tenant's catalog with its feeds and runs: by its row of `catalogs`. It is held for longer than others are, so
    /// whoever claims a tenant never waits for it.
    Catalog(TenantNumber),
    /// Nothing, but among those who write catalogs.
    AnyCatalog,
    /// A tenant's other data, and the tenant itself: by its counters.
    Tenant(TenantNumber),
    /// What is no single tenant's: settings, administrators' keys, when keys were used, the sweep.
    Installation,
}

impl Claim {
    /// Which of so many writers carries it out: a tenant's writes are always the same one's, so that what the
    /// listener hears of a key is in order. One more behind them, of that number, writes catalogs: an import that
    /// becomes the catalog takes a while, and nobody else is to be in a batch with it.
    pub(crate) fn writer(self, writers: usize) -> usize {
        match self {
            Self::Catalog(_) | Self::AnyCatalog => writers,
            Self::Tenant(tenant) => {
                // Numbers follow one another: the remainder spreads them evenly.
                usize::try_from(tenant.get().unsigned_abs() % (writers.max(1) as u64)).unwrap_or(0)
            }
            Self::Installation => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(number: i64) -> Claim {
        Claim::Tenant(TenantNumber::new(number).unwrap())
    }

    #[test]
    fn tenants_come_in_ascending_order_and_before_the_installation() {
        let mut claims = [Claim::Installation, tenant(10), tenant(9), tenant(2)];
        claims.sort_unstable();
        assert_eq!(claims, [tenant(2), tenant(9), tenant(10), Claim::Installation]);
    }

    #[test]
    fn tenants_spread_over_the_writers() {
        let of = |writers| (1..=6).map(|number| tenant(number).writer(writers)).collect::<Vec<_>>();
        assert_eq!(of(1), [0; 6]);
        assert_eq!(of(3), [1, 2, 0, 1, 2, 0]);
    }
}
