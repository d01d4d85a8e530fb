//! Puts a thread to sleep and wakes it. `drowse` is the protocol that loses no wake-up; here is the thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use super::drowse::Drowse;

/// A place to sleep, for one thread at a time.
#[derive(Debug)]
pub(crate) struct Parker {
    drowse: Drowse,
    /// It sleeps until it is woken, not for a time.
    is_deep: AtomicBool,
    slept_through: AtomicBool,
    thread: Mutex<Option<Thread>>,
}

impl Parker {
    pub(crate) fn new() -> Parker {
        Parker {
            drowse: Drowse::new(),
            is_deep: AtomicBool::new(false),
            slept_through: AtomicBool::new(false),
            thread: Mutex::new(None),
        }
    }

    /// Sleeps until woken or for `at_most`, unless `reason_to_stay` holds. May return early.
    pub(crate) fn sleep(&self, at_most: Option<Duration>, reason_to_stay: impl FnOnce() -> bool) {
        *self.thread() = Some(std::thread::current());
        let mut slept_through = false;
        // Before the fence in `may_sleep`, as the drowse's own flag.
        self.is_deep.store(at_most.is_none(), Ordering::Relaxed);
        if self.drowse.may_sleep(reason_to_stay) {
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
        self.drowse.wake_up();
    }

    /// Whether the last sleep lasted for all of its time.
    pub(crate) fn slept_through(&self) -> bool {
        self.slept_through.load(Ordering::Relaxed)
    }

    /// Wakes the sleeper, if there is one. The reason for it must be stored before.
    pub(crate) fn wake(&self) {
        Drowse::publish_reason();
        if self.drowse.is_asleep() {
            self.unpark();
        }
    }

    /// Wakes those of the sleepers that would not wake by themselves, at the price of one fence.
    pub(crate) fn stir<const N: usize>(parkers: [&Parker; N]) {
        Drowse::publish_reason();
        for parker in parkers {
            if parker.drowse.is_asleep() && parker.is_deep.load(Ordering::Relaxed) {
                parker.unpark();
            }
        }
    }

    fn unpark(&self) {
        if let Some(thread) = &*self.thread() {
            thread.unpark();
        }
    }

    fn thread(&self) -> MutexGuard<'_, Option<Thread>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
