//! Signals as values: sigaction(2) handlers that count and write to an eventfd, and a wait that returns what came.
//!
//! Never blocked masks: children inherit those across fork and exec, and a child that cannot be terminated is a leak. A
//! child that was only forked (multiprocessing, `os.fork`) inherits the *handlers*; there a signal goes to the action
//! that was there before ours, so that ending a child works as if this server did not exist.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet};
use nix::unistd::getpid;

pub use nix::sys::signal::Signal;

use crate::replace_descriptor;

/// The signals that this process takes for itself, until it is dropped. One at a time in a process.
#[derive(Debug)]
pub struct Signals {
    wake: &'static EventFd,
    taken: Vec<Signal>,
}

/// Why [`Signals::wait`] came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// This signal came; one that came twice is told twice.
    Signal(Signal),
    /// [`Waker::wake`] was called.
    Called,
    /// One of the other descriptors became readable, or has ended.
    Readable,
    /// A signal came that is handled elsewhere.
    Interrupted,
}

/// Makes [`Signals::wait`] return, from any thread.
#[derive(Clone, Copy, Debug)]
pub struct Waker(&'static EventFd);

impl Signals {
    /// Takes `signals` for this process.
    ///
    /// # Errors
    /// As eventfd(2) and sigaction(2).
    pub fn install(signals: &[Signal]) -> io::Result<Signals> {
        let (ours, before) = (getpid().as_raw(), OWNER.load(Ordering::Relaxed));
        if ours != before && before != 0 {
            start_over()?;
        }
        OWNER.store(ours, Ordering::Relaxed);
        let mut installed = Signals { wake: wake()?, taken: Vec::with_capacity(signals.len()) };
        for &signal in signals {
            take(signal)?;
            installed.taken.push(signal);
        }
        Ok(installed)
    }

    /// A handle that makes [`wait`](Signals::wait) return.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker(self.wake)
    }

    /// Waits for a signal, a call of the waker, or something to read from one of `others`.
    ///
    /// # Errors
    /// As poll(2), except for interruption, which is [`Woken::Interrupted`].
    pub fn wait(&self, others: &[BorrowedFd<'_>]) -> io::Result<Woken> {
        self.wait_at_most(others, None).map(|woken| woken.unwrap_or(Woken::Interrupted))
    }

    /// As [`wait`](Signals::wait), but None when the time is up.
    ///
    /// # Errors
    /// As [`wait`](Signals::wait).
    pub fn wait_at_most(&self, others: &[BorrowedFd<'_>], at_most: Option<Duration>) -> io::Result<Option<Woken>> {
        loop {
            if let Some(woken) = self.next_arrived() {
                return Ok(Some(woken));
            }
            let mut watched = vec![PollFd::new(self.wake.as_fd(), PollFlags::POLLIN)];
            watched.extend(others.iter().map(|&fd| PollFd::new(fd, PollFlags::POLLIN)));
            match poll(&mut watched, timeout(at_most)) {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(Errno::EINTR) => return Ok(Some(self.next_arrived().unwrap_or(Woken::Interrupted))),
                Err(errno) => return Err(errno.into()),
            }
            if watched.iter().skip(1).any(|fd| fd.any().unwrap_or(false)) {
                return Ok(Some(Woken::Readable));
            }
            // EAGAIN: a forked child shares the eventfd and was there first.
            let _ = self.wake.read();
        }
    }

    /// What came and was not yet told. Counted apart from the eventfd, because a forked child shares that one.
    fn next_arrived(&self) -> Option<Woken> {
        let take_one = |count: &AtomicU32| {
            count.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| count.checked_sub(1)).is_ok()
        };
        let signal = self.taken.iter().find(|&&signal| take_one(&ARRIVED[signal as usize]));
        let called = || take_one(&CALLED).then_some(Woken::Called);
        signal.map(|&signal| Woken::Signal(signal)).or_else(called)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for &signal in &self.taken {
            give_back(signal as i32);
        }
    }
}

impl Waker {
    /// Makes the wait return with [`Woken::Called`].
    pub fn wake(self) {
        CALLED.fetch_add(1, Ordering::AcqRel);
        // EAGAIN needs 2^64 - 1 calls that nobody waited for, and then the wait returns anyway.
        let _ = self.0.write(1);
    }
}

/// Rounded up: what is waited for is then due when the wait ends.
fn timeout(at_most: Option<Duration>) -> PollTimeout {
    let Some(at_most) = at_most else { return PollTimeout::NONE };
    PollTimeout::try_from(at_most + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX)
}

/// Signal numbers go up to 64 on Linux.
const NUMBERS: usize = 65;

/// How often each signal came and was not yet told.
static ARRIVED: [AtomicU32; NUMBERS] = [const { AtomicU32::new(0) }; NUMBERS];
/// What was done about each signal before us.
static PREVIOUS: [OnceLock<SigAction>; NUMBERS] = [const { OnceLock::new() }; NUMBERS];
/// How often a waker was called and that was not yet told.
static CALLED: AtomicU32 = AtomicU32::new(0);
/// The process that the signals are for.
static OWNER: AtomicI32 = AtomicI32::new(0);
static WAKE: OnceLock<EventFd> = OnceLock::new();

fn wake() -> io::Result<&'static EventFd> {
    if let Some(wake) = WAKE.get() {
        return Ok(wake);
    }
    let made = EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
    Ok(WAKE.get_or_init(|| made))
}

/// After a fork: parent and child would take each other's wakes from the eventfd that they share.
fn start_over() -> io::Result<()> {
    if let Some(shared) = WAKE.get() {
        let own = EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        replace_descriptor(shared, &File::from(OwnedFd::from(own)))?;
    }
    CALLED.store(0, Ordering::Relaxed);
    ARRIVED.iter().for_each(|count| count.store(0, Ordering::Relaxed));
    Ok(())
}

/// Runs as a signal handler, on whichever thread the kernel chose: only async-signal-safe calls (signal-safety(7)).
extern "C" fn on_signal(number: i32) {
    let errno = Errno::last_raw();
    if getpid().as_raw() == OWNER.load(Ordering::Relaxed) {
        ARRIVED[number as usize].fetch_add(1, Ordering::AcqRel);
        if let Some(wake) = WAKE.get() {
            let _ = wake.write(1);
        }
    } else {
        give_back(number);
        // The signal is held back while its handler runs, so this one arrives at the restored action when we return.
        if let Ok(signal) = Signal::try_from(number) {
            let _ = nix::sys::signal::raise(signal);
        }
    }
    Errno::set_raw(errno);
}

#[allow(unsafe_code)]
fn take(signal: Signal) -> io::Result<()> {
    // SA_RESTART: an application's C library may not expect its reads to be interrupted. SA_ONSTACK: its threads may
    // have small stacks.
    let flags = SaFlags::SA_RESTART | SaFlags::SA_ONSTACK;
    let action = SigAction::new(SigHandler::Handler(on_signal), flags, SigSet::empty());
    // SAFETY: `on_signal` makes only async-signal-safe calls and touches only atomics and cells that were filled
    // before.
    let previous = unsafe { nix::sys::signal::sigaction(signal, &action) }?;
    PREVIOUS[signal as usize].get_or_init(|| previous);
    Ok(())
}

#[allow(unsafe_code)]
fn give_back(number: i32) {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    let previous = PREVIOUS[number as usize].get().unwrap_or(&default);
    if let Ok(signal) = Signal::try_from(number) {
        // SAFETY: it puts back an action that was in force before ours, or the default one.
        let _ = unsafe { nix::sys::signal::sigaction(signal, previous) };
    }
}

#[cfg(test)]
mod tests;
