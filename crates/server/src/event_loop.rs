//! The event loop: one turn takes what the poller says and carries each connection as far as it goes.
//!
//! It has one owner at a time (see `promote`). It never calls a handler itself: [`EventLoop::next`] hands a ready exchange to the
//! owner, [`EventLoop::complete`] takes it back. So no borrow of the loop lives across a call.
//!
//! Here: the turn, and deadlines. `accepting.rs`, `receiving.rs`, `queueing.rs` and `closing.rs`: a connection's way through it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use brickwork_http::Rule;

use crate::accepting::{OWN, listener_data};
use crate::calls::Calls;
use crate::clerk::Clerk;
use crate::config::Setup;
use crate::connections::{Connections, Key, Phase};
use crate::date::Date;
use crate::deadlines::{Deadlines, Millis, NEVER};
use crate::doorbell::Doorbell;
use crate::engine::Shared;
use crate::gathering::Gathering;
use crate::inbox::Inbox;
use crate::poller::{Events, Poller, Readiness};
use crate::promote::Crew;
use crate::record::Ledger;
use crate::returns::ReturnQueue;
use crate::{Exchange, Listener, Record};

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct EventLoop {
    pub(crate) setup: Arc<Setup>,
    pub(crate) counters: Record,
    /// The requests that are out.
    pub(crate) ledger: Ledger,
    doorbell: Arc<Doorbell>,
    pub(crate) crew: Arc<Crew>,
    returns: Arc<ReturnQueue<Box<Exchange>>>,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) clerk: Arc<Clerk>,
    /// When to look for calls that take long, on their clock: none is due before.
    pub(crate) next_look: Millis,
    pub(crate) poller: Arc<Poller>,
    pub(crate) events: Events,
    pub(crate) listeners: Vec<Listener>,
    /// Accepting is suspended until then: descriptors ran out.
    pub(crate) accept_again: Option<Millis>,
    /// When the log was told of that.
    pub(crate) shortage_told: Option<Millis>,
    /// Others had the chance to accept what waits now.
    pub(crate) has_deferred: bool,
    pub(crate) connections: Connections,
    pub(crate) deadlines: Deadlines,
    /// Connections that can go on without an event: a further request is in the buffer already.
    pub(crate) ready: VecDeque<Key>,
    pub(crate) gathering: Gathering,
    /// Used exchanges, with their buffers, for the next connection that has something to say.
    #[allow(clippy::vec_box, reason = "they travel boxed: taking one out must not move half a kilobyte")]
    pub(crate) spare: Vec<Box<Exchange>>,
    #[allow(clippy::vec_box, reason = "as above")]
    returned: Vec<Box<Exchange>>,
    began: Instant,
    /// The time when the clock was last read: at the last look at the poller, or at a request since.
    pub(crate) clock: Instant,
    pub(crate) now: Millis,
    pub(crate) date: Date,
    /// While draining: until when idle connections stay.
    pub(crate) idle_until: Millis,
}

/// What the loop's owner is to do next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Have this request handled, and bring the exchange back with [`EventLoop::complete`] or through the return queue.
    Request(Box<Exchange>),
    /// Poll; there is nothing else to do.
    Poll,
    /// Nothing more will come: the server is draining and its last connection has closed.
    Finished,
}

/// Event data of the doorbell: what no listener and no connection has.
const DOORBELL: u64 = u64::MAX;

/// Events taken from the kernel at a time.
const BATCH: usize = 128;

impl EventLoop {
    pub(crate) fn new(shared: Shared, listeners: Vec<Listener>) -> std::io::Result<EventLoop> {
        let Shared { setup, counters, doorbell, crew, returns, inbox, calls, clerk } = shared;
        let poller = Arc::new(Poller::new()?);
        poller.add_level(doorbell.fd(), DOORBELL)?;
        for (index, listener) in listeners.iter().enumerate() {
            poller.add_listener(listener.fd(), listener_data(index))?;
        }
        Ok(EventLoop {
            setup,
            ledger: Ledger::new(counters.clone()),
            counters,
            doorbell,
            crew,
            returns,
            inbox,
            calls,
            clerk,
            next_look: 0,
            poller,
            events: Events::with_capacity(BATCH),
            listeners,
            accept_again: None,
            shortage_told: None,
            has_deferred: false,
            connections: Connections::default(),
            deadlines: Deadlines::default(),
            ready: VecDeque::new(),
            gathering: Gathering::new(),
            spare: Vec::new(),
            returned: Vec::new(),
            began: Instant::now(),
            clock: Instant::now(),
            now: 0,
            date: Date::default(),
            idle_until: 0,
        })
    }

    /// Works through what is at hand until there is a request to handle, or nothing.
    pub(crate) fn next(&mut self) -> Next {
        loop {
            if let Some(key) = self.ready.pop_front() {
                if let Some(exchange) = self.resume(key) {
                    return Next::Request(exchange);
                }
            } else if let Some(readiness) = self.events.next() {
                if let Some(exchange) = self.on_event(readiness) {
                    return Next::Request(exchange);
                }
            } else if self.gathering.is_any() {
                self.flush_gathered();
            } else if let Some(index) = self.deadlines.pop_due(self.now) {
                self.on_due(index);
            } else if self.is_finished() {
                return Next::Finished;
            } else {
                return Next::Poll;
            }
        }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.setup.is_draining.load(Relaxed)
    }

    /// Whether nothing more will come.
    pub(crate) fn is_finished(&self) -> bool {
        self.is_draining() && self.connections.is_empty()
    }

