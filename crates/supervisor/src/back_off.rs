//! How soon a worker that died is replaced: at once, and later and later if that keeps happening.

use std::time::{Duration, Instant};

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct BackOff {
    delay: Duration,
    last: Option<Instant>,
}

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// After so long without a death, the next one counts as the first again.
const CALM: Duration = Duration::from_secs(60);
const LONG_LIFE: Duration = Duration::from_secs(10);

impl BackOff {
    /// A worker died; `served` says for how long, if it had been ready before. One that served well for a while is no
    /// sign of a worse one in its place.
    pub(crate) fn note_death(&mut self, now: Instant, served: Option<Duration>) {
        let is_first = self.last.is_none_or(|last| now.duration_since(last) > CALM);
        self.delay = match served {
            Some(served) if is_first || served > LONG_LIFE => Duration::ZERO,
            _ => (self.delay * 2).clamp(FIRST, LONGEST),
        };
        self.last = Some(now);
    }

    /// From when on a replacement may be started.
    pub(crate) fn until(&self) -> Option<Instant> {
        Some(self.last? + self.delay)
    }

    /// There is reason to believe that things are better now.
    pub(crate) fn forget(&mut self) {
        *self = BackOff::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_death_costs_no_time_and_further_ones_more_and_more() {
        let (mut back_off, now) = (BackOff::default(), Instant::now());
        let mut delays = Vec::new();
        for _ in 0..9 {
            back_off.note_death(now, Some(Duration::from_secs(1)));
            delays.push(back_off.until().unwrap().duration_since(now).as_millis());
        }
        assert_eq!(delays, [0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        let later = now + CALM + Duration::from_secs(1);
        back_off.note_death(later, Some(Duration::from_secs(1)));
        assert_eq!(back_off.until(), Some(later));
        back_off.note_death(later, Some(LONG_LIFE + FIRST));
        assert_eq!(back_off.until(), Some(later));
    }

    #[test]
    fn a_worker_that_never_got_ready_is_not_tried_again_at_once() {
        let (mut back_off, now) = (BackOff::default(), Instant::now());
        back_off.note_death(now, None);
        assert_eq!(back_off.until(), Some(now + FIRST));
    }
}
