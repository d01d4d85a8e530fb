//! Requests that wait for a thread, as the loop sees them: their deadline, their clients' patience, and the answer when the queue is full.

use crate::Exchange;
use crate::connections::{Key, Phase};
use crate::deadlines::NEVER;
use crate::event_loop::EventLoop;

/// How long a client that has finished sending may wait in the queue.
const HALF_CLOSED: std::time::Duration = std::time::Duration::from_secs(1);

impl EventLoop {
    /// A request was put into the queue.
    pub(crate) fn note_queued(&mut self, key: Key) {
        let now = self.now;
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.phase = Phase::Queued;
        connection.since = now;
        let is_finished = connection.peer_finished;
        self.set_due(key, self.setup.config.queue_timeout);
        if is_finished {
            self.expect_departure(key);
        }
    }

    /// The client of a queued request has finished sending. It may wait for its answer, or have left; the two look the same until it is
    /// written to. Whoever has still not been served after a while is taken for one that left.
    pub(crate) fn expect_departure(&mut self, key: Key) {
        self.set_due(key, HALF_CLOSED.min(self.setup.config.queue_timeout));
    }

    /// The client of a queued request has left: its request is not run.
    pub(crate) fn give_up_queued(&mut self, key: Key) {
        if let Some(exchange) = self.crew.withdraw(key) {
            self.recycle(exchange);
            self.close(key);
        }
    }

    /// A queued request is due: its client is taken to have left, or it has waited too long.
    pub(crate) fn on_queued_due(&mut self, key: Key) {
        let (now, timeout) = (self.now, self.setup.config.queue_timeout);
        let Some(connection) = self.connections.get_mut(key) else { return };
        let has_waited = u128::from(now.saturating_sub(connection.since));
        if connection.peer_finished && has_waited < timeout.as_millis() {
            self.give_up_queued(key);
        } else {
            self.shed_queued(key);
        }
    }

    /// A request has waited too long.
    fn shed_queued(&mut self, key: Key) {
        match self.crew.withdraw(key) {
            Some(exchange) => self.shed(exchange),
            None => {
                // A thread has taken it meanwhile.
                if let Some(connection) = self.connections.get_mut(key) {
                    connection.phase = Phase::Out;
                    connection.due = NEVER;
                }
            }
        }
    }

    /// Answers 503 in place of the handler: there is no room for this request.
    pub(crate) fn shed(&mut self, mut exchange: Box<Exchange>) {
        let _ = exchange.answer_busy();
        self.complete(exchange);
    }

    /// Ends every connection now. Clients whose request is still with a handler are told so.
    pub(crate) fn cut_all(&mut self) {
        self.stop_listening();
        self.crew.abandon(self.connections.keys(|connection| connection.phase == Phase::Out).len());
        for key in self.connections.keys(|_| true) {
            if let Some(connection) = self.connections.get_mut(key)
                && matches!(connection.phase, Phase::Out | Phase::Queued)
                && connection.slot.claim.win_for_loop()
            {
                connection.slot.offer(INTERRUPTED, crate::Content::Empty, b"");
                connection.slot.transport.shutdown_write();
            }
            if let Some(connection) = self.connections.get_mut(key) {
                connection.slot.cut();
            }
            self.close(key);
        }
    }
}

/// No Retry-After: the request may have half run, and only its client knows whether it may be repeated.
const INTERRUPTED: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
