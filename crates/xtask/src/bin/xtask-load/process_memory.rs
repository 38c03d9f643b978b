//! What a process holds in memory, as Linux's `/proc` tells.

use std::fs;

use crate::Result;

/// Its resident memory now, in MiB.
pub(crate) fn resident_mib(process_id: u32) -> Result<f64> {
    read(process_id, "VmRSS:")
}

/// The highest resident memory so far, or since it was [forgotten](forget_peak), in MiB.
pub(crate) fn peak_mib(process_id: u32) -> Result<f64> {
    read(process_id, "VmHWM:")
}

/// Lets the highest resident memory begin anew (`proc_pid_clear_refs(5)`).
pub(crate) fn forget_peak(process_id: u32) -> Result<()> {
    Ok(fs::write(format!("/proc/{process_id}/clear_refs"), "5")?)
}

fn read(process_id: u32, field: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process_id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let line = line.ok_or_else(|| format!("there is no {field}"))?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}

#[test]
fn a_peak_is_no_lower_than_what_is_resident() {
    let own = std::process::id();
    forget_peak(own).unwrap();
    let peak = peak_mib(own).unwrap();
    assert!(peak > 0.0 && resident_mib(own).unwrap() <= peak_mib(own).unwrap());
}
