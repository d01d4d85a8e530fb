//! Sends what handlers have handed over, while they make the next block.
//!
//! Blocks that follow on each other's heels wait in their connection's slot and leave together: a system call and a segment for each cost
//! more than to make it. PEP 3333 ("Buffering and Streaming", the second of its three ways) allows that where a different thread goes on
//! transmitting whatever the application does. The courier is that thread. It needs neither the loop nor the interpreter lock, and so
//! nothing that a handler does can hold it up.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::slot::Slot;

/// A block waits no longer than two of these. Most are gone by then, with those that came after them.
const ROUND: Duration = Duration::from_millis(1);

/// Where the courier is told who waits.
#[derive(Debug, Default)]
pub(crate) struct Courier {
    book: Mutex<Book>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Book {
    waiting: Vec<Arc<Slot>>,
    is_asleep: bool,
    is_over: bool,
}

impl Courier {
    /// Something waits here.
    pub(crate) fn call(&self, slot: Arc<Slot>) {
        let mut book = self.book();
        book.waiting.push(slot);
        if book.is_asleep {
            self.changed.notify_all();
        }
    }

    /// There is nothing more to do.
    pub(crate) fn dismiss(&self) {
        self.book().is_over = true;
        self.changed.notify_all();
    }

    /// Waits until something waits; false if nothing will.
    fn wait(&self) -> bool {
        let mut book = self.book();
        while book.waiting.is_empty() && !book.is_over {
            book.is_asleep = true;
            book = self.changed.wait(book).unwrap_or_else(PoisonError::into_inner);
            book.is_asleep = false;
        }
        !book.waiting.is_empty()
    }

    /// Moves who waits into `round`. Says whether that is anybody.
    fn take_all(&self, round: &mut Vec<Arc<Slot>>) -> bool {
        round.append(&mut self.book().waiting);
        !round.is_empty()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The courier's life.
pub(crate) fn deliver(courier: &Courier) {
    let mut round = Vec::new();
    while courier.wait() {
        // Sleeps without being called as long as there is something each time.
        while courier.take_all(&mut round) {
            std::thread::sleep(ROUND);
            for slot in round.drain(..) {
                slot.send_held();
            }
        }
    }
}
