//! Requests that take long in the handler, as the loop sees them: when one is called slow, and when it is answered in the handler's place.
//!
//! A call that takes longer than some 40 ms has lost the loop, so whoever runs the loop can look at all that are out. It need not often: all have
//! the same deadlines, so a call that began after the last look cannot be due before the oldest one that was seen then.

use brickwork_http::h1::{ResponseHead, ResponseLength};
use brickwork_http::{Method, Version};

use crate::Content;
use crate::calls::{self, CallClock, Noted, Sight};
use crate::clerk::Notice;
use crate::connections::{Key, Phase, Then};
use crate::deadlines::{Millis, NEVER};
use crate::event_loop::EventLoop;

/// A call that waits for its client may go on at any moment, with little time left: it is looked at again after so long at the soonest.
const SOONEST: Millis = 100;

impl EventLoop {
    /// Milliseconds until calls have to be looked at; None if none is out.
    pub(crate) fn calls_due(&self) -> Option<Millis> {
        (self.next_look != NEVER && self.crew.has_detached()).then(|| self.next_look.saturating_sub(calls::now()))
    }

    /// Looks for calls that take too long, if any can by now.
    pub(crate) fn look_at_calls(&mut self) {
        if !self.crew.has_detached() || self.next_look == NEVER {
            return;
        }
        let now = calls::now();
        if now < self.next_look {
            return;
        }
        // What begins from now on.
        let patience = self.setup.config.timeout.into_iter().chain(self.setup.config.slow_request).min();
        let mut next = patience.map_or(NEVER, |patience| now.saturating_add(millis(patience)));
        for sight in self.calls.sights() {
            next = next.min(self.look_at(&sight, now));
        }
        self.next_look = next;
    }

    /// Deals with one call; says when to look at it again.
    fn look_at(&mut self, sight: &Sight, now: Millis) -> Millis {
        let mut noted = *sight.post.noted();
        if noted.number != sight.number {
            noted = Noted { number: sight.number, ..Noted::default() };
        }
        if noted.is_settled {
            return NEVER;
        }
        let age = sight.age;
        let timeout = self.setup.config.timeout.map_or(NEVER, millis);
        if !self.is_unanswered(sight.key) {
            // The head is on its way: a stream may take as long as it likes.
            noted.is_settled = true;
        } else if age >= timeout {
            noted.is_settled = true;
            if self.answer_overdue(sight) {
                self.clerk.tell(Notice::Overdue(sight.clone()));
            }
        } else if age >= self.slow_after(noted) {
            noted.slow += 1;
            self.clerk.tell(Notice::Slow(sight.clone()));
        }
        *sight.post.noted() = noted;
        let left = timeout.min(self.slow_after(noted)).saturating_sub(age);
        match sight.clock {
            _ if noted.is_settled => NEVER,
            CallClock::Since(_) => now.saturating_add(left),
            CallClock::Paused(_) => now.saturating_add(left.max(SOONEST)),
        }
    }

    /// At which age a call is called slow (again): at doubling ages.
    fn slow_after(&self, noted: Noted) -> Millis {
        let first = self.setup.config.slow_request.map_or(NEVER, millis);
        1u64.checked_shl(noted.slow).map_or(NEVER, |times| first.saturating_mul(times))
    }

    /// Whether a request is with a handler that has not begun to answer it.
    fn is_unanswered(&mut self, key: Key) -> bool {
        self.connections.get_mut(key).is_some_and(|connection| {
            matches!(connection.phase, Phase::Out | Phase::Queued) && connection.slot.claim.is_open()
        })
    }

    /// Answers 504 in place of the handler, unless it begins to answer this very moment. The connection ends with it: the rest of the request, and
    /// what follows it, are out of reach with the exchange.
    fn answer_overdue(&mut self, sight: &Sight) -> bool {
        let Some(connection) = self.connections.get_mut(sight.key) else { return false };
        if !connection.slot.claim.win_for_loop() {
            return false;
        }
        let date = &mut self.date;
        date.refresh();
        let is_head_request = sight.request.starts_with(b"HEAD ");
        let answer = timed_out(is_head_request, date.as_bytes(), self.setup.config.server_field.as_bytes());
        connection.due = NEVER;
        let flushed = connection.slot.offer(&answer, Content::Empty, b"");
        self.counters.timed_out.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.await_room(sight.key, flushed, Then::Linger);
        true
    }
}

/// The answer in place of a handler that takes too long.
fn timed_out(is_head_request: bool, date: &[u8], server: &[u8]) -> Vec<u8> {
    const TEXT: &[u8] = b"504 Gateway Timeout\n";
    let mut head = ResponseHead::new();
    // The reason phrase and the field are within the grammar.
    let _ = head.start(504, b"Gateway Timeout");
    let _ = head.field(b"Content-Type", b"text/plain; charset=utf-8");
    let method = if is_head_request { Method::Head } else { Method::Get };
    head.finish((method, Version::Http11), ResponseLength::Known(TEXT.len() as u64), false, date, server);
    let content = if is_head_request { b"" } else { TEXT };
    [head.as_bytes(), content].concat()
}

fn millis(time: std::time::Duration) -> Millis {
    u64::try_from(time.as_millis()).unwrap_or(NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_request_that_took_too_long_is_complete_and_the_last() {
        let date = b"Sat, 21 Nov 2026 03:00:00 GMT";
        let answer = timed_out(false, date, b"");
        let (head, content) = answer.split_at(answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4);
        let head = String::from_utf8_lossy(head);
        assert!(head.starts_with("HTTP/1.1 504 Gateway Timeout\r\n"), "{head}");
        assert!(head.contains("\r\nContent-Length: 20\r\n") && head.contains("\r\nConnection: close\r\n"), "{head}");
        assert_eq!(content, b"504 Gateway Timeout\n");
        assert!(timed_out(true, date, b"").ends_with(b"\r\n\r\n"));
    }
}
