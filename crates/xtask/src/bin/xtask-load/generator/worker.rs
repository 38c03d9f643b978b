//! One thread of the load generator.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token};

use super::connection::{Arrived, Connection};
use super::pace::Pace;
use super::{Caller, Load, PATIENCE};
use crate::Result;
use crate::http::{MAX_HEADERS, Parsed, parse};

/// A share of the connections, and who makes their requests.
pub(super) struct Worker<C: Caller> {
    caller: C,
    poll: Poll,
    slots: Vec<Slot<C::Ticket>>,
    buffer: Vec<u8>,
    under_way: usize,
    answered: u64,
    latency_us: Histogram<u64>,
    measured: Option<(Instant, Instant)>,
    pace: Option<Pace>,
    /// Connections that wait for a request to be due.
    idle: Vec<usize>,
}

/// A connection, and the request under way on it.
struct Slot<T> {
    connection: Connection,
    pending: Option<(T, Instant)>,
}

/// What came of a worker's share.
pub(super) struct Part<C> {
    pub(super) caller: C,
    pub(super) answered: u64,
    pub(super) latency_us: Histogram<u64>,
}

impl<C: Caller> Worker<C> {
    pub(super) fn new(caller: C, connections: Vec<Connection>, pace: Option<Pace>) -> Result<Self> {
        let poll = Poll::new()?;
        let slots = connections.into_iter().map(|connection| Slot { connection, pending: None });
        let mut worker = Self {
            caller,
            poll,
            slots: slots.collect(),
            buffer: vec![0; 64 * 1024],
            under_way: 0,
            answered: 0,
            latency_us: Histogram::new(3)?,
            measured: None,
            pace,
            idle: Vec::new(),
        };
        for (index, slot) in worker.slots.iter_mut().enumerate() {
            let interest = Interest::READABLE | Interest::WRITABLE;
            worker.poll.registry().register(&mut slot.connection.stream, Token(index), interest)?;
        }
        Ok(worker)
    }

    /// Sends and receives until the time is over and every answer has come, or every connection is broken.
    pub(super) fn run(mut self, load: &Load) -> Result<Part<C>> {
        let measure_from = Instant::now() + load.warm_up;
        let stop = measure_from + load.measured;
        self.measured = Some((measure_from, stop));
        if let Some(pace) = &mut self.pace {
            pace.start(Instant::now());
        }
        for index in 0..self.slots.len() {
            self.attempt(index, load, Self::send)?;
        }

        let mut events = Events::with_capacity(self.slots.len().max(1));
        while self.under_way > 0 || self.is_to_send(stop) {
            if Instant::now() > stop + PATIENCE {
                return Err(format!("{} requests got no answer", self.under_way).into());
            }
            let wait = Duration::from_millis(if self.pace.is_some() { 1 } else { 100 });
            match self.poll.poll(&mut events, Some(wait)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
                _ => {}
            }
            for event in &events {
                let index = event.token().0;
                if event.is_writable() {
                    self.attempt(index, load, |worker, index| worker.slots[index].connection.write())?;
                }
                if event.is_readable() || event.is_error() || event.is_read_closed() {
                    self.attempt(index, load, Self::receive)?;
                }
            }
            self.send_due(load)?;
        }
        Ok(Part { caller: self.caller, answered: self.answered, latency_us: self.latency_us })
    }

    /// Does something with a connection; if it is broken by that, and may be, it is not used again.
    fn attempt(
        &mut self,
        index: usize,
        load: &Load,
        step: impl FnOnce(&mut Self, usize) -> Result<()>,
    ) -> Result<()> {
        match step(self, index) {
            Err(failure) if load.may_break && failure.is::<std::io::Error>() => {
                self.under_way -= usize::from(self.slots[index].pending.take().is_some());
                Ok(())
            }
            done => done,
        }
    }

    /// Whether a request will be due.
    fn is_to_send(&self, stop: Instant) -> bool {
        self.pace.is_some() && !self.idle.is_empty() && Instant::now() < stop
    }

    /// Sends what is due, as long as there are connections for it.
    fn send_due(&mut self, load: &Load) -> Result<()> {
        while let Some(index) = self.idle.pop() {
            let now = Instant::now();
            let Some(due) = self.pace.as_mut().and_then(|pace| pace.take_due(now)) else {
                self.idle.push(index);
                break;
            };
            self.attempt(index, load, |worker, index| worker.send_now(index, due))?;
        }
        Ok(())
    }

    /// The connection has nothing under way: its next request is sent, or waits until one is due.
    fn send(&mut self, index: usize) -> Result<()> {
        if self.pace.is_some() {
            self.idle.push(index);
            return Ok(());
        }
        self.send_now(index, Instant::now())
    }

    /// Sends a request whose latency counts from `now`.
    fn send_now(&mut self, index: usize, now: Instant) -> Result<()> {
        if self.measured.is_some_and(|(_, stop)| now >= stop) {
            return Ok(());
        }
        let slot = &mut self.slots[index];
        let Some(ticket) = self.caller.request(slot.connection.next_request()) else { return Ok(()) };
        slot.pending = Some((ticket, now));
        self.under_way += 1;
        slot.connection.write()
    }

    fn receive(&mut self, index: usize) -> Result<()> {
        let slot = &mut self.slots[index];
        let bytes = match slot.connection.read(&mut self.buffer)? {
            Arrived::Nothing => return Ok(()),
            Arrived::End if slot.pending.is_none() => return Ok(()),
            Arrived::End => {
                return Err(std::io::Error::new(ErrorKind::UnexpectedEof, "a connection was closed").into());
            }
            Arrived::Bytes(bytes) => bytes,
        };
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let (response, length) = match parse(bytes, &mut headers)? {
            Parsed::Whole { response, length } => (response, length),
            Parsed::Chunked { .. } => return Err("an answer in chunks is not expected under load".into()),
            Parsed::Partial => {
                let bytes = bytes.to_vec();
                slot.connection.keep(&bytes);
                return Ok(());
            }
        };
        if length != bytes.len() {
            return Err("there is more than the answer".into());
        }
        let now = Instant::now();
        let Some((ticket, sent)) = slot.pending.take() else { return Err("an answer to no request".into()) };
        self.under_way -= 1;
        self.caller.answer(ticket, &response)?;
        slot.connection.keep_nothing();
        self.answered += 1;
        if self.measured.is_some_and(|(from, stop)| now >= from && now < stop) {
            self.latency_us.record(u64::try_from((now - sent).as_micros())?.max(1))?;
        }
        self.send(index)
    }
}
