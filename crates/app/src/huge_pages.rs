//! Huge pages of memory, once there is much of it.
//!
//! A cache of many small values is read all over: with pages of 4 KiB nearly every read also misses the
//! processor's table of pages. With huge pages from the start a cached key-value was read a twentieth faster. But each
//! thread's first bytes then take a huge page of their own, 20 MiB for a program that idles. So they are held
//! back until the program has grown. On systems other than Linux nothing of this happens.

/// The program counts as grown from this many bytes of memory of its own on: pages of files, its own code above all, are
/// not among them. Idle it has a third of it.
#[cfg(target_os = "linux")]
const GROWN_BYTES: u64 = 16 << 20;

/// Holds huge pages back, for the whole process. To be called before threads are started.
pub(crate) fn hold_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "huge pages are not held back");
    }
}

/// Lets them be used if the program has grown; whether that is settled now.
pub(crate) fn allow_if_grown() -> bool {
    #[cfg(target_os = "linux")]
    {
        if anonymous_bytes().is_some_and(|bytes| bytes < GROWN_BYTES) {
            return false;
        }
        if let Err(error) = rustix::thread::disable_transparent_huge_pages(false) {
            tracing::debug!(%error, "huge pages stay held back");
        }
    }
    true
}

/// How much resident memory the process has that is no file's; nothing where the system does not say. See proc(5),
/// `/proc/PID/statm`.
#[cfg(target_os = "linux")]
fn anonymous_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = statm.split_whitespace().skip(1).map(str::parse::<u64>);
    let (resident, of_files) = (pages.next()?.ok()?, pages.next()?.ok()?);
    Some(resident.saturating_sub(of_files) * rustix::param::page_size() as u64)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_system_says_how_much_memory_there_is() {
        const MORE: usize = 64 << 20;
        let before = anonymous_bytes().unwrap();
        let more = vec![1_u8; MORE];
        let after = anonymous_bytes().unwrap();
        assert!(after >= before + MORE as u64 / 2, "{before} {after}");
        drop(more);
    }

    #[test]
    fn a_program_that_has_grown_is_let_use_them() {
        hold_back();
        let grown = vec![1_u8; 2 * GROWN_BYTES as usize];
        assert!(allow_if_grown());
        assert!(!rustix::thread::transparent_huge_pages_are_disabled().unwrap());
        drop(grown);
    }
}
