//! A connection's way from its bytes to a request that leaves for the handler, or is refused.
//!
//! `event_loop.rs` says when; `closing.rs` goes on with the response.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use brickwork_http::{Rejection, Rule};

use crate::connections::{Key, Phase, Then};
use crate::deadlines::NEVER;
use crate::event_loop::EventLoop;
use crate::exchange::Arrived;
use crate::intake::Refusal;
use crate::transport::Moved;
use crate::{Exchange, Forwarded, RejectionNotice, Traffic};

/// Receives for one connection before others have their turn: 16 of 64 KiB.
const RECEIVES: usize = 16;
/// How long a draining server waits for the first request of a connection it accepted.
const FIRST_REQUEST: Duration = Duration::from_secs(1);
/// Spare exchanges kept, about 26 KiB each, of which what was never used takes no memory.
const SPARE: usize = 256;

impl EventLoop {
    /// Carries a connection's request on: receives, parses, gathers content, until it is ready for the handler.
    pub(crate) fn advance(&mut self, key: Key) -> Option<Box<Exchange>> {
        let mut exchange = self.take_exchange(key)?;
        for receives in 0..=RECEIVES {
            let arrived = match exchange.advance() {
                Ok(Arrived::Request) => return self.hand_out(key, exchange),
                Ok(arrived) => arrived,
                Err(refusal) => {
                    self.refuse(key, exchange, refusal);
                    return None;
                }
            };
            let connection = self.connections.get_mut(key)?;
            if !connection.readable {
                self.park(key, exchange, arrived);
                return None;
            }
            if receives == RECEIVES {
                // A sender this fast has to let the others have their turn.
                self.park(key, exchange, arrived);
                self.ready.push_back(key);
                return None;
            }
            let (moved, more) = exchange.fill(&connection.slot.transport);
            connection.readable = more || connection.peer_finished;
            match moved {
                Moved::Bytes(_) => {}
                Moved::NotNow => connection.readable = false,
                Moved::End => {
                    self.on_end(key, exchange, arrived);
                    return None;
                }
                Moved::Broken => {
                    self.recycle(exchange);
                    self.close(key);
                    return None;
                }
            }
        }
        None
    }

    /// The connection's exchange: its own, if it has begun, or a spare one.
    fn take_exchange(&mut self, key: Key) -> Option<Box<Exchange>> {
        let connection = self.connections.get_mut(key)?;
        if let Some(exchange) = connection.exchange.take() {
            return Some(exchange);
        }
        let mut exchange = self.spare.pop().unwrap_or_else(|| Box::new(Exchange::new(Arc::clone(&self.setup))));
        exchange.assign(Arc::clone(&connection.slot), key);
        Some(exchange)
    }

    /// Keeps an exchange's buffers for another connection.
    pub(crate) fn recycle(&mut self, mut exchange: Box<Exchange>) {
        self.ledger.end(exchange.entry.take());
        exchange.release();
        if self.spare.len() < SPARE {
            self.spare.push(exchange);
        }
    }

    /// Nothing more to receive for now: waits for the next event or deadline.
    fn park(&mut self, key: Key, exchange: Box<Exchange>, arrived: Arrived) {
        let deadlines = self.setup.config.deadlines;
        let now = self.now;
        let Some(connection) = self.connections.get_mut(key) else { return };
        let (phase, patience) = match arrived {
            Arrived::Nothing => (Phase::Idle, deadlines.keep_alive),
            Arrived::Head => (Phase::Head, deadlines.head),
            Arrived::Content | Arrived::Request => (Phase::Content, deadlines.content),
        };
        let is_new = connection.phase != phase;
        connection.phase = phase;
        if is_new {
            connection.since = now;
        }
        if phase == Phase::Idle {
            let is_first = connection.requests == 0;
            if exchange.is_blank() {
                self.recycle(exchange);
            } else {
                connection.exchange = Some(exchange);
            }
            return self.rest(key, if is_first { deadlines.head } else { patience });
        }
        let received = exchange.content_received();
        connection.exchange = Some(exchange);
        if phase == Phase::Content && self.is_too_slow(key, received) {
            return self.on_silence(key, Rule::ContentDeadline);
        }
        // Every byte of content buys time; a head has to be complete in time, however its bytes drip.
        if is_new || phase == Phase::Content {
            self.set_due(key, patience);
        }
    }

