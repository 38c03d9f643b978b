//! Many threads against a reference: a reader that comes after an acknowledged change never sees what was
//! before it, whatever is evicted, cleared, told late or loaded meanwhile.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::*;

const KEYS: usize = 4;
const READS: usize = 150_000;

/// Storage with several writers: commits come one after another, but are told of in any order.
struct Storage {
    cache: MemoryCache<usize, u64>,
    committed: [Mutex<u64>; KEYS],
    acknowledged: [AtomicU64; KEYS],
    done: AtomicBool,
}

impl Storage {
    fn write(&self, key: usize, tell: fn(&MemoryCache<usize, u64>, usize, u64)) {
        let written = {
            let mut committed = self.committed[key].lock().unwrap();
            *committed += 1;
            *committed
        };
        tell(&self.cache, key, written);
        self.acknowledged[key].fetch_max(written, Ordering::SeqCst);
    }

    fn read(&self, key: usize) -> u64 {
        self.cache.get(&key).unwrap_or_else(|| {
            let ticket = self.cache.ticket(&key);
            let read = *self.committed[key].lock().unwrap();
            self.cache.fill(key, read, ticket);
            read
        })
    }

    /// Reads keys at random; each must be no older than what was acknowledged before the read began.
    /// Answers how many reads the cache could have answered wrongly: those of a key that was ever written.
    fn check(&self, seed: u64) -> usize {
        let mut keys = random(seed);
        let mut seen = 0;
        for _ in 0..READS {
            let key = keys() % KEYS;
            let acknowledged = self.acknowledged[key].load(Ordering::SeqCst);
            let read = self.read(key);
            assert!(read >= acknowledged, "key {key}: read {read} after {acknowledged} was acknowledged");
            seen += usize::from(acknowledged > 0);
        }
        seen
    }

    fn until_done(&self, seed: u64, act: impl Fn(usize)) {
        let mut numbers = random(seed);
        while !self.done.load(Ordering::Relaxed) {
            act(numbers());
        }
    }
}

/// Xorshift: numbers that are the same in each run.
fn random(seed: u64) -> impl FnMut() -> usize {
    let mut state = seed;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    }
}

fn stress(version: fn(&u64) -> u64, tell: fn(&MemoryCache<usize, u64>, usize, u64)) {
    let storage = Storage {
        cache: MemoryCache::new(1 << 20, |_, _| 1, version),
        committed: Default::default(),
        acknowledged: Default::default(),
        done: AtomicBool::new(false),
    };
    let storage = &storage;
    thread::scope(|threads| {
        for seed in [11, 12] {
            threads.spawn(move || storage.until_done(seed, |number| storage.write(number % KEYS, tell)));
        }
        threads.spawn(|| {
            storage.until_done(21, |number| {
                storage.cache.values.remove(&(number % KEYS));
            });
        });
        threads.spawn(|| {
            storage.until_done(31, |number| match number % 64 {
                0 => storage.cache.clear(),
                _ => thread::yield_now(),
            });
        });
        let checks = [41, 42, 43].map(|seed| threads.spawn(move || storage.check(seed)));
        let seen = checks.map(thread::ScopedJoinHandle::join);
        storage.done.store(true, Ordering::Relaxed);
        for seen in seen {
            assert!(seen.unwrap() > READS / 2, "most reads must come after some write");
        }
    });
}

#[test]
fn changes_told_with_their_value_are_never_unseen() {
    stress(|version| *version, |cache, key, written| cache.replace(key, written));
}

#[test]
fn changes_told_without_their_value_are_never_unseen() {
    stress(|_| 0, |cache, key, _| cache.remove(&key));
}
