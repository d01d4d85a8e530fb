//! Answers that wait a moment in their slots, so that several leave together.
//!
//! A pipelined answer shares a write with the next one, and the last of a connection a segment with its end. And where more
//! requests are at hand, half of their answers leave one behind the other when they are done: to wake a client costs the kernel more
//! than to send a short answer, and a client that is awake is not woken again.
//!
//! No answer waits for a call that blocks: whoever takes the loop from such a call sends first what was gathered. And none
//! waits long for calls that are merely slow: a millisecond, or half as long as its request has been here already, if that is more and
//! they are few.

use std::time::{Duration, Instant};

use crate::connections::{Key, Phase, Then};
use crate::deadlines::Millis;
use crate::event_loop::EventLoop;
use crate::send_buffer::Flushed;

/// So long the first answer may wait in any case, and then for the call that runs.
const LEAST_PATIENCE: Duration = Duration::from_millis(1);
/// It waits no longer than this, and the call that runs then.
const MOST_PATIENCE: Duration = Duration::from_millis(5);
/// So many do not wait for more of them longer than they may in any case: what is left to gain is little.
const ENOUGH: usize = 8;
/// A call that goes on for so long after the patience is over is slow.
const LONG: Duration = Duration::from_millis(1);
/// After a slow call others are expected, in milliseconds.
const SLOW_SPELL: Millis = 100;

/// Whose answers wait, for the loop.
#[derive(Debug)]
pub(crate) struct Gathering {
    /// Connections whose answers may be waiting.
    keys: Vec<Key>,
    /// So many wait together.
    most: usize,
    /// When the first of them was handed out.
    began: Instant,
    /// When the loop last came back from the poller.
    polled: Instant,
    /// When the requests at hand came, more or less.
    arrived: Instant,
    /// Until then only pipelined answers wait.
    is_slow_until: Millis,
}

impl Gathering {
    pub(crate) fn new() -> Gathering {
        let now = Instant::now();
        Gathering { keys: Vec::new(), most: 1, began: now, polled: now, arrived: now, is_slow_until: 0 }
    }

    /// So many events are at hand, from a look at the poller between these two times. Half of their answers leave together: their clients
    /// are busy while the other half is made, and need not be waited for afterwards.
    pub(crate) fn expect(&mut self, events: usize, asked: Instant, answered: Instant) {
        self.most = events.div_ceil(2);
        // What the poller has at once came while the loop was busy, on average in the middle of that time. What it waits for comes now.
        let busy = asked.saturating_duration_since(self.polled);
        let here = (busy / 2).saturating_sub(answered - asked);
        self.arrived = answered.checked_sub(here).unwrap_or(answered);
        self.polled = answered;
    }

    /// So long the first of a few may wait.
    fn patience(&self) -> Duration {
        ((self.began - self.arrived) / 2).clamp(LEAST_PATIENCE, MOST_PATIENCE)
    }

    /// Whether there are any.
    pub(crate) fn is_any(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Whether what waits has to leave before a request of this connection is handed out.
    fn must_leave_before(&self, key: Key, now: Instant) -> bool {
        let is_full = self.keys.len() >= self.most && !self.has_last(key);
        self.is_any() && (is_full || self.is_over(now.saturating_duration_since(self.began)))
    }

    /// Whether those that wait have waited enough when the first has waited for so long.
    fn is_over(&self, waited: Duration) -> bool {
        waited >= LEAST_PATIENCE && (self.keys.len() >= ENOUGH || waited >= self.patience())
    }

    /// Whether the answer that has just been completed inline is among them.
    pub(crate) fn has_last(&self, key: Key) -> bool {
        self.keys.last() == Some(&key)
    }
}

impl EventLoop {
    /// A request is about to be handed out. Says whether its answer may wait: for what follows on its connection (a request, or the
    /// end), or for requests of others.
    pub(crate) fn may_gather(&mut self, key: Key, is_followed: bool, are_others_at_hand: bool) -> bool {
        let now = self.clock;
        if self.gathering.must_leave_before(key, now) {
            self.flush_gathered();
        }
        let gathering = &mut self.gathering;
        let may = is_followed || (are_others_at_hand && self.now >= gathering.is_slow_until);
        if may && !gathering.has_last(key) {
            if gathering.keys.is_empty() {
                gathering.began = now;
            }
            gathering.keys.push(key);
        }
        may
    }

