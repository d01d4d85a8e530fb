//! The event loop: one turn takes what the poller says and carries each connection as far as it goes.
//!
//! It has one owner at a time (see `promote`). It never calls a handler itself: [`EventLoop::next`] hands a ready exchange to the
//! owner, [`EventLoop::complete`] takes it back. So no borrow of the loop lives across a call.
//!
//! Here: the turn, and a connection's way from receiving to the hand-over. `closing.rs`: its way from the response to the close.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use brickwork_http::{Rejection, Rule};
use rustix::io::Errno;

use crate::config::Setup;
use crate::connections::{Connections, Key, Phase};
use crate::counters::Counters;
use crate::date::Date;
use crate::deadlines::{Deadlines, Millis, NEVER};
use crate::doorbell::Doorbell;
use crate::exchange::Arrived;
use crate::inbox::{Arrival, Inbox};
use crate::intake::Refusal;
use crate::poller::{Events, Poller, Readiness};
use crate::promote::Crew;
use crate::returns::ReturnQueue;
use crate::slot::Slot;
use crate::transport::{Moved, Transport};
use crate::{Exchange, Forwarded, Listener, RejectionNotice, Traffic};

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct EventLoop {
    pub(crate) setup: Arc<Setup>,
    pub(crate) counters: Arc<Counters>,
    doorbell: Arc<Doorbell>,
    pub(crate) crew: Arc<Crew>,
    returns: Arc<ReturnQueue<Box<Exchange>>>,
    inbox: Arc<Inbox>,
    pub(crate) poller: Arc<Poller>,
    events: Events,
    listeners: Vec<Listener>,
    /// Accepting is suspended until then: descriptors ran out.
    accept_again: Option<Millis>,
    /// Others had the chance to accept what waits now.
    has_deferred: bool,
    pub(crate) connections: Connections,
    pub(crate) deadlines: Deadlines,
    /// Connections that can go on without an event: a further request is in the buffer already.
    pub(crate) ready: VecDeque<Key>,
    /// The connection whose pipelined answers may be waiting in its slot for a shared write.
    pub(crate) gathering: Option<Key>,
    /// Used exchanges, with their buffers, for the next connection that has something to say.
    #[allow(clippy::vec_box, reason = "they travel boxed: taking one out must not move half a kilobyte")]
    spare: Vec<Box<Exchange>>,
    #[allow(clippy::vec_box, reason = "as above")]
    returned: Vec<Box<Exchange>>,
    began: Instant,
    pub(crate) now: Millis,
    date: Date,
    /// While draining: until when idle connections stay.
    idle_until: Millis,
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

/// Event data of the doorbell and (with their index) the listeners.
const OWN: u32 = u32::MAX;
const DOORBELL: u64 = u64::MAX;

/// Events taken from the kernel at a time.
const BATCH: usize = 128;
/// Receives for one connection before others have their turn: 16 of 64 KiB.
const RECEIVES: usize = 16;
/// How long accepting is suspended when descriptors have run out.
const ACCEPT_PAUSE: Millis = 100;
/// How long a loop with many connections lets others accept first, and how many times as many it then accepts at once.
const DEFERRAL: Millis = 2;
const UNCLAIMED: usize = 8;
/// How long a draining server waits for the first request of a connection it accepted.
const FIRST_REQUEST: Duration = Duration::from_secs(1);
/// Spare exchanges kept, about 10 KiB each.
const SPARE: usize = 256;

impl EventLoop {
    pub(crate) fn new(
        setup: Arc<Setup>,
        counters: Arc<Counters>,
        doorbell: Arc<Doorbell>,
        crew: Arc<Crew>,
        returns: Arc<ReturnQueue<Box<Exchange>>>,
        inbox: Arc<Inbox>,
        listeners: Vec<Listener>,
    ) -> std::io::Result<EventLoop> {
        let poller = Arc::new(Poller::new()?);
        poller.add_level(doorbell.fd(), DOORBELL)?;
        for (index, listener) in listeners.iter().enumerate() {
            poller.add_listener(listener.fd(), listener_data(index))?;
        }
        Ok(EventLoop {
            setup,
            counters,
            doorbell,
            crew,
            returns,
            inbox,
            poller,
            events: Events::with_capacity(BATCH),
            listeners,
            accept_again: None,
            has_deferred: false,
            connections: Connections::default(),
            deadlines: Deadlines::default(),
            ready: VecDeque::new(),
            gathering: None,
            spare: Vec::new(),
            returned: Vec::new(),
            began: Instant::now(),
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
                self.flush_gathered();
            } else if let Some(readiness) = self.events.next() {
                if let Some(exchange) = self.on_event(readiness) {
                    return Next::Request(exchange);
                }
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
        let timeout = due.map(|due| Duration::from_millis(due.saturating_sub(self.clock())));
        if let Err(error) = self.poller.wait(&mut self.events, timeout) {
            tracing::error!("waiting for events failed: {error}");
        }
        self.now = self.clock();
        self.date.refresh();
        if self.accept_again.is_some_and(|again| again <= self.now) {
            self.resume_accepting();
        }
    }

    fn clock(&self) -> Millis {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(NEVER)
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

    /// Takes up listeners and connections that were given to this loop.
    fn take_arrivals(&mut self) {
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
    fn accept_by_turns(&mut self, index: usize) {
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

    fn accept(&mut self, index: usize, at_once: usize) {
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
    /// loop spin.
    fn on_accept_error(&mut self, error: Errno) {
        if self.accept_again.is_none() {
            tracing::error!("cannot accept connections for now: {error}");
        }
        self.pause_accepting(ACCEPT_PAUSE);
    }

    fn resume_accepting(&mut self) {
        self.accept_again = None;
        for index in 0..self.listeners.len() {
            self.register_listener(index);
        }
    }

    /// Goes on with a connection that needs no event for it.
    fn resume(&mut self, key: Key) -> Option<Box<Exchange>> {
        match self.connections.get_mut(key)?.phase {
            Phase::Idle | Phase::Head | Phase::Content => return self.advance(key),
            Phase::Flushing(then) => self.on_flushable(key, then),
            Phase::Lingering => self.linger(key),
            Phase::Out | Phase::Queued => {}
        }
        None
    }

    /// Carries a connection's request on: receives, parses, gathers content, until it is ready for the handler.
    fn advance(&mut self, key: Key) -> Option<Box<Exchange>> {
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
        if connection.is_trusted {
            exchange.forwarded = Forwarded::read(exchange.request(), &self.setup.config.trusted);
        }
        self.counters.requests.fetch_add(1, Relaxed);
        let config = &self.setup.config;
        exchange.began = config.access_log.is_some().then(Instant::now);
        if let Some(on_traffic) = &config.on_traffic {
            let head = exchange.request().bytes.get(..exchange.head.len as usize).unwrap_or(&[]);
            on_traffic(&Traffic::Received { peer: exchange.peer(), head });
        }
        if exchange.has_leftover() {
            self.gathering = Some(key);
        }
        self.crew.note_work_left(!self.ready.is_empty() || !self.events.is_empty() || exchange.has_leftover());
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
                self.close(key);
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

    fn on_silence(&mut self, key: Key, rule: Rule) {
        let Some(exchange) = self.connections.get_mut(key).and_then(|connection| connection.exchange.take()) else {
            return self.close(key);
        };
        let rejection = exchange.rejection_at_end(rule);
        self.refuse(key, exchange, Refusal::Rejected(rejection));
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

fn listener_data(index: usize) -> u64 {
    Key { index: index as u32, generation: OWN }.to_data()
}
