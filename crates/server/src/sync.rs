//! The synchronisation primitives of the modules that loom checks, under one name for both worlds.

#[cfg(not(loom))]
pub(crate) use crate::timer::Timer;
#[cfg(loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering, fence},
    sync::{Mutex, MutexGuard},
};
#[cfg(not(loom))]
pub(crate) use std::{
    sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering, fence},
    sync::{Mutex, MutexGuard},
};

/// A step of a protocol that a mutant under loom leaves out, to show that the model would notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The owner's writes to the loop become visible to whoever robs it.
    PublishCall,
    /// The robber sees them, and the robbed sees that it was robbed.
    TakeLoop,
    /// The robbed compares the sequence, not only the state.
    CompareSequence,
    /// The sleeper looks once more after saying that it sleeps.
    SleeperFence,
    /// The waker looks for a sleeper after changing the reason.
    WakerFence,
    /// Who puts an alarm off looks whether it was sounded meanwhile.
    SoundAgain,
    /// Only one side wins the right to answer.
    WinClaim,
    /// A push into an empty queue rings.
    RingOnPush,
}

/// Whether a step is done: always, but for a mutant.
#[cfg(not(loom))]
#[inline(always)]
pub(crate) const fn is_done(_step: Step) -> bool {
    true
}
#[cfg(loom)]
pub(crate) use mutant::{is_done, without};

/// `ordering`, where a step needs it.
#[inline(always)]
pub(crate) fn ordering_of(step: Step, ordering: Ordering) -> Ordering {
    if is_done(step) { ordering } else { Ordering::Relaxed }
}

#[cfg(loom)]
mod mutant {
    use super::Step;
    use std::cell::Cell;

    std::thread_local! {
        static LEFT_OUT: Cell<Option<Step>> = const { Cell::new(None) };
    }

    pub(crate) fn is_done(step: Step) -> bool {
        LEFT_OUT.get() != Some(step)
    }

    /// Runs `model` with a step left out; loom runs its threads on this one.
    pub(crate) fn without(step: Step, model: impl FnOnce()) {
        LEFT_OUT.set(Some(step));
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(model));
        LEFT_OUT.set(None);
        assert!(caught.is_err(), "the model did not notice that {step:?} was left out");
    }
}

/// The kernel's timer, whose time never comes by itself.
#[cfg(loom)]
#[derive(Debug)]
pub(crate) struct Timer {
    has_gone_off: Mutex<bool>,
}

#[cfg(loom)]
impl Timer {
    pub(crate) fn new() -> std::io::Result<Timer> {
        Ok(Timer { has_gone_off: Mutex::new(false) })
    }

    pub(crate) fn set(&self, time: std::time::Duration) {
        *lock(&self.has_gone_off) = time.is_zero();
    }

    pub(crate) fn wait(&self) {
        unreachable!("no model sleeps: it would not notice that it does for ever");
    }

    pub(crate) fn has_gone_off(&self) -> bool {
        *lock(&self.has_gone_off)
    }
}

/// `std`'s cell with loom's interface.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) fn new(value: T) -> UnsafeCell<T> {
        UnsafeCell(std::cell::UnsafeCell::new(value))
    }

    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// Locks, carrying on with the data of a thread that panicked while it held the lock: every critical section in this crate leaves its data
/// whole at each step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    match mutex.lock() {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    }
}

/// As [`lock`], but None instead of waiting.
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(std::sync::TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(std::sync::TryLockError::WouldBlock) => None,
    }
}
