//! Hosts that are left alone for a while, since they have failed too often.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tenantry_domain::TenantNumber;

/// A host as one tenant sees it. What it answers goes by the URL, which is the tenant's choice: whoever has broken files on
/// a host that others use too, or is refused there, shuts it to nobody else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Host {
    pub(crate) tenant: TenantNumber,
    /// Its name and its port.
    pub(crate) name: String,
}

/// The circuit breakers of all hosts: closed while a host works, open for a while after it has failed too often in a
/// row, then half open: one fetch may try, and the others hear that it is left alone until that has ended.
pub(crate) struct Breakers {
    failures: u32,
    pause: Duration,
    hosts: Mutex<HashMap<Host, Record>>,
}

#[derive(Debug, Clone, Copy)]
struct Record {
    failures: u32,
    open_until: Option<Instant>,
    is_tried: bool,
    last_failed_at: Instant,
}

/// The most hosts that are remembered. Only those that have failed of late are; the one that did so longest ago is
/// forgotten first.
const MAX_HOSTS: usize = 4096;
/// While one tries, the others hear that it is for so long.
const TRIAL: Duration = Duration::from_secs(10);

/// A fetch from a host has been let through; how it ended is to be told. If it is dropped, nothing is known of the host.
pub(crate) struct Passage<'a> {
    breakers: &'a Breakers,
    host: Host,
    is_trial: bool,
}

impl Breakers {
    pub(crate) fn new(failures: u32, pause: Duration) -> Self {
        Self { failures, pause, hosts: Mutex::default() }
    }

    /// Lets a fetch through, or says for how long the host is left alone.
    pub(crate) fn enter(&self, host: &Host, now: Instant) -> Result<Passage<'_>, Duration> {
        let passage = |is_trial| Passage { breakers: self, host: host.clone(), is_trial };
        let mut hosts = self.hosts();
        let Some(known) = hosts.get_mut(host) else { return Ok(passage(false)) };
        let Some(open_until) = known.open_until else { return Ok(passage(false)) };
        if now < open_until {
            return Err(open_until - now);
        }
        if known.is_tried {
            return Err(TRIAL);
        }
        known.is_tried = true;
        Ok(passage(true))
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<Host, Record>> {
        // Nothing in here can be left half done.
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget_one(hosts: &mut HashMap<Host, Record>) {
        let oldest = hosts.iter().min_by_key(|(_, known)| known.last_failed_at).map(|(host, _)| host.clone());
        if let Some(host) = oldest {
            hosts.remove(&host);
        }
    }
}

impl Passage<'_> {
    /// The host works.
    pub(crate) fn succeeded(self) {
        self.breakers.hosts().remove(&self.host);
    }

    /// The host failed; it asked to be left alone for that long, if it did.
    pub(crate) fn failed(self, asked: Option<Duration>, now: Instant) {
        let mut hosts = self.breakers.hosts();
        if hosts.len() >= MAX_HOSTS && !hosts.contains_key(&self.host) {
            Breakers::forget_one(&mut hosts);
        }
        let fresh = Record { failures: 0, open_until: None, is_tried: false, last_failed_at: now };
        let known = hosts.entry(self.host.clone()).or_insert(fresh);
        known.failures = known.failures.saturating_add(1);
        known.last_failed_at = now;
        let pause =
            (self.is_trial || known.failures >= self.breakers.failures).then_some(self.breakers.pause);
        // It may ask for as much as it would get for failing.
        let asked = asked.map(|asked| asked.min(self.breakers.pause));
        if let Some(pause) = pause.max(asked) {
            known.open_until = known.open_until.max(Some(now + pause));
        }
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        if self.is_trial
            && let Some(known) = self.breakers.hosts().get_mut(&self.host)
        {
            known.is_tried = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(60);

    fn host(name: &str) -> Host {
        Host { tenant: TenantNumber::new(1).unwrap(), name: name.to_owned() }
    }

    fn fail(breakers: &Breakers, now: Instant) {
        breakers.enter(&host("a"), now).unwrap_or_else(|_| panic!("it is left alone")).failed(None, now);
    }

    #[test]
    fn a_host_is_left_alone_after_it_failed_so_often_in_a_row() {
        let (breakers, now) = (Breakers::new(3, PAUSE), Instant::now());
        fail(&breakers, now);
        fail(&breakers, now);
        breakers.enter(&host("a"), now).ok().unwrap().succeeded();
        fail(&breakers, now);
        fail(&breakers, now);
        assert!(breakers.enter(&host("a"), now).is_ok());
        fail(&breakers, now);
        assert_eq!(breakers.enter(&host("a"), now + PAUSE / 4).err(), Some(PAUSE * 3 / 4));
        assert!(breakers.enter(&host("b"), now).is_ok());
    }

    #[test]
    fn after_its_pause_one_may_try_and_its_end_decides() {
        let (breakers, now) = (Breakers::new(1, PAUSE), Instant::now());
        fail(&breakers, now);
        let later = now + PAUSE;
        let trial = breakers.enter(&host("a"), later).ok().unwrap();
        assert_eq!(breakers.enter(&host("a"), later).err(), Some(TRIAL));
        trial.failed(None, later);
        assert_eq!(breakers.enter(&host("a"), later).err(), Some(PAUSE));
        let latest = later + PAUSE;
        breakers.enter(&host("a"), latest).ok().unwrap().succeeded();
        assert!(breakers.enter(&host("a"), latest).is_ok() && breakers.enter(&host("a"), latest).is_ok());
    }

    #[test]
    fn a_trial_that_was_given_up_lets_another_try() {
        let (breakers, now) = (Breakers::new(1, PAUSE), Instant::now());
        fail(&breakers, now);
        drop(breakers.enter(&host("a"), now + PAUSE).ok().unwrap());
        assert!(breakers.enter(&host("a"), now + PAUSE).is_ok());
    }

    #[test]
    fn a_host_that_asks_for_it_is_left_alone_at_once_but_no_longer_than_for_failing() {
        let (breakers, now) = (Breakers::new(9, PAUSE), Instant::now());
        breakers.enter(&host("a"), now).ok().unwrap().failed(Some(PAUSE / 2), now);
        assert_eq!(breakers.enter(&host("a"), now).err(), Some(PAUSE / 2));
        breakers.enter(&host("b"), now).ok().unwrap().failed(Some(PAUSE * 1000), now);
        assert_eq!(breakers.enter(&host("b"), now).err(), Some(PAUSE));
    }

    #[test]
    fn not_more_hosts_are_remembered_than_fit() {
        let (breakers, now) = (Breakers::new(1, PAUSE), Instant::now());
        for number in 0..=MAX_HOSTS {
            let at = now + Duration::from_millis(number as u64);
            breakers.enter(&host(&number.to_string()), at).ok().unwrap().failed(None, at);
        }
        assert_eq!(breakers.hosts().len(), MAX_HOSTS);
        assert!(breakers.enter(&host("0"), now).is_ok() && breakers.enter(&host("1"), now).is_err());
    }
}
