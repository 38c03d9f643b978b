//! Whether there is touch with a cache's server, and what is believed of what it holds.
//!
//! A link is *down*, *joining* or *up*. While it is joining, changes are sent already, but nothing is read: the
//! new generation begins in between. So a change that was lost was lost before the new generation began, and what
//! is believed afterwards was stored by somebody who read storage after that change. A change that is lost while
//! the link is joining, or up, takes it down again.

#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The touch with one server, over connections of type `C`.
pub struct Link<C> {
    state: Mutex<State<C>>,
    pub(crate) trouble: Notify,
    pub(crate) recheck: Notify,
}

struct State<C> {
    connection: Option<C>,
    is_up: bool,
    /// The newest that is known: what is older is not believed.
    generation: u64,
    /// How often the link has gone down.
    epoch: u64,
}

/// A connection to be used once, and what holds for that.
#[derive(Debug, Clone)]
pub struct Touch<C> {
    /// The connection.
    pub connection: C,
    /// The generation in which to store, and below which nothing is believed.
    pub generation: u64,
    pub(crate) epoch: u64,
}

impl<C: Clone> Link<C> {
    /// A link that is down.
    #[must_use]
    pub fn new() -> Self {
        let state = State { connection: None, is_up: false, generation: 0, epoch: 0 };
        Self { state: Mutex::new(state), trouble: Notify::new(), recheck: Notify::new() }
    }

    /// To read with; nothing while the link is not up.
    #[must_use]
    pub fn to_read(&self) -> Option<Touch<C>> {
        let state = self.lock();
        state.is_up.then(|| state.touch())?
    }

    /// To send changes with; nothing while the link is down.
    #[must_use]
    pub fn to_change(&self) -> Option<Touch<C>> {
        self.lock().touch()
    }

    /// Whether what is held is believed.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.lock().is_up
    }

    /// A read failed: the link goes down, unless it already did since.
    pub fn read_failed(&self, touch: &Touch<C>) {
        let mut state = self.lock();
        if state.epoch == touch.epoch {
            self.take_down(&mut state);
        }
    }

    /// A change was lost: the link goes down, also where it has come back since, for its new generation may have
    /// begun before this change.
    pub fn change_lost(&self) {
        self.take_down(&mut self.lock());
    }

    /// Another node may have begun a new generation.
    pub fn recheck(&self) {
        self.recheck.notify_one();
    }

    /// Changes are sent over this connection from now on.
    pub(crate) fn joining(&self, connection: C) -> Touch<C> {
        let mut state = self.lock();
        state.connection = Some(connection.clone());
        Touch { connection, generation: state.generation, epoch: state.epoch }
    }

    /// The generation has begun since `touch`: the link is up, unless a change was lost since. Whether it is.
    #[must_use]
    pub(crate) fn up(&self, touch: &Touch<C>, generation: u64) -> bool {
        let mut state = self.lock();
        if state.epoch != touch.epoch {
            return false;
        }
        state.is_up = true;
        state.generation = generation;
        true
    }

    /// Another node has begun this generation.
    pub(crate) fn met(&self, generation: u64) {
        let mut state = self.lock();
        state.generation = state.generation.max(generation);
    }

    pub(crate) fn down(&self) {
        self.take_down(&mut self.lock());
    }

    fn take_down(&self, state: &mut State<C>) {
        state.connection = None;
        state.is_up = false;
        state.epoch += 1;
        self.trouble.notify_one();
    }

    /// No code that can panic runs between two changes of the state.
    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Clone> Default for Link<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Clone> State<C> {
    fn touch(&self) -> Option<Touch<C>> {
        let connection = self.connection.clone()?;
        Some(Touch { connection, generation: self.generation, epoch: self.epoch })
    }
}
