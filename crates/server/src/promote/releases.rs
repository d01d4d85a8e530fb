//! What the application is doing when it lets the interpreter lock go: a word to the disk, or a wait.
//!
//! Where most releases are long ones, the watcher waits for the lock: the interpreter then wakes it in the moment a call blocks, and there
//! is nothing to look for. Where most are short, every one of them would disturb the call and gain nothing: there the watcher looks from
//! time to time. Which of the two it is follows from the share of long ones among those that were examined (docs/decisions/0002).

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The share of releases that turned out long, as an average that forgets.
#[derive(Debug, Default)]
pub(super) struct Releases {
    /// In parts of `WHOLE`.
    long: AtomicU32,
    /// Take-overs since a release was last examined, or releases taken for long ones without a look.
    unexamined: AtomicU32,
}

const WHOLE: u32 = 1 << 16;
/// An examined release counts for this part of the average: three of one kind turn it over.
const WEIGHT: u32 = 4;
/// While the watcher looks: of so many calls found blocked, one is followed by an examination of a release.
const TRIAL: u32 = 4;
/// While the watcher waits for the lock: of so many releases one is examined.
const SAMPLE: u32 = 8;

impl Releases {
    /// A release was examined: was it a long one?
    pub(super) fn note(&self, is_long: bool) {
        let before = self.long.load(Relaxed);
        let this = if is_long { WHOLE } else { 0 };
        self.long.store(before - before / WEIGHT + this / WEIGHT, Relaxed);
        self.unexamined.store(0, Relaxed);
    }

    /// The loop was taken from a call.
    pub(super) fn note_take_over(&self) {
        self.unexamined.fetch_add(1, Relaxed);
    }

    /// Whether most releases are long ones.
    pub(super) fn are_mostly_long(&self) -> bool {
        self.long.load(Relaxed) >= WHOLE / 2
    }

    /// Whether the next release is to be examined, and not taken for what most of them are.
    pub(super) fn is_examination_due(&self) -> bool {
        self.unexamined.load(Relaxed) >= if self.are_mostly_long() { SAMPLE } else { TRIAL }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(examined: &[bool]) -> Releases {
        let releases = Releases::default();
        examined.iter().for_each(|is_long| releases.note(*is_long));
        releases
    }

    #[test]
    fn three_of_a_kind_turn_the_average_over() {
        assert!(!after(&[]).are_mostly_long());
        assert!(!after(&[true; 2]).are_mostly_long());
        assert!(after(&[true; 3]).are_mostly_long());
        let mut examined = vec![true; 100];
        assert!(after(&examined).are_mostly_long());
        examined.extend([false; 3]);
        assert!(!after(&examined).are_mostly_long());
    }

    #[test]
    fn a_share_below_a_half_is_not_most() {
        let examined: Vec<bool> = (0..200).map(|n| n % 4 == 0).collect();
        assert!(!after(&examined).are_mostly_long());
    }

    #[test]
    fn an_examination_is_due_after_some_take_overs_and_is_done_once() {
        let releases = Releases::default();
        assert!(!releases.is_examination_due());
        (0..TRIAL).for_each(|_| releases.note_take_over());
        assert!(releases.is_examination_due());
        releases.note(true);
        assert!(!releases.is_examination_due());
    }
}
