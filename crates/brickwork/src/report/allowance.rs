//! Keeps a flood of refused requests from becoming a flood of the log: so many reports at once, then so many a second.

use std::time::{Duration, Instant};

/// A token bucket.
#[derive(Debug)]
pub(crate) struct Allowance {
    tokens: u32,
    /// When `tokens` was right.
    since: Instant,
    left_out: u64,
}

/// As many as fit a screen, for whoever tries something out by hand.
const BURST: u32 = 20;
/// A report has about ten lines: this is fifty lines a second at most.
const EVERY: Duration = Duration::from_millis(200);

impl Allowance {
    pub(crate) fn new(now: Instant) -> Allowance {
        Allowance { tokens: BURST, since: now, left_out: 0 }
    }

    /// Whether something may be said now; then with how much was left out before it.
    pub(crate) fn take(&mut self, now: Instant) -> Option<u64> {
        while self.tokens < BURST && now.saturating_duration_since(self.since) >= EVERY {
            self.tokens += 1;
            self.since += EVERY;
        }
        if self.tokens == 0 {
            self.left_out += 1;
            return None;
        }
        if self.tokens == BURST {
            self.since = now;
        }
        self.tokens -= 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_five_a_second_with_a_count_of_the_rest() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        for _ in 0..BURST {
            assert_eq!(allowance.take(start), Some(0));
        }
        for _ in 0..7 {
            assert_eq!(allowance.take(start + EVERY - Duration::from_millis(1)), None);
        }
        assert_eq!(allowance.take(start + EVERY), Some(7));
        assert_eq!(allowance.take(start + EVERY), None);
        assert_eq!(allowance.take(start + EVERY * 2), Some(1));
        let later = start + EVERY * 1000;
        for _ in 0..BURST {
            assert_eq!(allowance.take(later), Some(0));
        }
        assert_eq!(allowance.take(later), None);
    }
}
