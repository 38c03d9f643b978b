//! What must hold while the broker is away and when it is back, and what did.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::effects::{What, Wrong};
use super::stories::Story;
use crate::Result;
use crate::drill::check;
use crate::drill::outage::record::{Kind, Record};
use crate::drill::outage::settings::Settings;
use crate::drill::outage::timeline::{Counts, Timeline};

/// What is asked for until the broker is back has come to its end by so much later.
pub(super) const DRAINED_WITHIN: Duration = Duration::from_secs(30);

/// No answer takes longer: whoever asks for a run waits for the broker, but not for long.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// What a worker has when the broker goes it brings to its end.
const LAST_RUNS: Duration = Duration::from_secs(5);

/// Runs a second before, and runs that wait when the broker comes back, below which there was no load.
const LEAST_RUNS_A_SECOND: f64 = 2.0;
const LEAST_WAITING: usize = 50;

const KINDS: [(Kind, &str); 3] =
    [(Kind::Write, "writes"), (Kind::RunRequest, "requests for runs"), (Kind::RunRead, "reads of runs")];

/// What did not hold.
#[derive(Debug, PartialEq)]
pub(super) enum Fault {
    /// There was too little of this, a second or in all, to prove anything.
    Load(&'static str, f64),
    /// Runs ended although the broker was away: it was not needed.
    NoOutage(usize),
    /// So many requests of this kind were not answered as they should be.
    Errors(&'static str, u64),
    /// A request was answered only after this time.
    Slow(Duration),
    /// What is stored is not what was acknowledged: so many faults, the first of them.
    NotAsSent(usize, String),
    /// So many runs that waited had not ended in time.
    Backlog(usize),
    /// What is wrong with runs and their effects.
    Wrong(Wrong),
    /// So many messages stand in that queue in the end.
    Left(String, u64),
}

impl Fault {
    pub(super) fn is_lost_run(&self) -> bool {
        matches!(self, Self::Wrong(Wrong { what: What::Lost(_), .. }))
    }

    pub(super) fn is_doubled_effect(&self) -> bool {
        matches!(self, Self::Wrong(Wrong { what: What::Effects { .. }, .. }))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(what, found) => write!(f, "{found:.1} {what} are too few"),
            Self::NoOutage(runs) => write!(f, "{runs} runs ended while the broker was away"),
            Self::Errors(what, count) => write!(f, "{count} {what} failed"),
            Self::Slow(longest) => write!(f, "an answer took {:.3} s", longest.as_secs_f64()),
            Self::NotAsSent(count, first) => {
                write!(f, "{count} faults in what is stored, the first:\n{first}")
            }
            Self::Backlog(runs) => {
                write!(
                    f,
                    "{runs} runs had not ended {} s after the broker was back",
                    DRAINED_WITHIN.as_secs()
                )
            }
            Self::Wrong(wrong) => wrong.fmt(f),
            Self::Left(queue, messages) => write!(f, "{messages} messages are left in {queue}"),
        }
    }
}

/// What is judged.
pub(super) struct Evidence<'a> {
    pub(super) records: &'a [Record],
    pub(super) timeline: &'a Timeline,
    /// When the load began, by the clock.
    pub(super) begun_at: SystemTime,
    pub(super) stories: &'a [Story],
    pub(super) wrong: Vec<Wrong>,
    pub(super) stored: &'a check::Faults,
    /// Queues in which something stands that must be empty.
    pub(super) left: Vec<(String, u64)>,
}

