//! How the watcher learns of a blocked call: by waiting for the interpreter lock, or by looking.
//!
//! Who waits for the lock is woken in the moment a call blocks. But a call also lets the lock go to write a line to a log, and wakes the
//! watcher for nothing; where others run on a second processor, it then finds the lock taken when it comes back. Which of it prevails
//! depends on the application, on the number of processors and on the kernel, so it is tried: the watcher waits for the lock for a period,
//! examines every eighth release that it gets the lock by, and goes on if enough of them were for long. Otherwise it looks, for some
//! take-overs, and tries again (docs/decisions/0002).
//!
//! On a single processor nothing has to be tried: the watcher runs when the call does not, and so hardly ever comes in between.

/// What the watcher knows of the application's releases of the lock.
#[derive(Debug)]
pub(super) struct Releases {
    has_one_processor: bool,
    is_waiting: bool,
    /// While waiting: releases left in this period. While looking: take-overs left until the next one.
    left: u32,
    examined: u32,
    long: u32,
    /// Take-overs to be had by looking, after the next period in vain.
    patience: u32,
}

/// Releases in a period, and of how many one is examined.
const PERIOD: u32 = 128;
const SAMPLE: u32 = 8;
/// One examined release of so many has to be a long one: that much worse is a blocked call found by looking than a release taken in vain.
const ENOUGH: u32 = 4;
/// Take-overs between two periods: more of them after each in vain.
const LEAST_PATIENCE: u32 = 64;
const MOST_PATIENCE: u32 = 1024;

impl Releases {
    pub(super) fn new(has_one_processor: bool) -> Releases {
        let patience = LEAST_PATIENCE;
        Releases { has_one_processor, is_waiting: true, left: PERIOD, examined: 0, long: 0, patience }
    }

    /// Whether the watcher is to wait for the lock.
    pub(super) fn are_waited_for(&self) -> bool {
        self.is_waiting
    }

    /// Whether the next release is to be examined, and not taken for a long one.
    pub(super) fn is_examination_due(&self) -> bool {
        self.left.is_multiple_of(SAMPLE)
    }

    /// The watcher got the lock from a call. If it was examined: did the call stay away for long?
    pub(super) fn note_release(&mut self, was_long: Option<bool>) {
        if let Some(was_long) = was_long {
            self.examined += 1;
            self.long += u32::from(was_long);
        }
        self.left = self.left.saturating_sub(1);
        if self.is_waiting && self.left == 0 {
            self.end_period();
        }
    }

    fn end_period(&mut self) {
        self.is_waiting = self.has_one_processor || self.long * ENOUGH >= self.examined;
        (self.left, self.patience) = if self.is_waiting {
            (PERIOD, LEAST_PATIENCE)
        } else {
            (self.patience, (self.patience * 2).min(MOST_PATIENCE))
        };
        (self.examined, self.long) = (0, 0);
    }

    /// The loop was taken from a call that was found by looking.
    pub(super) fn note_found(&mut self) {
        if !self.is_waiting {
            self.left = self.left.saturating_sub(1);
            if self.left == 0 {
                (self.is_waiting, self.left) = (true, PERIOD);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A period in which one of `one_in` examined releases was long.
    fn pass_period(releases: &mut Releases, one_in: u32) {
        let mut examined = 0;
        for _ in 0..PERIOD {
            assert!(releases.are_waited_for());
            let was_long = releases.is_examination_due().then(|| {
                examined += 1;
                examined % one_in == 0
            });
            releases.note_release(was_long);
        }
        assert_eq!(examined, PERIOD / SAMPLE);
    }

    fn looks_for(releases: &mut Releases) -> u32 {
        let mut found = 0;
        while !releases.are_waited_for() {
            releases.note_found();
            found += 1;
        }
        found
    }

    #[test]
    fn they_are_waited_for_as_long_as_enough_of_them_are_long() {
        let mut releases = Releases::new(false);
        for one_in in [1, 2, 4, 1] {
            pass_period(&mut releases, one_in);
        }
        assert!(releases.are_waited_for());
        pass_period(&mut releases, 5);
        assert!(!releases.are_waited_for());
    }

    #[test]
    fn on_one_processor_they_are_always_waited_for() {
        let mut releases = Releases::new(true);
        (0..3).for_each(|_| pass_period(&mut releases, 100));
        assert!(releases.are_waited_for());
    }

    #[test]
    fn after_each_period_in_vain_the_next_comes_later() {
        let mut releases = Releases::new(false);
        for patience in [64, 128, 256, 512, 1024, 1024] {
            pass_period(&mut releases, 100);
            assert_eq!(looks_for(&mut releases), patience);
        }
        pass_period(&mut releases, 1);
        pass_period(&mut releases, 100);
        assert_eq!(looks_for(&mut releases), 64);
    }
}
