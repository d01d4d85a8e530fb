//! Accepting connections: turns among workers, pauses when descriptors run out, and what is given to a running loop from outside.
//!
//! Here a connection gets its place in the table. `receiving.rs` goes on from there.

use std::sync::atomic::Ordering::Relaxed;

use rustix::io::Errno;

use crate::connections::{Key, Phase};
use crate::deadlines::Millis;
use crate::event_loop::EventLoop;
use crate::inbox::Arrival;
use crate::slot::Slot;
use crate::transport::Transport;

/// Event data of the loop's own descriptors: the doorbell and (with their index) the listeners.
pub(crate) const OWN: u32 = u32::MAX;

/// How long accepting is suspended when descriptors have run out.
const ACCEPT_PAUSE: Millis = 100;
/// The same when there is room again, so that others have their turn between.
const ROOM_PAUSE: Millis = 1;
/// Idle connections that make room at a time.
const CLOSED_AT_ONCE: usize = 16;
/// The log is told of a shortage that lasts at most so often.
const TELL_AGAIN: Millis = 10_000;
/// How long a loop with many connections lets others accept first, and how many times as many it then accepts at once.
const DEFERRAL: Millis = 2;
const UNCLAIMED: usize = 8;

impl EventLoop {
    /// Takes up listeners and connections that were given to this loop.
    pub(crate) fn take_arrivals(&mut self) {
        for arrival in self.inbox.take() {
            match arrival {
                Arrival::Connection(socket, peer) => self.add(Slot::new(Transport::new(socket), peer)),
                // Dropped while draining: those who share it go on.
                Arrival::Listener(listener) if !self.is_draining() => {
                    self.listeners.push(listener);
                    self.publish_load();
                    if self.accept_again.is_none() {
                        self.register_listener(self.listeners.len() - 1);
                    }
                }
                Arrival::Listener(_) => {}
            }
        }
    }

    /// Accepts, or lets others go first, who have fewer connections.
    pub(crate) fn accept_by_turns(&mut self, index: usize) {
        let at_once = self.setup.config.accepts_at_once;
        match self.setup.config.balance {
            Some(balance) if balance.is_above_mean() && !self.has_deferred => {
                self.has_deferred = true;
                self.pause_accepting(DEFERRAL);
            }
            // Nobody took it.
            Some(_) if self.has_deferred => {
                self.has_deferred = false;
                self.accept(index, at_once * UNCLAIMED);
            }
            _ => self.accept(index, at_once),
        }
    }

    pub(crate) fn publish_load(&self) {
        if let Some(balance) = self.setup.config.balance
            && !self.listeners.is_empty()
        {
            balance.publish(self.connections.len());
        }
    }

    fn pause_accepting(&mut self, pause: Millis) {
        if self.accept_again.is_none() {
            for listener in &self.listeners {
                self.poller.remove(listener.fd());
            }
        }
        self.accept_again = Some(self.now + pause);
    }

    fn register_listener(&self, index: usize) {
        let Some(listener) = self.listeners.get(index) else { return };
        if let Err(error) = self.poller.add_listener(listener.fd(), listener_data(index)) {
            tracing::error!("a listener could not be registered with the poller: {error}");
        }
    }

    pub(crate) fn accept(&mut self, index: usize, at_once: usize) {
        for _ in 0..at_once {
            let Some(listener) = self.listeners.get(index) else { return };
            match listener.accept() {
                Ok(Some((socket, peer))) => self.add(Slot::new(Transport::new(socket), peer)),
                Ok(None) => return,
                Err(error) => return self.on_accept_error(error),
            }
        }
    }

    fn add(&mut self, slot: Slot) {
        self.counters.accepted.fetch_add(1, Relaxed);
        let key = self.connections.insert(slot, self.now);
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.is_trusted = self.setup.config.trusted.trusts(&connection.slot.peer);
        if let Err(error) = self.poller.add_connection(connection.slot.transport.fd(), key.to_data()) {
            tracing::error!("a connection could not be registered with the poller: {error}");
            self.connections.remove(key);
            return;
        }
        self.set_due(key, self.setup.config.deadlines.head);
        self.publish_load();
    }

    /// Descriptors or memory have run out: the waiting client stays in the kernel's queue, and the listener, always ready, must not make the
    /// loop spin. Idle connections make room: their clients can ask again, whoever waits in the queue cannot.
    fn on_accept_error(&mut self, error: Errno) {
        let open = self.connections.len();
        let closed = self.close_idlest();
        if self.shortage_told.is_none_or(|told| self.now >= told + TELL_AGAIN) {
            self.shortage_told = Some(self.now);
            tracing::error!(
                "cannot accept for now: {error}; connections: {open}, idle ones closed to make room: {closed}"
            );
        }
        self.pause_accepting(if closed > 0 { ROOM_PAUSE } else { ACCEPT_PAUSE });
    }

    /// Closes some of the connections that have been between two requests for longest. Says how many.
    fn close_idlest(&mut self) -> usize {
        let mut idle = self.connections.keys(|connection| connection.phase == Phase::Idle && connection.requests > 0);
        // All have the same patience, so the first to be due is the idlest.
        idle.sort_by_key(|&key| self.connections.get_mut(key).map(|connection| connection.due));
        idle.truncate(CLOSED_AT_ONCE);
        for &key in &idle {
            self.close(key);
        }
        idle.len()
    }

    pub(crate) fn resume_accepting(&mut self) {
        self.accept_again = None;
        for index in 0..self.listeners.len() {
            self.register_listener(index);
        }
    }

    pub(crate) fn stop_listening(&mut self) {
        if self.accept_again.take().is_none() {
            for listener in &self.listeners {
                self.poller.remove(listener.fd());
            }
        }
        self.listeners.clear();
        if let Some(balance) = self.setup.config.balance {
            balance.withdraw();
        }
    }
}

pub(crate) fn listener_data(index: usize) -> u64 {
    Key { index: index as u32, generation: OWN }.to_data()
}
