//! What must hold, and what did.

use std::fmt;
use std::time::Duration;

use xtask::servers::Server;

use super::record::{Kind, Record};
use super::settings::Settings;
use super::timeline::{Counts, Timeline};
use crate::drill::check::Faults;
use crate::drill::nodes::BOUND;

/// Within this time a write is answered while the database is away.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);
/// The least share of reads from the cache that are answered meanwhile.
const CACHED_READS: f64 = 0.999;
/// The least share of the speed before that is full speed again.
const FULL_SPEED: f64 = 0.8;

/// What did not hold.
#[derive(Debug, PartialEq)]
pub(super) enum Fault {
    /// There was too little of this, a second, to prove anything.
    Load(&'static str, f64),
    /// What is stored is not what was acknowledged: so many faults, the first of them.
    NotAsSent(usize, String),
    /// Nothing was refused while the database was away.
    NoOutage,
    /// A write was answered, or not, only after this time.
    SlowRefusal(Duration),
    /// So many requests of this kind had no answer, or one that is neither right nor a 503.
    Wrong(&'static str, u64),
    /// The share of reads from the cache that were answered during the outage.
    CachedReads(f64),
    /// The speed afterwards, as a share of that before.
    Slow(f64),
    /// So many requests failed although only a cache was away.
    Errors(u64),
    /// So many reads showed what was older than it may be.
    Stale(u64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(what, per_second) => write!(f, "{per_second:.0} {what} a second are too few"),
            Self::NotAsSent(count, first) => {
                write!(f, "{count} faults in what is stored, the first:\n{first}")
            }
            Self::NoOutage => f.write_str("no write was refused while the database was away"),
            Self::SlowRefusal(longest) => {
                write!(f, "a write had its answer after {:.3} s", longest.as_secs_f64())
            }
            Self::Wrong(what, count) => write!(f, "{count} {what} had no answer or a wrong one"),
            Self::CachedReads(share) => write!(f, "{:.3} % of cached reads were answered", share * 100.0),
            Self::Slow(share) => write!(f, "writes came back to {:.0} % of their speed", share * 100.0),
            Self::Errors(count) => write!(f, "{count} requests failed"),
            Self::Stale(count) => write!(f, "{count} reads were stale"),
        }
    }
}

/// Prints the figures, and judges them.
pub(super) fn judge(
    settings: &Settings,
    records: &[Record],
    timeline: &Timeline,
    stored: &Faults,
) -> Vec<Fault> {
    let Timeline { before, outage, after } = timeline;
    let whole = before.start..after.end;
    let of = |kinds: &[Kind], within| Counts::of(records, kinds, within);
    let (writes, cached) = (of(&[Kind::Write], outage), of(&[Kind::CachedRead], outage));
    let usual = of(&[Kind::Write], before).per_second(before);
    let usual_reads = of(&[Kind::CachedRead], before).per_second(before);
    let again = of(&[Kind::Write], after).per_second(after);
    let other = of(&[Kind::ReadAtOther], outage);
    println!("before: {usual:.0} writes/s, {usual_reads:.0} cached reads/s");
    println!("during {:.1} s: writes {writes}", (outage.end - outage.start).as_secs_f64());
    println!("  cached reads: {cached}: {:.3} % of all that were wanted", cached.good_share() * 100.0);
    println!("  reads of keys being written: {}", of(&[Kind::ReadAtWriter], outage));
    println!("  the same on the other node, {BOUND:?} behind at most: {other}");
    println!("after: {again:.0} writes/s ({:.0} %)", again / usual * 100.0);

    let mut faults = Vec::new();
    let mut expect = |holds: bool, fault: Fault| {
        if !holds {
            faults.push(fault);
        }
    };
    let least = settings.minimum as f64;
    expect(usual >= least, Fault::Load("writes", usual));
    expect(usual_reads >= least, Fault::Load("cached reads", usual_reads));
    expect(stored.count() == 0, Fault::NotAsSent(stored.count(), stored.text()));
    expect(again >= usual * FULL_SPEED, Fault::Slow(again / usual));
    // The node that writes knows at any time; the other one again once it hears.
    let healthy = outage.end + BOUND..after.end;
    let stale = of(&[Kind::ReadAtWriter, Kind::CachedRead], &whole).stale
        + of(&[Kind::ReadAtOther], before).stale
        + of(&[Kind::ReadAtOther], &healthy).stale;
    expect(stale == 0, Fault::Stale(stale));
    if settings.server == Server::Postgres {
        expect(writes.unavailable > 0, Fault::NoOutage);
        expect(writes.longest <= REFUSED_WITHIN, Fault::SlowRefusal(writes.longest));
        expect(writes.wrong + writes.broken == 0, Fault::Wrong("writes", writes.wrong + writes.broken));
        expect(cached.good_share() >= CACHED_READS, Fault::CachedReads(cached.good_share()));
        let [calm, again] = [before, after].map(|within| of(&ALL, within).bad());
        expect(calm + again == 0, Fault::Errors(calm + again));
    } else {
        let all = of(&ALL, &whole);
        expect(all.bad() == all.stale, Fault::Errors(all.bad() - all.stale));
    }
    faults
}

const ALL: [Kind; 4] = [Kind::Write, Kind::CachedRead, Kind::ReadAtWriter, Kind::ReadAtOther];

#[cfg(test)]
mod tests {
    use xtask::arguments::Arguments;

