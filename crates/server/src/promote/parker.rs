//! Sleep and wake without a lost wake-up.
//!
//! The sleeper says that it sleeps and then looks once more for a reason not to; the waker changes the reason and then looks for
//! a sleeper. With a SeqCst fence between the two steps on both sides, at least one of them sees the other (Dekker).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::sync::{AtomicBool, Ordering, fence};

/// A place to sleep, for one thread at a time.
#[derive(Debug)]
pub(crate) struct Parker {
    is_asleep: AtomicBool,
    slept_through: AtomicBool,
    thread: Mutex<Option<Thread>>,
}

impl Parker {
    pub(crate) fn new() -> Parker {
        Parker {
            is_asleep: AtomicBool::new(false),
            slept_through: AtomicBool::new(false),
            thread: Mutex::new(None),
        }
    }

    /// Sleeps until woken or for `at_most`, unless `reason_to_stay` holds. May return early.
    pub(crate) fn sleep(&self, at_most: Option<Duration>, reason_to_stay: impl FnOnce() -> bool) {
        *self.thread() = Some(std::thread::current());
        self.is_asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let mut slept_through = false;
        if !reason_to_stay() {
            match at_most {
                Some(time) => {
                    let began = Instant::now();
                    std::thread::park_timeout(time);
                    slept_through = began.elapsed() >= time;
                }
                None => std::thread::park(),
            }
        }
        self.slept_through.store(slept_through, Ordering::Relaxed);
        self.is_asleep.store(false, Ordering::Relaxed);
    }

    /// Whether the last sleep lasted for all of its time.
    pub(crate) fn slept_through(&self) -> bool {
        self.slept_through.load(Ordering::Relaxed)
    }

    /// Wakes the sleeper, if there is one. The reason for it must be stored before.
    pub(crate) fn wake(&self) {
        Parker::wake_all([self]);
    }

    /// As [`wake`](Parker::wake), for several at the price of one fence.
    pub(crate) fn wake_all<const N: usize>(parkers: [&Parker; N]) {
        fence(Ordering::SeqCst);
        for parker in parkers {
            if parker.is_asleep.load(Ordering::Relaxed)
                && let Some(thread) = &*parker.thread()
            {
                thread.unpark();
            }
        }
    }

    fn thread(&self) -> MutexGuard<'_, Option<Thread>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
