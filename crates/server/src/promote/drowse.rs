//! Sleep and wake without a lost wake-up.
//!
//! The sleeper says that it sleeps and then looks once more for a reason not to; the waker changes the reason and then looks for
//! a sleeper. With a SeqCst fence between the two steps on both sides, at least one of them sees the other (Dekker). Fences, because loom
//! treats SeqCst accesses as AcqRel.

use crate::sync::{AtomicBool, Ordering, Step, fence, is_done};

/// Whether somebody sleeps, or is about to.
#[derive(Debug)]
pub(crate) struct Drowse {
    is_asleep: AtomicBool,
}

impl Drowse {
    pub(crate) fn new() -> Drowse {
        Drowse { is_asleep: AtomicBool::new(false) }
    }

    /// Says that the caller sleeps; true if it may, because nothing speaks for staying awake.
    pub(crate) fn may_sleep(&self, reason_to_stay: impl FnOnce() -> bool) -> bool {
        // Release: what the sleeper set up before is not overtaken by who finds it asleep.
        self.is_asleep.store(true, Ordering::Release);
        if is_done(Step::SleeperFence) {
            fence(Ordering::SeqCst);
        }
        !reason_to_stay()
    }

    /// The sleeper is awake.
    pub(crate) fn wake_up(&self) {
        self.is_asleep.store(false, Ordering::Relaxed);
    }

    /// The waker's fence, between the reason and the look for sleepers.
    pub(crate) fn publish_reason() {
        if is_done(Step::WakerFence) {
            fence(Ordering::SeqCst);
        }
    }

    /// Whether somebody has to be woken; after [`publish_reason`](Drowse::publish_reason).
    pub(crate) fn is_asleep(&self) -> bool {
        self.is_asleep.load(Ordering::Acquire)
    }
}
