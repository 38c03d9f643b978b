//! SQLite's write-ahead log as a file, for planting faults in it: see "WAL File Format" in SQLite's
//! `fileformat2.html`, section 4.

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The header's first four bytes; the last bit says how checksums are computed.
const MAGIC: u32 = 0x377F_0682;

/// Where to cut a log off so that the commit that first wrote `marker`, and all behind it, never happened.
/// `None` when no commit in the log wrote it.
///
/// Frames left over from before the log's last restart count as absent, as they do for SQLite: their salt is
/// another one. Checksums are not looked at.
#[must_use]
pub fn cut_before(log: &[u8], marker: &[u8]) -> Option<usize> {
    let page_size = usize::try_from(word(log, 8)?).ok()?;
    if word(log, 0)? & !1 != MAGIC || page_size < 512 || marker.is_empty() {
        return None;
    }
    let salt = log.get(16..24)?;
    let mut last_commit_end = HEADER;
    let mut marked_from = None;
    let mut start = HEADER;
    while let Some(frame) = log.get(start..start + FRAME_HEADER + page_size) {
        if frame.get(8..16) != Some(salt) {
            break;
        }
        if marked_from.is_none() && contains(frame, marker) {
            marked_from = Some(last_commit_end);
        }
        start += frame.len();
        let pages_after_commit = word(frame, 4)?;
        if pages_after_commit != 0 {
            if marked_from.is_some() {
                return marked_from;
            }
            last_commit_end = start;
        }
    }
    None
}

/// Whether `marker` stands somewhere in `bytes`.
#[must_use]
pub fn contains(bytes: &[u8], marker: &[u8]) -> bool {
    let Some((&first, rest)) = marker.split_first() else { return true };
    let mut from = 0;
    while let Some(place) = bytes.get(from..).and_then(|bytes| bytes.iter().position(|byte| *byte == first)) {
        from += place + 1;
        if bytes.get(from..).is_some_and(|bytes| bytes.starts_with(rest)) {
            return true;
        }
    }
    false
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes(word.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 512;
    const FRAME: usize = FRAME_HEADER + PAGE;

    fn log(frames: &[(bool, &str, [u8; 8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [MAGIC, 3_007_000, PAGE as u32, 0] {
            bytes.extend(word.to_be_bytes());
        }
        bytes.extend([7; 8]);
        bytes.extend([0; 8]);
        for (commits, text, salt) in frames {
            bytes.extend(1_u32.to_be_bytes());
            bytes.extend(u32::from(*commits).to_be_bytes());
            bytes.extend(salt);
            bytes.extend([0; 8]);
            let mut page = text.as_bytes().to_vec();
            page.resize(PAGE, 0);
            bytes.extend(page);
        }
        bytes
    }

    #[test]
    fn the_cut_is_at_the_end_of_the_commit_before() {
        let log = log(&[
            (true, "one", [7; 8]),
            (false, "two, first page", [7; 8]),
            (true, "two, second page", [7; 8]),
            (true, "two, first page, and three", [7; 8]),
        ]);
        assert_eq!(cut_before(&log, b"one"), Some(HEADER));
        assert_eq!(cut_before(&log, b"second"), Some(HEADER + FRAME));
        assert_eq!(cut_before(&log, b"three"), Some(HEADER + 3 * FRAME));
        assert_eq!(cut_before(&log, b"four"), None);
    }

    #[test]
    fn what_was_not_committed_or_is_left_over_does_not_count() {
        let uncommitted = log(&[(true, "one", [7; 8]), (false, "two", [7; 8])]);
        assert_eq!(cut_before(&uncommitted, b"two"), None);
        let left_over = log(&[(true, "one", [7; 8]), (true, "two", [6; 8])]);
        assert_eq!(cut_before(&left_over, b"two"), None);
    }

    #[test]
    fn what_is_no_log_is_left_alone() {
        assert_eq!(cut_before(b"", b"x"), None);
        assert_eq!(cut_before(&[0; 4096], b"x"), None);
    }

    #[test]
    fn a_marker_is_found_after_a_false_start() {
        assert!(contains(b"aab", b"ab"));
        assert!(contains(b"ab", b""));
        assert!(!contains(b"aa", b"ab"));
        assert!(!contains(b"", b"a"));
    }
}
