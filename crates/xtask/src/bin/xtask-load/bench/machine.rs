//! What the figures were measured on, and what was measured.

use std::fs;
use std::process::Command;

use xtask::workspace;

/// A sentence on the machine: processor, cores, memory, kernel.
pub(super) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "processor unknown".to_owned());
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|total| total.trim_end_matches("kB").trim().parse::<f64>().ok())
        .map_or_else(|| "memory unknown".to_owned(), |kib| format!("{:.1} GiB", kib / (1024.0 * 1024.0)));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_else(|_| "unknown".to_owned());
    format!("{model}, {cores} cores, {memory} of memory, Linux {}", kernel.trim())
}

/// The commit that was measured, and whether something had been changed since.
pub(super) fn commit() -> String {
    let hash = git(&["rev-parse", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    let changes = git(&["status", "--porcelain", "--", ".", ":!docs/benchmarks.md"]).unwrap_or_default();
    if changes.is_empty() { hash } else { format!("{hash}, with changes that were not committed") }
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).current_dir(workspace::root().ok()?).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let (_, value) =
        text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}
