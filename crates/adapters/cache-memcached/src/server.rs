//! One memcached server: what is done there, a loop of reading and writing where another may come between.

use std::time::Duration;

use bytes::Bytes;
use tenantry_cache_support::{Link, Peer, Stored, Touch, random_u64};
use tenantry_domain::Revision;
use tenantry_ports::{FillLease, SharedLookup};

use crate::client::{Client, ClientError, Condition};
use crate::place::Place;
use crate::url::Login;

/// How long one reader may read storage for all: memcached counts in seconds, and the first may be short.
const LEASE_SECONDS: u64 = 2;

/// memcached takes longer times for days of the calendar.
const MAX_SECONDS: u64 = 30 * 24 * 60 * 60;

/// One server, and the touch with it.
pub(crate) struct Server {
    pub(crate) link: Link<Client>,
    pub(crate) name: String,
    pub(crate) login: Option<Login>,
    pub(crate) namespace: String,
    pub(crate) connect_timeout: Duration,
}

impl Server {
    /// What is held, or a lease.
    pub(crate) async fn look_up(
        &self,
        touch: &Touch<Client>,
        place: &Place,
    ) -> Result<SharedLookup, ClientError> {
        let lease = FillLease { token: random_u64(), generation: touch.generation };
        loop {
            let (condition, known) = match touch.connection.get(&place.name).await? {
                None => (Condition::Absent, Revision::default()),
                Some((data, cas)) => match place.parse(&data) {
                    Some(stored) if stored.generation >= touch.generation => return Ok(stored.told()),
                    Some(old) => (Condition::Cas(cas), old.version),
                    None => (Condition::Cas(cas), Revision::default()),
                },
            };
            let data = place.to_bytes(&Stored::lease(lease, known));
            if touch.connection.set(&place.name, data, LEASE_SECONDS, condition).await? {
                return Ok(SharedLookup::Lease(lease));
            }
        }
    }

    /// Fills a place that is leased, if it still is.
    pub(crate) async fn fill(
        &self,
        touch: &Touch<Client>,
        place: &Place,
        lease: FillLease,
        new: Stored,
        lifetime: Duration,
    ) -> Result<(), ClientError> {
        let Some((data, cas)) = touch.connection.get(&place.name).await? else { return Ok(()) };
        let Some(held) = place.parse(&data) else { return Ok(()) };
        let Some(new) = new.filling(&held, lease) else { return Ok(()) };
        match self.set(touch, place, &new, lifetime, Condition::Cas(cas)).await {
            // memcached has removed the lease. Where nobody changed the key since, nobody need ask again.
            Err(ClientError::Refused(_)) => {
                let unheld = Stored::unheld(new.version, new.generation);
                self.set(touch, place, &unheld, lifetime, Condition::Absent).await.map(|_| ())
            }
            other => other.map(|_| ()),
        }
    }

    /// Stores this unless something newer is held. What memcached refuses (it is too large, mostly) is stored as
    /// something that it cannot hold; and where even that is refused, nothing stays.
    pub(crate) async fn replace(
        &self,
        touch: &Touch<Client>,
        place: &Place,
        mut new: Stored,
        lifetime: Duration,
    ) -> Result<(), ClientError> {
        let mut was_refused = false;
        loop {
            let condition = match touch.connection.get(&place.name).await? {
                None => Condition::Absent,
                Some((data, cas)) => match place.parse(&data) {
                    Some(held) if !new.replaces(&held) => return Ok(()),
                    _ => Condition::Cas(cas),
                },
            };
            match self.set(touch, place, &new, lifetime, condition).await {
                Ok(true) => return Ok(()),
                // Another came between.
                Ok(false) => {}
                Err(ClientError::Refused(_)) if !was_refused => {
                    was_refused = true;
                    new = Stored::unheld(new.version, new.generation);
                }
                Err(ClientError::Refused(_)) => return touch.connection.delete(&place.name).await,
                Err(lost) => return Err(lost),
            }
        }
    }

    async fn set(
        &self,
        touch: &Touch<Client>,
        place: &Place,
        stored: &Stored,
        lifetime: Duration,
        condition: Condition,
    ) -> Result<bool, ClientError> {
        // 0 would mean for good.
        let seconds = lifetime.as_secs().clamp(1, MAX_SECONDS);
        touch.connection.set(&place.name, place.to_bytes(stored), seconds, condition).await
    }

    fn generation_name(&self) -> String {
        format!("{}:generation", self.namespace)
    }
}

impl Peer for Server {
    type Connection = Client;

    fn name(&self) -> String {
        format!("memcached://{}", self.name)
    }

    async fn connect(&self) -> Result<Client, String> {
        let connected = Client::connect(&self.name, self.login.as_ref(), self.connect_timeout).await;
        connected.map_err(|error| error.to_string())
    }

    async fn begin_generation(&self, client: &Client, at_least: u64) -> Result<u64, String> {
        let name = self.generation_name();
        loop {
            let held = client.get(&name).await.map_err(|error| error.to_string())?;
            let (next, condition) = match held {
                None => (at_least, Condition::Absent),
                Some((digits, cas)) => {
                    let next = number(&digits).map_or(at_least, |held| at_least.max(held.saturating_add(1)));
                    (next, Condition::Cas(cas))
                }
            };
            let begun = client.set(&name, next.to_string().into(), 0, condition).await;
            if begun.map_err(|error| error.to_string())? {
                return Ok(next);
            }
        }
    }

    async fn generation(&self, client: &Client) -> Result<Option<u64>, String> {
        let held = client.get(&self.generation_name()).await.map_err(|error| error.to_string())?;
        Ok(held.and_then(|(digits, _)| number(&digits)))
    }
}

fn number(digits: &Bytes) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}
