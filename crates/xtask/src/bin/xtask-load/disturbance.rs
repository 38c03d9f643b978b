//! How much of the machine others used meanwhile: on a shared one, a figure without that can't be judged.

use std::fs;

use crate::Result;
use crate::private::processor_ticks;

/// Processor time of the machine and of what is run here, which is this process and all that it has started, from one
/// moment on.
pub(crate) struct Meter {
    machine: Machine,
    own: u64,
}

/// The first line of Linux's `/proc/stat`, in ticks. Interrupts are in the whole alone: they can't be told
/// apart by who causes them, and most of them are our own network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Machine {
    whole: u64,
    /// Used by processes, or by other virtual machines on the same processor.
    used: u64,
}

impl Meter {
    /// Begins to measure.
    pub(crate) fn start() -> Result<Self> {
        Ok(Self { machine: machine()?, own: processor_ticks(std::process::id()) })
    }

    /// The share of the machine, 0 to 1, that others used since then.
    pub(crate) fn share_of_others(&self) -> Result<f64> {
        let now = machine()?;
        let used = now.used.saturating_sub(self.machine.used);
        let others = used.saturating_sub(processor_ticks(std::process::id()).saturating_sub(self.own));
        let whole = now.whole.saturating_sub(self.machine.whole);
        Ok(others as f64 / whole.max(1) as f64)
    }
}

fn machine() -> Result<Machine> {
    Ok(read_machine(&fs::read_to_string("/proc/stat")?).ok_or("/proc/stat can't be read")?)
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
    fn what_others_use_is_a_share() {
        let meter = Meter::start().unwrap();
        assert!((0.0..=1.0).contains(&meter.share_of_others().unwrap()));
    }
}
