//! Notices a worker in which nothing moves any more: one whose loop does not go round, or in which nobody gets the
//! interpreter lock.
//!
//! It counts looks, not time: when a whole container was frozen, its first look afterwards finds no beat, but that is
//! one look only.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::scoreboard::Pulse;

/// What the supervisor knows of one worker's pulse.
#[derive(Debug, Default)]
pub(crate) struct Watchdog {
    turns: Beat,
    lock: Beat,
    stuck: Option<Stuck>,
}

#[derive(Debug, Default)]
struct Beat {
    /// None before the first look.
    seen: Option<u32>,
    /// Looks since it has changed.
    still: u32,
}

/// What does not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stuck {
    Loop,
    Lock,
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    Stopped(Stuck),
    GoesOn,
}

/// So many looks without a beat, evenly spread over the timeout.
const LOOKS: u32 = 4;

/// The shortest pause: a process that the kernel does not run for a moment does not hang.
const SHORTEST: Duration = Duration::from_millis(50);

/// Between two looks.
pub(crate) fn pause(timeout: Duration) -> Duration {
    (timeout / LOOKS).max(SHORTEST)
}

impl Watchdog {
    pub(crate) fn look(&mut self, pulse: Pulse) -> Change {
        let still = |beat: &mut Beat, now: u32| {
            beat.still = if beat.seen == Some(now) { beat.still + 1 } else { 0 };
            beat.seen = Some(now);
            beat.still >= LOOKS
        };
        let no_turns = still(&mut self.turns, pulse.turns.load(Ordering::Relaxed));
        let no_lock = still(&mut self.lock, pulse.lock.load(Ordering::Relaxed));
        let found = if no_turns { Some(Stuck::Loop) } else { no_lock.then_some(Stuck::Lock) };
        let before = std::mem::replace(&mut self.stuck, found);
        match (before, found) {
            (None, Some(stuck)) => Change::Stopped(stuck),
            (Some(_), None) => Change::GoesOn,
            _ => Change::None,
        }
    }

    pub(crate) fn is_stuck(&self) -> bool {
        self.stuck.is_some()
    }
}

impl std::fmt::Display for Stuck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Stuck::Loop => "the event loop has made no turn",
            Stuck::Lock => "nobody could get the interpreter lock",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn tells_what_stands_still_once_and_when_it_goes_on() {
        static TURNS: AtomicU32 = AtomicU32::new(7);
        static LOCK: AtomicU32 = AtomicU32::new(0);
        let pulse = Pulse { turns: &TURNS, lock: &LOCK };
        let mut watchdog = Watchdog::default();
        let mut look = |turns: u32, lock: u32| {
            TURNS.fetch_add(turns, Ordering::Relaxed);
            LOCK.fetch_add(lock, Ordering::Relaxed);
            watchdog.look(pulse)
        };
        assert_eq!(look(1, 1), Change::None);
        for _ in 1..LOOKS {
            assert_eq!(look(1, 0), Change::None);
        }
        assert_eq!(look(1, 0), Change::Stopped(Stuck::Lock));
        assert_eq!(look(1, 0), Change::None);
        assert_eq!(look(1, 1), Change::GoesOn);
        for _ in 1..LOOKS {
            assert_eq!(look(0, 1), Change::None);
        }
        assert_eq!(look(0, 1), Change::Stopped(Stuck::Loop));
    }
}
