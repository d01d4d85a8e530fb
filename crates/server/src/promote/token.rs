//! The token: one word that says who owns the event loop, and the typestate that keeps its users honest.
//!
//! The word is `sequence << 3 | state`. An owner publishes a new sequence before every call that may block; whoever robs it
//! compares the whole word, so a stamp seen earlier can never be mistaken for a later call (no ABA within 2^61 calls).
//!
//! ```text
//!           enter_wait          enter_app            give_up
//! LoopGuard ----------> Waiting ----------> InApp -----------> GaveUp
//!  ^  ^  ^                 | rob              | rob               | rob
//!  |  |  +--- reclaim -----|------------------+                   |
//!  |  +------ reclaim -----|--------------------------------------+
//!  +-------- a standby's rob, by compare-exchange: the former owner's next step says Lost
//! ```

use crate::sync::{AtomicU64, Ordering, Step, UnsafeCell, is_done, ordering_of};

/// Where the owner of the loop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Asleep in the poller. Cannot be robbed: it holds the loop.
    Poll,
    /// Running loop code. Cannot be robbed.
    Loop,
    /// Waiting for the interpreter lock.
    Wait,
    /// In the handler.
    App,
    /// In the handler, but it gave the loop up before a wait of its own.
    GaveUp,
    /// There is none, and no call either.
    Free,
}

const STATE_BITS: u32 = 3;
const STATE_MASK: u64 = (1 << STATE_BITS) - 1;
const STATES: [State; 6] = [State::Poll, State::Loop, State::Wait, State::App, State::GaveUp, State::Free];

/// The token as it was seen at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

impl Stamp {
    fn new(sequence: u64, state: State) -> Stamp {
        Stamp(sequence << STATE_BITS | state as u64)
    }

    /// Where the owner was.
    pub(crate) fn state(self) -> State {
        STATES[((self.0 & STATE_MASK) as usize).min(STATES.len() - 1)]
    }

    /// Whether a handler's call goes on (or is about to) without the loop, once the loop is taken.
    pub(crate) fn is_call(self) -> bool {
        matches!(self.state(), State::Wait | State::App | State::GaveUp)
    }

    /// Which call it is.
    pub(crate) fn sequence(self) -> u64 {
        self.0 >> STATE_BITS
    }
}

/// A value with one owner at a time, who may change while the owner is busy elsewhere.
pub(crate) struct LoopCell<T> {
    token: AtomicU64,
    value: UnsafeCell<T>,
}

// SAFETY: `value` is reached only through a `LoopGuard`, and there is at most one: it is made by the one compare-exchange (or reclaim)
// that moves the token to LOOP from a state in which no guard exists. Release on leaving and Acquire on taking order the accesses.
#[allow(unsafe_code)]
unsafe impl<T: Send> Sync for LoopCell<T> {}

impl<T> LoopCell<T> {
    /// A cell that nobody owns yet.
    pub(crate) fn new(value: T) -> LoopCell<T> {
        LoopCell { token: AtomicU64::new(Stamp::new(1, State::Free).0), value: UnsafeCell::new(value) }
    }

    /// The token now.
    pub(crate) fn look(&self) -> Stamp {
        Stamp(self.token.load(ordering_of(Step::TakeLoop, Ordering::Acquire)))
    }

    /// Takes the loop from an owner that is in a call and has not moved since `seen`, or from nobody.
    pub(crate) fn rob(&self, seen: Stamp) -> Option<LoopGuard<'_, T>> {
        if matches!(seen.state(), State::Poll | State::Loop) {
            return None;
        }
        self.take(seen)
    }

    fn take(&self, seen: Stamp) -> Option<LoopGuard<'_, T>> {
        let mine = Stamp::new(seen.sequence(), State::Loop);
        // AcqRel: what the former owner wrote before it published `seen` is visible to us, and our taking is visible to its next look.
        let taking = ordering_of(Step::TakeLoop, Ordering::AcqRel);
        self.token
            .compare_exchange(seen.0, mine.0, taking, Ordering::Relaxed)
            .is_ok()
            .then_some(LoopGuard { cell: self, sequence: seen.sequence() })
    }

    /// Whether the call that `in_app` stands for still owns the loop.
    pub(crate) fn is_still(&self, in_app: &InApp) -> bool {
        self.look() == Stamp::new(in_app.sequence, State::App)
    }
}

