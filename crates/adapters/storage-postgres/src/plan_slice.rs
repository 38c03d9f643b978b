//! Many plans, a slice after the other.
//!
//! Whoever waits for the database looks whether it still says anything, and one statement over a hundred thousand rows
//! would be silent for too long. Ids of plans are hashes and lie evenly, so slices of their range are about as large.

use uuid::Uuid;

/// How many plans a statement changes, about.
const SLICE: u64 = 4096;

/// The most slices: one for each first byte of an id.
const MAX_SLICES: u64 = 256;

/// Conditions on `id` that together hold for every plan, and each for a slice of about as many.
pub(crate) fn slices(plans: u64) -> impl Iterator<Item = String> {
    let count = (plans / SLICE + 1).next_power_of_two().min(MAX_SLICES);
    let width = MAX_SLICES / count;
    (0..count).map(move |slice| {
        let start = |slice: u64| Uuid::from_u128(u128::from(slice * width) << 120);
        let low = format!("id >= '{}'", start(slice));
        if slice + 1 == count { low } else { format!("{low} AND id < '{}'", start(slice + 1)) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_lie_one_behind_the_other_and_leave_nothing_out() {
        assert_eq!(slices(0).collect::<Vec<_>>(), ["id >= '00000000-0000-0000-0000-000000000000'"]);
        let two: Vec<_> = slices(SLICE).collect();
        assert_eq!(
            two,
            [
                "id >= '00000000-0000-0000-0000-000000000000' AND id < '80000000-0000-0000-0000-000000000000'",
                "id >= '80000000-0000-0000-0000-000000000000'"
            ]
        );
        assert_eq!(slices(100_000).count(), 32);
        assert_eq!(slices(u64::MAX).count(), 256);
        assert!(slices(u64::MAX).last().is_some_and(|last| last.starts_with("id >= 'ff00")));
    }
}
