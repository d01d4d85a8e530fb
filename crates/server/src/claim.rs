//! Who answers a request: the handler, or the loop in its place. Won by compare-exchange before the first response byte.

use crate::sync::{AtomicU8, Ordering, Step, is_done};

const OPEN: u8 = 0;
const APP: u8 = 1;
const LOOP: u8 = 2;

/// The right to answer the request in hand.
#[derive(Debug)]
pub(crate) struct Claim(AtomicU8);

impl Claim {
    pub(crate) fn new() -> Claim {
        Claim(AtomicU8::new(OPEN))
    }

    /// A new request: nobody has answered yet. Only by the loop's owner, while no handler has the exchange.
    pub(crate) fn reopen(&self) {
        self.0.store(OPEN, Ordering::Relaxed);
    }

    /// For the handler. True if it may (go on to) answer.
    pub(crate) fn win_for_app(&self) -> bool {
        if !is_done(Step::WinClaim) {
            return self.0.load(Ordering::Acquire) != LOOP;
        }
        match self.0.compare_exchange(OPEN, APP, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(now) => now == APP,
        }
    }

    /// Whether nobody has answered yet.
    pub(crate) fn is_open(&self) -> bool {
        self.0.load(Ordering::Acquire) == OPEN
    }

    /// Whether the loop has answered in place of the handler.
    pub(crate) fn is_with_loop(&self) -> bool {
        self.0.load(Ordering::Acquire) == LOOP
    }

    /// For the loop, in place of a handler that takes too long. True if the loop is to answer.
    pub(crate) fn win_for_loop(&self) -> bool {
        self.0.compare_exchange(OPEN, LOOP, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}
