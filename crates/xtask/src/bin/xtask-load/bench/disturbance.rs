//! How much of the machine others used meanwhile: on a shared one, a figure without that can't be judged.

use std::fs;

use crate::Result;

/// Processor time of the machine and of the processes that belong to the bench, from one moment on.
pub(super) struct Meter {
    processes: Vec<u32>,
    machine: Machine,
    own: u64,
}

/// The first line of Linux's `/proc/stat`, in ticks. Interrupts are in the whole alone: they can't be told
/// apart by who causes them, and most of them are the bench's own network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Machine {
    whole: u64,
    /// Used by processes, or by other virtual machines on the same processor.
    used: u64,
}

impl Meter {
    /// Begins to measure; these processes and this one are not others.
    pub(super) fn start(processes: &[u32]) -> Result<Self> {
        let mut processes = processes.to_vec();
        processes.push(std::process::id());
        let (machine, own) = (machine()?, own(&processes)?);
        Ok(Self { processes, machine, own })
    }

    /// The share of the machine, 0 to 1, that others used since then.
    pub(super) fn share_of_others(&self) -> Result<f64> {
        let now = machine()?;
        let used = now.used.saturating_sub(self.machine.used);
        let others = used.saturating_sub(own(&self.processes)?.saturating_sub(self.own));
        let whole = now.whole.saturating_sub(self.machine.whole);
        Ok(others as f64 / whole.max(1) as f64)
    }
}

fn machine() -> Result<Machine> {
    Ok(read_machine(&fs::read_to_string("/proc/stat")?).ok_or("/proc/stat can't be read")?)
}

fn own(processes: &[u32]) -> Result<u64> {
    let mut sum = 0;
    for process in processes {
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        sum += read_process(&stat).ok_or("/proc/PID/stat can't be read")?;
    }
    Ok(sum)
}

fn read_machine(stat: &str) -> Option<Machine> {
    let ticks = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let ticks: Vec<u64> = ticks.map(str::parse).collect::<std::result::Result<_, _>>().ok()?;
    // Guests, the last two, are in the user's share already.
    let &[user, nice, system, idle, waiting, interrupts, soft_interrupts, stolen, ..] = &ticks[..] else {
        return None;
    };
    let used = user + nice + system + stolen;
    Some(Machine { whole: used + idle + waiting + interrupts + soft_interrupts, used })
}

/// User's and system's ticks of all threads; the name before them may hold anything.
fn read_process(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machines_ticks_are_read() {
        let stat = "cpu  100 20 30 400 50 6 7 8 9 10\ncpu0 1 2 3\n";
        assert_eq!(read_machine(stat), Some(Machine { whole: 621, used: 158 }));
        assert_eq!(read_machine("cpu  100 20"), None);
    }

    #[test]
    fn a_processs_ticks_are_read_behind_any_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0";
        assert_eq!(read_process(stat), Some(42));
        assert_eq!(read_process("7 (a"), None);
    }

    #[test]
    fn a_process_that_is_counted_as_own_is_not_another() {
        let meter = Meter::start(&[]).unwrap();
        assert!((0.0..=1.0).contains(&meter.share_of_others().unwrap()));
        assert!(Meter::start(&[u32::MAX]).is_err());
    }
}
