//! Those who ask for runs, and look at what they were told of.

use std::thread;
use std::time::Duration;

use serde::Deserialize;
use xtask::random::Random;

use super::stand::Feed;
use crate::drill::outage::clients::Caller;
use crate::drill::outage::record::{End, Kind, Record};

/// Between two requests of one client.
const PAUSE: Duration = Duration::from_millis(250);

/// A run that was answered to whoever asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// Of the feed of that number.
    pub(super) feed: usize,
    /// The run.
    pub(super) run: String,
}

#[derive(Deserialize)]
struct Run {
    id: String,
}

/// Asks for runs of those feeds that the timer leaves alone, until told to stop.
pub(super) fn ask(mut caller: Caller<'_>, mut random: Random, feeds: &[Feed]) -> (Vec<Record>, Vec<Asked>) {
    let on_demand: Vec<&Feed> = feeds.iter().filter(|feed| !feed.is_timed).collect();
    let mut asked = Vec::new();
    while caller.is_to_go_on() {
        let feed = on_demand[random.below(on_demand.len() as u64) as usize];
        let mut run = None;
        caller.call(
            Kind::RunRequest,
            |client| client.post(&feed.path("/runs"), ""),
            |answer| {
                let is_open = answer.status == 200;
                run = answer.json::<Run>(if is_open { 200 } else { 202 }).ok().map(|run| run.id);
                if run.is_some() { End::Good } else { End::Wrong }
            },
        );
        if let Some(run) = run {
            let path = feed.path(&format!("/runs/{run}"));
            caller.call(
                Kind::RunRead,
                |client| client.get(&path),
                |answer| match answer.json::<Run>(200) {
                    Ok(found) if found.id == run => End::Good,
                    _ => End::Wrong,
                },
            );
            asked.push(Asked { feed: feed.number, run });
        }
        thread::sleep(PAUSE);
    }
    (caller.finish(), asked)
}
