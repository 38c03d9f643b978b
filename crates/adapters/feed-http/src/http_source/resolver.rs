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
    pub(crate) allow_private_addresses: bool,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, allow_all) = (Arc::clone(&self.lookup), self.allow_private_addresses);
        Box::pin(async move {
            let addresses = lookup.addresses(name.as_str()).await?;
            let allowed: Vec<_> =
                addresses.iter().copied().filter(|ip| allow_all || why_not_public(*ip).is_none()).collect();
            if let (true, Some(first)) = (allowed.is_empty(), addresses.first()) {
                return Err(refuse(name.as_str(), *first).into());
            }
            let allowed = allowed.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(allowed) as Addrs)
        })
    }
}

/// Refuses an address that stands in the URL itself, for which the resolver is not asked.
pub(crate) fn check_literal(host: &str, allow_private_addresses: bool) -> Result<(), NotAllowed> {
    let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    match literal {
        Some(ip) if !allow_private_addresses && why_not_public(ip).is_some() => Err(refuse(host, ip)),
        _ => Ok(()),
    }
}

fn refuse(host: &str, ip: IpAddr) -> NotAllowed {
    let why = why_not_public(ip).unwrap_or("not public");
    NotAllowed(format!("{host} is {why}; feeds.allow_private_addresses would allow it"))
}