    /// Sends the answers that wait, before anything that may block.
    pub(crate) fn flush_gathered(&mut self) {
        if !self.gathering.is_any() {
            return;
        }
        if self.gathering.began.elapsed() >= self.gathering.patience() + LONG {
            self.gathering.is_slow_until = self.now + SLOW_SPELL;
        }
        let mut keys = std::mem::take(&mut self.gathering.keys);
        for key in keys.drain(..) {
            let Some(connection) = self.connections.get_mut(key) else { continue };
            let flushed = connection.slot.flush();
            // With the exchange out, its return deals with what is left.
            if flushed != Flushed::All && matches!(connection.phase, Phase::Idle | Phase::Head | Phase::Content) {
                self.await_room(key, flushed, Then::Persist);
            }
        }
        self.gathering.keys = keys;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Key = Key { index: 1, generation: 1 };
    const OTHER: Key = Key { index: 2, generation: 1 };

    #[test]
    fn half_of_what_is_at_hand_waits_together_and_pipelined_answers_with_their_own() {
        // Who waits, the events at hand, whose request comes, and whether the answers leave before it.
        let table: [(&[Key], usize, Key, bool); 6] = [
            (&[], 1, ONE, false),
            (&[ONE], 1, ONE, false),
            (&[ONE], 1, OTHER, true),
            (&[ONE], 4, OTHER, false),
            (&[OTHER, ONE], 4, ONE, false),
            (&[OTHER, ONE], 4, OTHER, true),
        ];
        for (keys, events, key, leaves) in table {
            let mut gathering = Gathering::new();
            gathering.expect(events, Instant::now(), Instant::now());
            gathering.keys.extend_from_slice(keys);
            // Not yet begun, so that how long this test takes does not count.
            gathering.began = Instant::now() + Duration::from_secs(60);
            assert_eq!(gathering.must_leave_before(key, Instant::now()), leaves, "{keys:?}, {events} events, {key:?}");
            gathering.began = Instant::now().checked_sub(LEAST_PATIENCE).unwrap();
            assert_eq!(gathering.must_leave_before(key, Instant::now()), !keys.is_empty(), "{keys:?} have waited long");
        }
    }

    #[test]
    fn a_few_wait_half_as_long_again_as_their_requests_have_been_here() {
        const MS: fn(u64) -> Duration = Duration::from_millis;
        // How long the loop was busy, how long the poller then waited, how long after that the request is handed out, all in
        // milliseconds; and how long its answer may wait, alone and with enough others.
        let table = [
            (0, 0, 0, 1, 1),
            (40, 0, 0, 5, 1),
            (12, 0, 0, 3, 1),
            (12, 2, 0, 2, 1),
            (12, 100, 0, 1, 1),
            (0, 0, 6, 3, 1),
        ];
        for (busy, waited, later, alone, with_others) in table {
            let mut gathering = Gathering::new();
            let asked = gathering.polled + MS(busy);
            gathering.expect(64, asked, asked + MS(waited));
            gathering.began = asked + MS(waited + later);
            for (keys, patience) in [(1, alone), (ENOUGH - 1, alone), (ENOUGH, with_others)] {
                gathering.keys = vec![ONE; keys];
                assert!(
                    !gathering.is_over(MS(patience) - Duration::from_nanos(1)),
                    "{keys} of {busy} {waited} {later}"
                );
                assert!(gathering.is_over(MS(patience)), "{keys} of {busy} {waited} {later}");
            }
        }
    }
}
