//! Times, as PostgreSQL counts them.

use diesel::data_types::PgTimestamp;
use tenantry_domain::Timestamp;

/// 2000-01-01T00:00:00Z, from which PostgreSQL counts, in microseconds since 1970. The years 0 to 9999 lie
/// well within what a `timestamptz` holds (4713 BC to 294276 AD), to the microsecond.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The time for a `timestamptz`.
pub(crate) fn to_moment(time: Timestamp) -> PgTimestamp {
    PgTimestamp(time.as_micros() - EPOCH_MICROS)
}

/// The time that a `timestamptz` holds.
pub(crate) fn from_moment(moment: PgTimestamp) -> Timestamp {
    Timestamp::from_micros(moment.0.saturating_add(EPOCH_MICROS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_back_as_it_was() {
        for micros in [i64::MIN, -1, 0, 1, EPOCH_MICROS, i64::MAX] {
            let time = Timestamp::from_micros(micros);
            assert_eq!(from_moment(to_moment(time)), time);
        }
        assert_eq!(to_moment(Timestamp::from_micros(EPOCH_MICROS + 7)), PgTimestamp(7));
    }
}