    use super::*;
    use crate::drill::outage::record::End;

    /// A second each of before, outage and after, with a request every millisecond of this kind and end.
    fn records(of: [(Kind, End); 3]) -> Vec<Record> {
        let second = |(second, (kind, end)): (u64, (Kind, End))| {
            (0..1000).map(move |ms| Record {
                kind,
                end,
                at: Duration::from_millis(second * 1000 + ms),
                took: Duration::from_millis(1),
            })
        };
        (0..).zip(of).flat_map(second).collect()
    }

    fn faults(server: &str, extra: &[Record]) -> Vec<Fault> {
        let arguments = ["--server", server, "--minimum", "1000"].map(str::to_owned);
        let settings = Settings::read(Arguments::new(arguments)).unwrap();
        let seconds = |from, to| Duration::from_secs(from)..Duration::from_secs(to);
        let timeline = Timeline { before: seconds(0, 1), outage: seconds(1, 2), after: seconds(2, 3) };
        let is_postgres = server == "postgres";
        let during = if is_postgres { End::Unavailable } else { End::Good };
        let mut all = records([(Kind::Write, End::Good), (Kind::Write, during), (Kind::Write, End::Good)]);
        all.extend(records([(Kind::CachedRead, End::Good); 3]));
        all.extend(extra);
        judge(&settings, &all, &timeline, &Faults::default())
    }

    fn record(kind: Kind, end: End, at_ms: u64, took_ms: u64) -> Record {
        Record { kind, end, at: Duration::from_millis(at_ms), took: Duration::from_millis(took_ms) }
    }

    #[test]
    fn an_outage_of_the_database_may_refuse_writes_in_time_and_nothing_else() {
        assert_eq!(faults("postgres", &[]), []);
        let slow = record(Kind::Write, End::Unavailable, 1500, 2001);
        assert_eq!(faults("postgres", &[slow]), [Fault::SlowRefusal(Duration::from_millis(2001))]);
        let broken = record(Kind::Write, End::Broken, 1500, 1);
        assert_eq!(faults("postgres", &[broken]), [Fault::Wrong("writes", 1)]);
        let refused = [record(Kind::CachedRead, End::Unavailable, 1500, 1); 2];
        assert!(matches!(faults("postgres", &refused)[..], [Fault::CachedReads(_)]));
        let late = record(Kind::CachedRead, End::Unavailable, 2500, 1);
        assert_eq!(faults("postgres", &[late]), [Fault::Errors(1)]);
    }

    #[test]
    fn an_outage_of_a_cache_may_not_be_noticed() {
        assert_eq!(faults("redis", &[]), []);
        for kind in ALL {
            let refused = record(kind, End::Unavailable, 1500, 1);
            assert_eq!(faults("memcached", &[refused]), [Fault::Errors(1)], "{kind:?}");
        }
    }

    #[test]
    fn a_stale_read_is_found_on_the_node_that_writes_at_any_time_and_on_the_other_while_it_hears() {
        let stale = |kind, at_ms| faults("redis", &[record(kind, End::Stale, at_ms, 1)]);
        assert_eq!(stale(Kind::ReadAtWriter, 1500), [Fault::Stale(1)]);
        assert_eq!(stale(Kind::ReadAtOther, 500), [Fault::Stale(1)]);
        assert_eq!(stale(Kind::ReadAtOther, 1500), []);
    }
}
