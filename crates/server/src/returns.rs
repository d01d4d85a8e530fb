//! The return queue: exchanges whose thread lost the loop come home through it.
//!
//! Many threads push, the loop's owner takes all. A push into an empty queue asks for the doorbell to be rung, so a burst of returns
//! costs one wake-up.

use crate::sync::{Mutex, Step, is_done, lock};

/// A many-to-one queue.
#[derive(Debug)]
pub(crate) struct ReturnQueue<T> {
    waiting: Mutex<Vec<T>>,
}

impl<T> ReturnQueue<T> {
    pub(crate) fn new() -> ReturnQueue<T> {
        ReturnQueue { waiting: Mutex::new(Vec::new()) }
    }

    /// Adds one. True if the queue was empty: the caller must then wake the loop.
    #[must_use]
    pub(crate) fn push(&self, item: T) -> bool {
        let mut waiting = lock(&self.waiting);
        waiting.push(item);
        waiting.len() == 1 && is_done(Step::RingOnPush)
    }

    /// Moves everything that waits to the end of `into`.
    pub(crate) fn take_all(&self, into: &mut Vec<T>) {
        into.append(&mut lock(&self.waiting));
    }
}