/// Prints the figures, and judges them.
pub(super) fn judge(settings: &Settings, evidence: Evidence<'_>) -> Result<Vec<Fault>> {
    let Evidence { records, timeline, begun_at, stories, wrong, stored, left } = evidence;
    let Timeline { before, outage, after } = timeline;
    let runs = Runs::of(stories, begun_at, timeline)?;
    let usual = Counts::of(records, &[Kind::Write], before).per_second(before);
    let usual_runs = runs.before as f64 / (before.end - before.start).as_secs_f64();
    println!("before: {usual:.0} writes/s, {usual_runs:.1} runs/s");
    println!("during {:.1} s:", (outage.end - outage.start).as_secs_f64());
    for (kind, what) in KINDS {
        println!("  {what}: {}", Counts::of(records, &[kind], outage));
    }
    println!(
        "after: {} runs had waited, all of which ended within {:.1} s; of {} runs in all {} fetches were made",
        runs.waiting,
        runs.drained.as_secs_f64(),
        runs.all,
        stories.iter().map(|story| story.fetches).sum::<u64>()
    );

    let mut faults = Vec::new();
    let mut expect = |holds: bool, fault: Fault| {
        if !holds {
            faults.push(fault);
        }
    };
    expect(usual >= settings.minimum as f64, Fault::Load("writes a second", usual));
    expect(usual_runs >= LEAST_RUNS_A_SECOND, Fault::Load("runs a second", usual_runs));
    expect(runs.waiting >= LEAST_WAITING, Fault::Load("runs that waited", runs.waiting as f64));
    expect(runs.during == 0, Fault::NoOutage(runs.during));
    let whole = Duration::ZERO..after.end;
    for (kind, what) in KINDS {
        let counts = Counts::of(records, &[kind], &whole);
        expect(counts.bad() == 0, Fault::Errors(what, counts.bad()));
        expect(counts.longest <= ANSWERED_WITHIN, Fault::Slow(counts.longest));
    }
    expect(stored.count() == 0, Fault::NotAsSent(stored.count(), stored.text()));
    expect(runs.late == 0, Fault::Backlog(runs.late));
    faults.extend(wrong.into_iter().map(Fault::Wrong));
    faults.extend(left.into_iter().map(|(queue, messages)| Fault::Left(queue, messages)));
    Ok(faults)
}

/// When the runs ended.
#[derive(Debug, Default, PartialEq, Eq)]
struct Runs {
    all: usize,
    /// In the usual state, while it was measured.
    before: usize,
    /// While the broker was away, but for the last that workers had.
    during: usize,
    /// Asked for before the broker was back, and not ended then.
    waiting: usize,
    /// How long after its return the last of them ended.
    drained: Duration,
    /// How many of them had not ended in time.
    late: usize,
}

impl Runs {
    fn of(stories: &[Story], begun_at: SystemTime, timeline: &Timeline) -> Result<Self> {
        let at = |moment: Duration| begun_at + moment;
        let back = at(timeline.outage.end);
        let mut runs = Self::default();
        for run in stories.iter().flat_map(|story| &story.runs) {
            runs.all += 1;
            let (queued, finished) = (run.queued()?, run.finished()?);
            let ended_within = |from, to| finished.is_some_and(|finished| finished >= from && finished < to);
            runs.before += usize::from(ended_within(at(timeline.before.start), at(timeline.before.end)));
            runs.during += usize::from(ended_within(at(timeline.outage.start + LAST_RUNS), back));
            if queued < back && finished.is_none_or(|finished| finished >= back) {
                runs.waiting += 1;
                let took = finished.and_then(|finished| finished.duration_since(back).ok());
                runs.late += usize::from(took.is_none_or(|took| took > DRAINED_WITHIN));
                runs.drained = runs.drained.max(took.unwrap_or(Duration::MAX));
            }
        }
        Ok(runs)
    }
}

#[cfg(test)]
mod tests {
    use super::super::stories::Run;
    use super::*;
    use crate::moment;

    fn run(queued: &str, finished: Option<&str>) -> Run {
        let time = |second: &str| format!("2026-11-26T10:{second}.000000Z");
        Run {
            id: String::new(),
            outcome: finished.map(|_| "succeeded".to_owned()),
            queued_at: time(queued),
            finished_at: finished.map(time),
            detail: None,
            plans_new: 0,
            plans_changed: 0,
            plans_unchanged: 0,
            plans_left_sale: 0,
        }
    }

    #[test]
    fn runs_are_told_apart_by_when_they_were_asked_for_and_ended() {
        let seconds = |from, to| Duration::from_secs(from)..Duration::from_secs(to);
        let timeline = Timeline { before: seconds(5, 15), outage: seconds(15, 45), after: seconds(45, 75) };
        let begun_at = moment::read("2026-11-26T10:00:00.000000Z").unwrap();
        let ended = |queued, finished| run(queued, Some(finished));
        let story = Story {
            runs: vec![
                ended("00:01", "00:04"),
                ended("00:04", "00:05"),
                ended("00:14", "00:19"),
                ended("00:15", "00:30"),
                ended("00:30", "00:52"),
                ended("00:31", "01:16"),
                ended("00:46", "02:00"),
            ],
            ..Story::default()
        };
        let runs = Runs::of(&[story], begun_at, &timeline).unwrap();
        let drained = Duration::from_secs(31);
        assert_eq!(runs, Runs { all: 7, before: 1, during: 1, waiting: 2, drained, late: 1 });

        let open = Story { runs: vec![run("00:31", None)], ..Story::default() };
        let runs = Runs::of(&[open], begun_at, &timeline).unwrap();
        assert_eq!((runs.waiting, runs.late), (1, 1));
    }
}