    /// An idle connection waits for its next request: for so long, or until the drain's patience with idle connections ends.
    pub(crate) fn rest(&mut self, key: Key, patience: Duration) {
        if !self.is_draining() {
            return self.set_due(key, patience);
        }
        let Some(connection) = self.connections.get_mut(key) else { return };
        let mut left = Duration::from_millis(self.idle_until.saturating_sub(self.now));
        if connection.requests == 0 {
            left = left.max(FIRST_REQUEST);
        }
        if left.is_zero() { self.close(key) } else { self.set_due(key, patience.min(left)) }
    }

    fn is_too_slow(&mut self, key: Key, received: u64) -> bool {
        let (deadlines, now) = (self.setup.config.deadlines, self.now);
        let Some(connection) = self.connections.get_mut(key) else { return false };
        deadlines.is_too_slow(received, Duration::from_millis(now.saturating_sub(connection.since)))
    }

    /// The request is complete: it leaves for the handler.
    fn hand_out(&mut self, key: Key, mut exchange: Box<Exchange>) -> Option<Box<Exchange>> {
        let connection = self.connections.get_mut(key)?;
        connection.phase = Phase::Out;
        connection.due = NEVER;
        connection.requests = connection.requests.wrapping_add(1);
        connection.slot.claim.reopen();
        exchange.number = connection.requests;
        exchange.date = self.date;
        exchange.entry = Some(self.ledger.begin(exchange.request()));
        if connection.is_trusted {
            exchange.forwarded = Forwarded::read(exchange.request(), &self.setup.config.trusted);
        }
        self.counters.requests.fetch_add(1, Relaxed);
        let config = &self.setup.config;
        let are_others_at_hand = !self.ready.is_empty() || !self.events.is_empty();
        // The first request since the poller was asked comes at the time of its answer.
        if config.access_log.is_some() || are_others_at_hand || self.gathering.is_any() {
            self.clock = Instant::now();
        }
        exchange.began = config.access_log.is_some().then_some(self.clock);
        if let Some(on_traffic) = &config.on_traffic {
            let head = exchange.request().bytes.get(..exchange.head.len as usize).unwrap_or(&[]);
            on_traffic(&Traffic::Received { peer: exchange.peer(), head });
        }
        let is_followed = exchange.has_leftover() || !exchange.may_persist();
        self.crew.note_work_left(are_others_at_hand || is_followed);
        exchange.may_gather = self.may_gather(key, is_followed, are_others_at_hand);
        Some(exchange)
    }

    /// The peer has finished sending, and this is how far its request got.
    fn on_end(&mut self, key: Key, exchange: Box<Exchange>, arrived: Arrived) {
        match arrived {
            Arrived::Head | Arrived::Content => {
                let rejection = exchange.rejection_at_end(Rule::ContentCutOff);
                self.refuse(key, exchange, Refusal::Rejected(rejection));
            }
            Arrived::Nothing | Arrived::Request => {
                self.recycle(exchange);
                let Some(connection) = self.connections.get_mut(key) else { return };
                // An answer may still be waiting for others.
                let flushed = connection.slot.flush();
                self.await_room(key, flushed, Then::Close);
            }
        }
    }

    /// Answers a request that cannot be handled, and ends its connection.
    pub(crate) fn refuse(&mut self, key: Key, mut exchange: Box<Exchange>, refusal: Refusal) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        exchange.number = connection.requests.wrapping_add(1);
        exchange.date = self.date;
        connection.slot.claim.reopen();
        self.counters.rejected.fetch_add(1, Relaxed);
        let (status_code, content) = match refusal {
            Refusal::Rejected(rejection) => (rejection.rule.status(), self.report(&exchange, rejection)),
            Refusal::Spool(error) => {
                tracing::error!("content could not be spooled: {error}");
                (500, None)
            }
        };
        // What was received of a refused request may be no request at all: the answer is framed as for HTTP/1.1.
        let _ = exchange.answer_rejected(status_code, content);
        if let Some(access_log) = &self.setup.config.access_log {
            access_log.record(&exchange);
        }
        self.end(key, exchange, true);
    }

    /// Tells of a refused request; returns what the client is to be told.
    fn report(&self, exchange: &Exchange, rejection: Rejection) -> Option<String> {
        let on_rejection = self.setup.config.on_rejection.as_ref()?;
        on_rejection(&RejectionNotice {
            bytes: exchange.bytes_in_hand(),
            piece: exchange.piece_in_hand(),
            rejection,
            peer: exchange.peer(),
            request_number: exchange.number,
        })
    }

    pub(crate) fn on_silence(&mut self, key: Key, rule: Rule) {
        let Some(exchange) = self.connections.get_mut(key).and_then(|connection| connection.exchange.take()) else {
            return self.close(key);
        };
        let rejection = exchange.rejection_at_end(rule);
        self.refuse(key, exchange, Refusal::Rejected(rejection));
    }
}
