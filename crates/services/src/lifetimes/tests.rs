use super::*;
use crate::samples::{clock_at, entry, time};

const USUAL: Duration = Duration::from_secs(60);

fn cached(expires_at: Option<Timestamp>) -> CachedEntry {
    Some(entry(5, expires_at)).into()
}

#[test]
fn lifetimes_differ_by_a_fifth_at_most() {
    let lifetimes = Lifetimes::new(USUAL, clock_at(time(100)));
    let mut given: Vec<_> = (0..1_000).map(|_| lifetimes.of(&cached(None))).collect();
    assert!(given.iter().all(|given| (USUAL * 4 / 5..=USUAL * 6 / 5).contains(given)), "{given:?}");
    given.sort();
    given.dedup();
    assert!(given.len() > 100, "only {} of 1,000 differ", given.len());
}

#[test]
fn what_ends_by_itself_is_held_a_little_longer_than_until_then() {
    let lifetimes = Lifetimes::new(USUAL, clock_at(time(100)));
    for (end, held) in [(50, 5), (100, 5), (110, 15)] {
        assert_eq!(lifetimes.of(&cached(Some(time(end)))), Duration::from_secs(held), "{end}");
    }
    assert!(lifetimes.of(&cached(Some(time(10_000)))) <= USUAL * 6 / 5);
}
