//! Whose step is next: by chance, and the same for the same seed.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, poll_fn};
use futures_util::task::noop_waker_ref;

/// More steps than any run takes, unless somebody waits for what never comes.
const MAX_STEPS: u64 = 2_000_000;

/// A source of chance that all share.
#[derive(Clone)]
pub(super) struct Chance(Arc<AtomicU64>);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seed)))
    }

    /// A number below `count`. SplitMix64.
    pub(super) fn below(&self, count: usize) -> usize {
        let state =
            self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed).wrapping_add(0x9E37_79B9_7F4A_7C15);
        let bits = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((bits ^ (bits >> 31)) % count as u64).unwrap()
    }

    /// Stops here, for one to four steps of this future.
    pub(super) async fn steps(&self) {
        self.stop_for(1 + self.below(4)).await;
    }

    /// Stops here for long.
    pub(super) async fn many_steps(&self) {
        self.stop_for(20 + self.below(200)).await;
    }

    async fn stop_for(&self, mut steps: usize) {
        poll_fn(|_| {
            if steps == 0 {
                return Poll::Ready(());
            }
            steps -= 1;
            Poll::Pending
        })
        .await;
    }
}

/// Polls one future after another, by chance, until all that were spawned have ended.
pub(super) struct Scheduler {
    chance: Chance,
    spawned: Vec<BoxFuture<'static, ()>>,
    background: Vec<BoxFuture<'static, ()>>,
}

impl Scheduler {
    pub(super) fn new(chance: Chance) -> Self {
        Self { chance, spawned: Vec::new(), background: Vec::new() }
    }

    pub(super) fn spawn(&mut self, future: impl Future<Output = ()> + Send + 'static) {
        self.spawned.push(future.boxed());
    }

    pub(super) fn in_background(&mut self, future: impl Future<Output = ()> + Send + 'static) {
        self.background.push(future.boxed());
    }

    pub(super) fn run(mut self) {
        self.run_while(|spawned| !spawned.is_empty());
    }

    pub(super) fn run_until(&mut self, condition: impl Fn() -> bool) {
        self.run_while(|_| !condition());
    }

    fn run_while(&mut self, condition: impl Fn(&[BoxFuture<'static, ()>]) -> bool) {
        let mut steps = 0;
        while condition(&self.spawned) {
            steps += 1;
            assert!(steps < MAX_STEPS, "somebody waits for what never comes");
            let next = self.chance.below(self.spawned.len() + self.background.len());
            match next.checked_sub(self.spawned.len()) {
                Some(background) => drop(step(&mut self.background[background])),
                None => {
                    if step(&mut self.spawned[next]).is_ready() {
                        drop(self.spawned.swap_remove(next));
                    }
                }
            }
        }
    }
}

/// Whoever is not ready is asked again in any case.
fn step(future: &mut BoxFuture<'static, ()>) -> Poll<()> {
    Pin::new(future).poll(&mut Context::from_waker(noop_waker_ref()))
}
