//! Names are resolved to addresses that may be connected to, and to no others.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::why_not_public;

/// Where a name leads is no place to fetch from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotAllowed(pub(crate) String);

/// Which addresses may be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressRule {
    /// All.
    Any,
    /// Public ones.
    Public,
    /// Public ones, and this one, which stands for a public one in tests.
    #[cfg(test)]
    PublicAnd(IpAddr),
}

impl AddressRule {
    /// Why an address may not be connected to.
    fn why_not(self, address: IpAddr) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::Public => why_not_public(address),
            #[cfg(test)]
            Self::PublicAnd(other) => why_not_public(address).filter(|_| address != other),
        }
    }
}

/// Asks for the addresses of a name.
#[async_trait]
pub(crate) trait Lookup: Send + Sync + 'static {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the operating system.
pub(crate) struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// The resolver of the HTTP client. It is asked for each connection, and the connection goes to one of the addresses
/// that it returned: so what is checked is what is connected to, however often a name changes its mind.
pub(crate) struct CheckedResolver {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) rule: AddressRule,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, rule) = (Arc::clone(&self.lookup), self.rule);
        Box::pin(async move {
            let addresses = lookup.addresses(name.as_str()).await?;
            let allowed: Vec<_> =
                addresses.iter().copied().filter(|ip| rule.why_not(*ip).is_none()).collect();
            let refused = addresses.iter().find_map(|ip| rule.why_not(*ip));
            if let (true, Some(why)) = (allowed.is_empty(), refused) {
                return Err(refuse(name.as_str(), why).into());
            }
            let allowed = allowed.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(allowed) as Addrs)
        })
    }
}

/// Refuses an address that stands in the URL itself, for which the resolver is not asked.
pub(crate) fn check_literal(host: &str, rule: AddressRule) -> Result<(), NotAllowed> {
    let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    literal.and_then(|ip| rule.why_not(ip)).map_or(Ok(()), |why| Err(refuse(host, why)))
}

fn refuse(host: &str, why: &str) -> NotAllowed {
    NotAllowed(format!("{host} is {why}; feeds.allow_private_addresses would allow it"))
}