    /// Waits for events until the next deadline.
    pub(crate) fn poll(&mut self) {
        let due = self.deadlines.next_due().into_iter().chain(self.accept_again).min();
        let due = due.map(|due| due.saturating_sub(self.millis(Instant::now())));
        self.wait(due.into_iter().chain(self.calls_due()).min().map(Duration::from_millis));
    }

    /// Takes the events that are there already. Says whether there are any.
    pub(crate) fn poll_now(&mut self) -> bool {
        self.wait(Some(Duration::ZERO));
        !self.events.is_empty()
    }

    fn wait(&mut self, timeout: Option<Duration>) {
        let asked = Instant::now();
        if let Err(error) = self.poller.wait(&mut self.events, timeout) {
            tracing::error!("waiting for events failed: {error}");
        }
        self.counters.turns.fetch_add(1, Relaxed);
        self.clock = Instant::now();
        self.gathering.expect(self.events.len(), asked, self.clock);
        self.now = self.millis(self.clock);
        self.date.refresh();
        self.look_at_calls();
        if self.accept_again.is_some_and(|again| again <= self.now) {
            self.resume_accepting();
        }
    }

    fn millis(&self, time: Instant) -> Millis {
        u64::try_from((time - self.began).as_millis()).unwrap_or(NEVER)
    }

    fn on_event(&mut self, readiness: Readiness) -> Option<Box<Exchange>> {
        let key = Key::from_data(readiness.data);
        if readiness.data == DOORBELL {
            self.doorbell.reset();
            self.take_returns();
            self.take_arrivals();
            return None;
        }
        if key.generation == OWN {
            self.accept_by_turns(key.index as usize);
            return None;
        }
        let connection = self.connections.get_mut(key)?;
        connection.readable |= readiness.readable;
        connection.peer_finished |= readiness.peer_finished;
        match connection.phase {
            Phase::Idle | Phase::Head | Phase::Content if readiness.readable => self.advance(key),
            Phase::Idle | Phase::Head | Phase::Content => None,
            Phase::Out => {
                if readiness.hung_up {
                    connection.slot.note_gone();
                } else if readiness.writable {
                    self.send_on(key);
                }
                None
            }
            Phase::Queued => {
                if readiness.hung_up {
                    self.give_up_queued(key);
                } else if readiness.peer_finished {
                    self.expect_departure(key);
                }
                None
            }
            Phase::Flushing(then) => {
                if readiness.writable || readiness.hung_up {
                    self.on_flushable(key, then);
                }
                None
            }
            Phase::Lingering => {
                self.linger(key);
                None
            }
        }
    }

    /// Brings home the exchanges of threads that lost the loop.
    fn take_returns(&mut self) {
        let mut returned = std::mem::take(&mut self.returned);
        self.returns.take_all(&mut returned);
        for exchange in returned.drain(..) {
            self.complete(exchange);
        }
        self.returned = returned;
    }

    /// Goes on with a connection that needs no event for it.
    fn resume(&mut self, key: Key) -> Option<Box<Exchange>> {
        match self.connections.get_mut(key)?.phase {
            Phase::Idle | Phase::Head | Phase::Content => return self.advance(key),
            Phase::Flushing(then) => self.on_flushable(key, then),
            Phase::Lingering => self.linger(key),
            Phase::Out => self.send_on(key),
            Phase::Queued => {}
        }
        None
    }

    /// A deadline may have passed.
    fn on_due(&mut self, index: u32) {
        let now = self.now;
        let Some((key, connection)) = self.connections.at_index(index) else { return };
        if connection.due > now {
            if connection.due != NEVER {
                self.deadlines.file(index, connection.due);
            }
            return;
        }
        match connection.phase {
            Phase::Idle | Phase::Flushing(_) | Phase::Lingering => self.close(key),
            Phase::Head => self.on_silence(key, Rule::HeadDeadline),
            Phase::Content => self.on_silence(key, Rule::ContentDeadline),
            Phase::Queued => self.on_queued_due(key),
            Phase::Out => {}
        }
    }

    pub(crate) fn set_due(&mut self, key: Key, patience: Duration) {
        let due = self.now.saturating_add(u64::try_from(patience.as_millis()).unwrap_or(NEVER));
        if let Some(connection) = self.connections.get_mut(key) {
            connection.due = due;
            self.deadlines.file(key.index, due);
        }
    }

    /// As [`set_due`](EventLoop::set_due), unless a deadline runs already.
    pub(crate) fn set_due_once(&mut self, key: Key, patience: Duration) {
        if self.connections.get_mut(key).is_some_and(|connection| connection.due == NEVER) {
            self.set_due(key, patience);
        }
    }

    /// Stops accepting. Idle connections stay for `idle`, or until their next answer, which is their last.
    /// False if that was done already.
    pub(crate) fn drain(&mut self, idle: Duration) -> bool {
        let idle_until = self.now.saturating_add(u64::try_from(idle.as_millis()).unwrap_or(NEVER));
        if self.is_draining() && idle_until >= self.idle_until {
            return false;
        }
        self.idle_until = idle_until;
        if !self.is_draining() {
            // What was given to this loop before the order is served, even if its ring has not been dealt with yet.
            self.take_arrivals();
            // What the kernel has completed the handshake for was promised an answer.
            for index in 0..self.listeners.len() {
                self.accept(index, usize::MAX);
            }
            self.stop_listening();
            self.setup.is_draining.store(true, Relaxed);
        }
        for key in self.connections.keys(|connection| connection.phase == Phase::Idle) {
            // A request may be waiting in the socket: look once more. Without one, the connection rests, or closes.
            if let Some(connection) = self.connections.get_mut(key) {
                connection.readable = true;
                self.ready.push_back(key);
            }
        }
        true
    }
}
