//! A connection's way from the response to its next request, or to its close.

use crate::Exchange;
use crate::connections::{Key, Phase, Then};
use crate::deadlines::NEVER;
use crate::event_loop::EventLoop;
use crate::response::{Stage, Unsent};
use crate::send_buffer::Flushed;
use crate::transport::Moved;

/// How long, and how much, a closing connection is still read (RFC 9112 section 9.6).
const LINGER: std::time::Duration = std::time::Duration::from_secs(5);
/// The same for a server that is about to end, and has to.
const LINGER_WHEN_LEAVING: std::time::Duration = std::time::Duration::from_secs(1);
const LINGER_AT_ONCE: usize = 64;

impl EventLoop {
    /// Takes an exchange back from its handler.
    pub(crate) fn complete(&mut self, mut exchange: Box<Exchange>) {
        self.ledger.end(exchange.entry.take());
        if exchange.is_superseded() {
            return self.put_away(exchange);
        }
        if exchange.progress.stage == Stage::Open && !exchange.slot().is_gone() {
            // The handler left without an answer.
            let _ = exchange.answer_status(500);
        }
        if let Some(log) = &self.setup.config.access_log
            && !exchange.is_unlogged
        {
            log.record(&exchange);
        }
        let key = exchange.key;
        if exchange.slot().is_gone() {
            self.recycle(exchange);
            return self.close(key);
        }
        if exchange.progress.stage == Stage::Aborted {
            return self.break_off(key, exchange);
        }
        if exchange.closes() {
            let has_more = exchange.may_have_more();
            return self.end(key, exchange, has_more);
        }
        self.persist(key, exchange);
    }

    /// The handler is back from a request that was answered in its place; the connection went its own way.
    fn put_away(&mut self, mut exchange: Box<Exchange>) {
        // What the client was told, not what the handler would have said.
        let _ = exchange.response.start(504, b"Gateway Timeout");
        exchange.progress.content_sent = 0;
        if let Some(log) = &self.setup.config.access_log {
            log.record(&exchange);
        }
        self.recycle(exchange);
    }

    /// Ends a connection whose response is incomplete, so that the client can tell.
    fn break_off(&mut self, key: Key, exchange: Box<Exchange>) {
        if exchange.is_close_delimited() {
            exchange.slot().transport.reset();
            self.recycle(exchange);
            return self.close(key);
        }
        // What was sent is a prefix that its framing shows to be one; it may still be on its way out.
        self.end(key, exchange, false);
    }

    /// On to the next request, when the last bytes of this answer are gone.
    fn persist(&mut self, key: Key, mut exchange: Box<Exchange>) {
        let is_gathered = exchange.progress.waiting == Unsent::Gathered && self.gathering.has_last(key);
        let is_unsent = exchange.progress.waiting != Unsent::Nothing;
        exchange.next_request();
        let Some(connection) = self.connections.get_mut(key) else { return };
        if is_unsent && !is_gathered {
            let flushed = connection.slot.flush();
            if flushed != Flushed::All {
                connection.exchange = Some(exchange);
                return self.await_room(key, flushed, Then::Persist);
            }
        }
        connection.phase = Phase::Idle;
        if !exchange.input.is_empty() || connection.readable {
            connection.exchange = Some(exchange);
            return self.ready.push_front(key);
        }
        self.recycle(exchange);
        self.rest(key, self.setup.config.deadlines.keep_alive);
    }

    /// A flush that sent not everything: goes on when the poller says so, or in a later turn, or never.
    pub(crate) fn await_room(&mut self, key: Key, flushed: Flushed, then: Then) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.phase = Phase::Flushing(then);
        match flushed {
            Flushed::All => self.leave(key, then),
            Flushed::Some { progress: false } => self.set_due_once(key, self.setup.config.deadlines.write),
            Flushed::Some { progress: true } => self.set_due(key, self.setup.config.deadlines.write),
            Flushed::Yielded => {
                self.set_due(key, self.setup.config.deadlines.write);
                self.ready.push_back(key);
            }
            Flushed::Broken => self.close(key),
        }
    }

    /// Sends more of a block whose handler makes the next one meanwhile: PEP 3333 wants no block delayed by that. With the exchange out, its
    /// return deals with a broken connection and with what is left.
    pub(crate) fn send_on(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.slot.flush() == Flushed::Yielded {
            self.ready.push_back(key);
        }
    }

    /// The last response of a connection is complete: sends what is left of it, and closes.
    pub(crate) fn end(&mut self, key: Key, exchange: Box<Exchange>, has_more: bool) {
        self.recycle(exchange);
        let Some(connection) = self.connections.get_mut(key) else { return };
        // A peer that has said it sends no more cannot lose the answer to a reset.
        let then = if has_more && !connection.peer_finished { Then::Linger } else { Then::Close };
        connection.due = NEVER;
        let flushed = connection.slot.flush_last();
        self.await_room(key, flushed, then);
    }

    /// There may be room for the rest of a response.
    pub(crate) fn on_flushable(&mut self, key: Key, then: Then) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let flushed = connection.slot.flush();
        self.await_room(key, flushed, then);
    }

    fn leave(&mut self, key: Key, then: Then) {
        let now = self.now;
        let Some(connection) = self.connections.get_mut(key) else { return };
        match then {
            Then::Persist => {
                connection.phase = Phase::Idle;
                connection.readable = true;
                self.ready.push_back(key);
            }
            Then::Close => self.close(key),
            Then::Linger => {
                connection.slot.transport.shutdown_write();
                connection.phase = Phase::Lingering;
                connection.since = now;
                self.set_due(key, if self.is_draining() { LINGER_WHEN_LEAVING } else { LINGER });
                self.linger(key);
            }
        }
    }

    /// Reads and drops what a closing peer still sends.
    pub(crate) fn linger(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let mut dropped = Vec::with_capacity(16 * 1024);
        for _ in 0..LINGER_AT_ONCE {
            dropped.clear();
            match connection.slot.transport.receive(&mut dropped) {
                Moved::Bytes(_) => {}
                Moved::NotNow => return,
                Moved::End | Moved::Broken => return self.close(key),
            }
        }
        self.ready.push_back(key);
    }

    /// Forgets a connection. Its descriptor closes as soon as no exchange holds its slot any more.
    pub(crate) fn close(&mut self, key: Key) {
        let Some(connection) = self.connections.remove(key) else { return };
        self.publish_load();
        let transport = &connection.slot.transport;
        // A child forked by the application may hold a duplicate: neither the poller nor the peer would learn of our close.
        self.poller.remove(transport.fd());
        transport.shutdown();
        if let Some(exchange) = connection.exchange {
            self.recycle(exchange);
        }
    }
}
