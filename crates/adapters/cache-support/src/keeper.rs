//! Keeps a link up.

#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tenantry_ports::SharedCacheListener;
use tokio::time::timeout;

use crate::link::Link;

/// How often to look for a generation that another node has begun, and whether the server is there.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// How long to wait before another attempt to connect: the first time, and at most.
const FIRST_BACK_OFF: Duration = Duration::from_millis(50);
const LAST_BACK_OFF: Duration = Duration::from_secs(1);

/// How long the server may take.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// To take a connection, and begin a generation on it.
    pub connect: Duration,
    /// To answer.
    pub answer: Duration,
}

/// A cache's server, as far as it takes to keep a link with it. Why something failed must not hold a password.
pub trait Peer: Send + Sync {
    /// A connection; its clones are the same connection.
    type Connection: Clone + Send + Sync;

    /// The server's name in the log, without a password.
    fn name(&self) -> String;

    /// Connects.
    fn connect(&self) -> impl Future<Output = Result<Self::Connection, String>> + Send;

    /// Begins a generation: one more than the one that is current, and at least this.
    fn begin_generation(
        &self,
        connection: &Self::Connection,
        at_least: u64,
    ) -> impl Future<Output = Result<u64, String>> + Send;

    /// The current generation, if the server knows any.
    fn generation(
        &self,
        connection: &Self::Connection,
    ) -> impl Future<Output = Result<Option<u64>, String>> + Send;
}

/// Keeps the link up, as long as it is polled.
pub async fn keep<P: Peer>(
    link: &Link<P::Connection>,
    peer: &P,
    times: Times,
    listener: &dyn SharedCacheListener,
) {
    let mut back_off = FIRST_BACK_OFF;
    let mut is_told = false;
    loop {
        let joined = timeout(times.connect, join(link, peer)).await;
        let fault = match joined.unwrap_or_else(|_| Err("it does not answer in time".to_owned())) {
            Ok(()) => {
                listener.began_generation();
                tracing::info!(cache = peer.name(), "the shared cache is up");
                (back_off, is_told) = (FIRST_BACK_OFF, false);
                watch(link, peer, times, listener).await
            }
            Err(fault) => fault,
        };
        link.down();
        if !is_told {
            tracing::warn!(cache = peer.name(), %fault, "the shared cache is down, and is passed by");
            is_told = true;
        }
        tokio::time::sleep(back_off).await;
        back_off = (back_off * 2).min(LAST_BACK_OFF);
    }
}

async fn join<P: Peer>(link: &Link<P::Connection>, peer: &P) -> Result<(), String> {
    let connection = peer.connect().await?;
    let touch = link.joining(connection);
    // The time of day keeps generations rising where the server has forgotten the last one.
    let at_least = (touch.generation + 1).max(now_ms());
    let generation = peer.begin_generation(&touch.connection, at_least).await?;
    if link.up(&touch, generation) { Ok(()) } else { Err("a change was lost".to_owned()) }
}

/// Looks after a link that is up. Answers why it is not any more.
async fn watch<P: Peer>(
    link: &Link<P::Connection>,
    peer: &P,
    times: Times,
    listener: &dyn SharedCacheListener,
) -> String {
    loop {
        tokio::select! {
            () = link.trouble.notified() => {}
            () = link.recheck.notified() => {}
            () = tokio::time::sleep(HEARTBEAT) => {}
        }
        let Some(touch) = link.to_read() else { return "it failed or did not answer in time".to_owned() };
        match timeout(times.answer, peer.generation(&touch.connection)).await {
            Ok(Ok(Some(current))) if current >= touch.generation => {
                if current > touch.generation {
                    link.met(current);
                    listener.met_generation();
                }
            }
            Ok(Ok(_)) => return "it has forgotten its generation".to_owned(),
            Ok(Err(fault)) => return fault,
            Err(_) => return "it does not answer in time".to_owned(),
        }
    }
}

fn now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

/// Connects once, and answers the current generation, if the server knows any. Changes nothing.
///
/// # Errors
/// Why the server could not be used, or that it does not answer in time.
pub async fn look<P: Peer>(peer: &P, times: Times) -> Result<Option<u64>, String> {
    let late = |_| "it does not answer in time".to_owned();
    let connection = timeout(times.connect, peer.connect()).await.map_err(late)??;
    timeout(times.answer, peer.generation(&connection)).await.map_err(late)?
}
