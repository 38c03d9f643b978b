//! The load generator: over keep-alive connections, each answer checked. As a closed loop each connection sends its
//! next request when it has the answer to the last; at a pace, requests are sent when their time has come, whatever
//! became of those before, and latency counts from that time.
//!
//! It shares the machine with what it measures, so it is lean: a thread polls its share of the connections,
//! requests are copied from templates, and nothing is allocated for an answer.

mod connection;
mod pace;
#[cfg(test)]
mod tests;
mod worker;

use std::net::SocketAddr;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::Result;
use crate::http::Response;
use connection::Connection;
use pace::Pace;
use worker::{Part, Worker};

/// How long answers may be under way after the last request.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes the requests of one thread, and checks the answers.
pub(crate) trait Caller: Send {
    /// What is to be known of a request when its answer comes.
    type Ticket: Send;

    /// Writes the next request behind what stands in `request`; `None` when none is to be sent any more.
    fn request(&mut self, request: &mut Vec<u8>) -> Option<Self::Ticket>;

    /// Takes the answer.
    ///
    /// # Errors
    /// When it is not as it must be, which ends the load.
    fn answer(&mut self, ticket: Self::Ticket, response: &Response<'_, '_>) -> Result<()>;
}

/// How much load, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// The server.
    pub(crate) address: SocketAddr,
    /// Connections over all threads, each with one request under way at most.
    pub(crate) connections: usize,
    /// Before this much time has passed, nothing is measured.
    pub(crate) warm_up: Duration,
    /// How long to measure; no request is sent later than that.
    pub(crate) measured: Duration,
    /// So many requests a second over all threads; nothing for a closed loop.
    pub(crate) per_second: Option<u32>,
    /// Whether a connection that breaks is what the run is about. Else it is a failure.
    pub(crate) may_break: bool,
}

/// What came of a load.
pub(crate) struct Outcome<C> {
    /// The callers, with what they have noted.
    pub(crate) callers: Vec<C>,
    /// Answers over the whole run.
    pub(crate) answered: u64,
    /// Answers a second within the measured time.
    pub(crate) per_second: f64,
    /// Their latencies in microseconds.
    pub(crate) latency_us: Histogram<u64>,
}

/// Runs a load, with a thread for each caller.
///
/// # Errors
/// The first answer that is not as it must be, a connection that breaks, or an answer that does not come.
pub(crate) fn run<C: Caller>(load: &Load, callers: Vec<C>) -> Result<Outcome<C>> {
    let threads = callers.len();
    let mut workers = Vec::new();
    for (index, caller) in callers.into_iter().enumerate() {
        let share = load.connections / threads + usize::from(index < load.connections % threads);
        let connections = (0..share).map(|_| Connection::open(load.address));
        let pace = load.per_second.map(|per_second| Pace::new(per_second, threads, index));
        workers.push(Worker::new(caller, connections.collect::<Result<_>>()?, pace)?);
    }

    let start = Barrier::new(threads);
    let begun = Instant::now();
    let parts: Vec<Result<Part<C>>> = thread::scope(|scope| {
        let run = |worker: Worker<C>| {
            let start = &start;
            move || {
                start.wait();
                worker.run(load)
            }
        };
        let running: Vec<_> = workers.into_iter().map(|worker| scope.spawn(run(worker))).collect();
        let joined = running.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err("a thread of the load generator panicked".into()))
        });
        joined.collect()
    });
    let whole = begun.elapsed();

    let mut outcome =
        Outcome { callers: Vec::new(), answered: 0, per_second: 0.0, latency_us: Histogram::new(3)? };
    for part in parts {
        let part = part?;
        outcome.answered += part.answered;
        outcome.latency_us.add(&part.latency_us)?;
        outcome.callers.push(part.caller);
    }
    // A load that ended by itself, before its time, was measured for as long as it lasted.
    let measured = load.measured.min(whole.saturating_sub(load.warm_up));
    outcome.per_second = outcome.latency_us.len() as f64 / measured.as_secs_f64().max(f64::EPSILON);
    Ok(outcome)
}