/// Owns the loop.
pub(crate) struct LoopGuard<'a, T> {
    cell: &'a LoopCell<T>,
    sequence: u64,
}

impl<'a, T> LoopGuard<'a, T> {
    /// The loop itself. No reference survives the guard, so none lives across a call.
    pub(crate) fn with<R>(&mut self, f: impl FnOnce(&mut T) -> R) -> R {
        self.cell.value.with_mut(|value| {
            // SAFETY: see `LoopCell`: this guard is the only one, and it is borrowed mutably for the call.
            #[allow(unsafe_code)]
            let value = unsafe { &mut *value };
            f(value)
        })
    }

    /// Says that the owner goes to sleep in the poller (it keeps the loop).
    pub(crate) fn publish_poll(&mut self) {
        self.cell.token.store(Stamp::new(self.sequence, State::Poll).0, Ordering::Release);
    }

    /// Says that the owner is back from the poller.
    pub(crate) fn publish_loop(&mut self) {
        self.cell.token.store(Stamp::new(self.sequence, State::Loop).0, Ordering::Release);
    }

    /// Goes to wait for the interpreter lock, and may be robbed meanwhile.
    pub(crate) fn enter_wait(self) -> Waiting {
        Waiting { sequence: self.publish_next(State::Wait) }
    }

    /// Goes into the handler with the interpreter lock already held, and may be robbed meanwhile.
    pub(crate) fn enter_app(self) -> InApp {
        InApp { sequence: self.publish_next(State::App) }
    }

    /// Leaves the loop to whoever comes first.
    pub(crate) fn free(self) {
        self.publish_next(State::Free);
    }

    fn publish_next(self, state: State) -> u64 {
        let sequence = if is_done(Step::CompareSequence) { self.sequence + 1 } else { self.sequence };
        let publishing = ordering_of(Step::PublishCall, Ordering::Release);
        self.cell.token.store(Stamp::new(sequence, state).0, publishing);
        sequence
    }
}

/// The loop belongs to somebody else now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost;

/// Waits for the interpreter lock; may have been robbed.
#[derive(Debug)]
pub(crate) struct Waiting {
    sequence: u64,
}

impl Waiting {
    /// Got the lock, goes into the handler.
    pub(crate) fn enter_app<T>(self, cell: &LoopCell<T>) -> Result<InApp, Lost> {
        let (from, to) = (Stamp::new(self.sequence, State::Wait), Stamp::new(self.sequence, State::App));
        match cell.token.compare_exchange(from.0, to.0, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => Ok(InApp { sequence: self.sequence }),
            Err(_) => Err(Lost),
        }
    }
}

/// Is in the handler; may have been robbed.
#[derive(Debug)]
pub(crate) struct InApp {
    sequence: u64,
}

impl InApp {
    /// Takes the loop back, if it is still ours.
    pub(crate) fn reclaim<T>(self, cell: &LoopCell<T>) -> Result<LoopGuard<'_, T>, Lost> {
        cell.take(Stamp::new(self.sequence, State::App)).ok_or(Lost)
    }

    /// Leaves the loop to whoever comes first, before a wait of our own. True if it was still ours to give.
    pub(crate) fn give_up<T>(self, cell: &LoopCell<T>) -> (GaveUp, bool) {
        let (from, to) = (Stamp::new(self.sequence, State::App), Stamp::new(self.sequence, State::GaveUp));
        let gave = cell.token.compare_exchange(from.0, to.0, Ordering::AcqRel, Ordering::Acquire).is_ok();
        (GaveUp { sequence: self.sequence }, gave)
    }
}

/// Gave the loop up; nobody may have taken it yet.
#[derive(Debug)]
pub(crate) struct GaveUp {
    sequence: u64,
}

impl GaveUp {
    /// Takes the loop back, if nobody wanted it.
    pub(crate) fn reclaim<T>(self, cell: &LoopCell<T>) -> Result<LoopGuard<'_, T>, Lost> {
        cell.take(Stamp::new(self.sequence, State::GaveUp)).ok_or(Lost)
    }
}
