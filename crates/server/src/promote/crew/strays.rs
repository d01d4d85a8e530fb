//! Threads that did not come back from a call in time: counted out, so that others take their places, and seen off when they do come back.

use std::sync::atomic::Ordering;

use super::Crew;
use crate::calls::Post;

/// What became of a thread that was to come back from a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It did.
    CameBack,
    /// It does not count any more.
    Replaced {
        /// Threads of which this is true.
        strays: usize,
        /// They have become too many.
        is_too_much: bool,
    },
    /// It counts, because nothing may be called beside it.
    Irreplaceable,
}

impl Crew {
    /// Counts a thread out that is still in this call: its place is free, and it is to end when it comes back.
    pub(crate) fn count_out(&self, post: &Post, number: u64) -> Fate {
        /// One in so many threads may be lost.
        const TOLERATED: usize = 4;
        let mut roster = self.roster();
        if !post.is_in(number) {
            return Fate::CameBack;
        }
        if self.most_calls == 1 {
            return Fate::Irreplaceable;
        }
        post.is_stray.store(true, Ordering::Relaxed);
        roster.strays += 1;
        roster.threads -= 1;
        self.detached.fetch_sub(1, Ordering::SeqCst);
        // Just past the bound: told once, unless some come back and others are lost.
        let is_too_much = roster.strays == self.most_calls / TOLERATED + 1;
        Fate::Replaced { strays: roster.strays, is_too_much }
    }

    /// A thread was counted out. True if one must be started to watch.
    #[must_use]
    pub(crate) fn replace_stray(&self) -> bool {
        let mut roster = self.roster();
        let is_missing = !roster.has_watcher && roster.parked.is_empty() && roster.threads <= self.most_calls;
        if is_missing {
            roster.threads += 1;
        }
        is_missing
    }

    /// A thread that was counted out is back and ends.
    pub(crate) fn note_stray_back(&self) {
        self.roster().strays -= 1;
        self.left.notify_all();
    }
}
