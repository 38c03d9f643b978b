//! A process with all that it has started, as Linux's `/proc` tells.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Result;

/// How long killed processes may take to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// What `/proc/PID/stat` says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    parent: u32,
    is_dead: bool,
    /// Processor time in ticks, that of children which have been waited for included.
    ticks: u64,
}

/// This process and its descendants, it first.
pub(super) fn tree(root: u32) -> Vec<u32> {
    let all: Vec<(u32, Stat)> = processes().collect();
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(parent) = tree.get(next).copied() {
        tree.extend(all.iter().filter(|(_, stat)| stat.parent == parent).map(|(process, _)| *process));
        next += 1;
    }
    tree
}

/// Sends a signal to each of these; one that has ended meanwhile is passed over.
pub(super) fn signal(processes: &[u32], signal: Signal) {
    for process in processes {
        if let Some(pid) = i32::try_from(*process).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    }
}

/// Whether it runs, or could if it were not frozen.
pub(super) fn runs(process: u32) -> bool {
    stat(process).is_some_and(|stat| !stat.is_dead)
}

/// Waits until none of these runs.
pub(super) fn wait_until_gone(processes: &[u32]) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while processes.iter().any(|process| runs(*process)) {
        if Instant::now() > end {
            return Err("a killed server's processes still run".into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// The processor time, in ticks, that this process and its descendants have used so far, those that have ended
/// included.
pub(crate) fn processor_ticks(root: u32) -> u64 {
    tree(root).into_iter().filter_map(stat).map(|stat| stat.ticks).sum()
}

fn processes() -> impl Iterator<Item = (u32, Stat)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let process = entry.file_name().to_str()?.parse().ok()?;
        Some((process, stat(process)?))
    })
}

fn stat(process: u32) -> Option<Stat> {
    read(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// The name in brackets may hold anything.
fn read(stat: &str) -> Option<Stat> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().map(|field| field.parse::<u64>().ok());
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        is_dead: matches!(*fields.first()?, "Z" | "X"),
        ticks: ticks.sum::<Option<u64>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_behind_any_name() {
        let line = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 30 12 5 2 20 0";
        assert_eq!(read(line), Some(Stat { parent: 1, is_dead: false, ticks: 49 }));
        assert_eq!(read("7 (a) Z 1 2"), None);
    }

    #[test]
    fn a_child_belongs_to_the_tree_until_it_is_gone() {
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        assert!(tree(std::process::id()).contains(&child.id()));
        signal(&[child.id()], Signal::KILL);
        wait_until_gone(&[child.id()]).unwrap();
        child.wait().unwrap();
        assert!(!tree(std::process::id()).contains(&child.id()));
    }
}
