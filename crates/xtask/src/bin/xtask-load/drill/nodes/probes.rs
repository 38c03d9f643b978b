//! Probes: a write on one node, and once it is acknowledged, a read on it and one on the other.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use xtask::random::Random;

use crate::Result;
use crate::drill::pair::Pair;
use crate::drill::value_text::{key_name, value, write_of};
use crate::http::Client;

/// How long a node may not know of what the other has acknowledged, while all is well: see docs/guarantees.md.
pub(in crate::drill) const BOUND: Duration = Duration::from_secs(1);

/// Probes under way at once.
const THREADS: u64 = 64;
/// Keys that each thread writes: few, so that either node holds all of them in memory.
const KEYS_A_THREAD: u64 = 16;

/// What the probes have shown.
#[derive(Debug, Default)]
pub(super) struct Found {
    probes: u64,
    elapsed: Duration,
    /// Reads on the node that had just answered the write, and did not show it.
    stale_at_writer: u64,
    /// The same on the other node, at once.
    stale_at_other: u64,
    /// The longest until that node showed it, or until it was given up past the bound.
    longest: Duration,
}

/// Runs so many probes. They end early when one is past the bound.
pub(super) fn run(pair: &Pair, probes: u64, seed: u64) -> Result<Found> {
    let (begun, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let start = Instant::now();
    let parts: Vec<Result<Found>> = thread::scope(|scope| {
        let threads = (0..THREADS).map(|number| {
            let (begun, stop) = (&begun, &stop);
            scope.spawn(move || {
                let mut prober = Prober::connect(pair, number, seed)?;
                while !stop.load(Ordering::Relaxed) && begun.fetch_add(1, Ordering::Relaxed) < probes {
                    prober.probe()?;
                    if prober.found.longest > BOUND {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
                Ok(prober.found)
            })
        });
        let threads: Vec<_> = threads.collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Result<Found>>| {
            thread.join().unwrap_or_else(|_| Err("a prober panicked".into()))
        };
        threads.into_iter().map(join).collect()
    });
    let mut whole = Found { elapsed: start.elapsed(), ..Found::default() };
    for part in parts {
        let part = part?;
        whole.probes += part.probes;
        whole.stale_at_writer += part.stale_at_writer;
        whole.stale_at_other += part.stale_at_other;
        whole.longest = whole.longest.max(part.longest);
    }
    Ok(whole)
}

/// One thread: it alone writes its keys.
struct Prober {
    nodes: [Client; 2],
    first_key: u64,
    /// The number of each key's last write.
    last: [u64; KEYS_A_THREAD as usize],
    random: Random,
    found: Found,
}

impl Prober {
    fn connect(pair: &Pair, number: u64, seed: u64) -> Result<Self> {
        let [first, second] = pair.addresses();
        Ok(Self {
            nodes: [Client::connect(first, Some(&pair.key))?, Client::connect(second, Some(&pair.key))?],
            first_key: number * KEYS_A_THREAD,
            last: [0; KEYS_A_THREAD as usize],
            random: Random::part(seed, number),
            found: Found::default(),
        })
    }

    /// Either node writes, as it comes.
    fn probe(&mut self) -> Result<()> {
        let (place, writer) = (self.random.below(KEYS_A_THREAD) as usize, self.random.below(2) as usize);
        let key = self.first_key + place as u64;
        let path = format!("/api/v1/kv/{}", key_name(key));
        self.last[place] += 1;
        let number = self.last[place];
        let answer = self.nodes[writer].put(&path, &value(key, number))?;
        if !matches!(answer.status, 200 | 201) {
            return Err(format!("PUT was answered with {}", answer.status).into());
        }
        let acknowledged = Instant::now();
        self.found.probes += 1;

        self.found.stale_at_writer += u64::from(!shows(&mut self.nodes[writer], &path, key, number)?);
        let other = &mut self.nodes[1 - writer];
        let mut is_fresh = shows(other, &path, key, number)?;
        self.found.stale_at_other += u64::from(!is_fresh);
        if is_fresh {
            return Ok(());
        }
        while !is_fresh && acknowledged.elapsed() <= BOUND {
            is_fresh = shows(other, &path, key, number)?;
        }
        self.found.longest = self.found.longest.max(acknowledged.elapsed());
        Ok(())
    }
}

/// Whether a read shows that write; nobody writes a later one meanwhile.
fn shows(node: &mut Client, path: &str, key: u64, number: u64) -> Result<bool> {
    let answer = node.get(path)?;
    match (answer.status, write_of(key, &answer.body)) {
        (200, Some(found)) if found <= number => Ok(found == number),
        // The other node may still hold that there is no such key.
        (404, _) => Ok(false),
        (status, found) => Err(format!("write {number} of key {key} was read as {status}, {found:?}").into()),
    }
}

impl Found {
    /// Fails unless everything held, at so many probes a second at least.
    pub(super) fn expect_good(&self, minimum: u64) -> Result<()> {
        let per_second = self.per_second();
        if self.stale_at_writer > 0 {
            return Err(format!("{} reads were stale on the node that wrote", self.stale_at_writer).into());
        }
        if self.longest > BOUND {
            return Err(format!("a read was stale for more than {BOUND:?} on the other node").into());
        }
        if per_second < minimum as f64 {
            return Err(format!("{per_second:.0} probes a second are too few, {minimum} is the least").into());
        }
        Ok(())
    }

    fn per_second(&self) -> f64 {
        self.probes as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { probes, stale_at_writer, stale_at_other, longest, .. } = self;
        write!(
            f,
            "{probes} probes ({:.0}/s): stale on the writing node {stale_at_writer}; on the other, at once, \
             {stale_at_other}, the longest for {:.1} ms",
            self.per_second(),
            longest.as_secs_f64() * 1000.0
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(stale_at_writer: u64, longest: Duration) -> Found {
        let elapsed = Duration::from_secs(1);
        Found { probes: 600, elapsed, stale_at_writer, stale_at_other: 1, longest }
    }

    #[test]
    fn the_other_node_may_be_stale_within_the_bound_and_the_writing_one_never() {
        assert!(found(0, BOUND).expect_good(500).is_ok());
        assert!(found(1, BOUND).expect_good(500).is_err());
        assert!(found(0, BOUND + Duration::from_millis(1)).expect_good(500).is_err());
        assert!(found(0, BOUND).expect_good(601).is_err());
    }
}
