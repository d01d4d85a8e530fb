//! What the threads of one server share.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use crate::calls::Calls;
use crate::clerk::Clerk;
use crate::config::Setup;
use crate::doorbell::Doorbell;
use crate::event_loop::EventLoop;
use crate::inbox::Inbox;
use crate::poller::Poller;
use crate::promote::token::{LoopCell, Stamp};
use crate::promote::{Crew, Duty, ThreadClock, work};
use crate::returns::ReturnQueue;
use crate::{Exchange, Handler, Listener, Record};

/// See the module's documentation.
pub(crate) struct Engine {
    pub(crate) setup: Arc<Setup>,
    pub(crate) handler: Arc<dyn Handler>,
    /// The event loop, and who owns it.
    pub(crate) cell: LoopCell<EventLoop>,
    pub(crate) crew: Arc<Crew>,
    pub(crate) returns: Arc<ReturnQueue<Box<Exchange>>>,
    pub(crate) doorbell: Arc<Doorbell>,
    pub(crate) counters: Record,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) clerk: Arc<Clerk>,
    pub(crate) poller: Arc<Poller>,
    /// The processor clock of the thread that leads.
    pub(crate) owner_clock: AtomicI32,
    pub(crate) orders: AtomicU8,
    /// Milliseconds that a draining loop keeps idle connections.
    pub(crate) idle_grace: AtomicU64,
}

/// What the engine and its event loop share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) setup: Arc<Setup>,
    pub(crate) counters: Record,
    pub(crate) doorbell: Arc<Doorbell>,
    pub(crate) crew: Arc<Crew>,
    pub(crate) returns: Arc<ReturnQueue<Box<Exchange>>>,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) clerk: Arc<Clerk>,
}

/// What the server was told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Orders {
    Serve,
    /// Finish what is in flight.
    Drain,
    /// End now.
    Stop,
}

impl Engine {
    /// The engine of this handler and these listeners.
    ///
    /// # Errors
    /// If epoll cannot be had.
    pub(crate) fn new(shared: Shared, handler: Arc<dyn Handler>, listeners: Vec<Listener>) -> io::Result<Engine> {
        let event_loop = EventLoop::new(shared.clone(), listeners)?;
        let poller = Arc::clone(&event_loop.poller);
        let Shared { setup, counters, doorbell, crew, returns, inbox, calls, clerk } = shared;
        Ok(Engine {
            setup,
            handler,
            cell: LoopCell::new(event_loop),
            crew,
            returns,
            doorbell,
            counters,
            inbox,
            calls,
            clerk,
            poller,
            owner_clock: AtomicI32::new(0),
            orders: AtomicU8::new(Orders::Serve as u8),
            idle_grace: AtomicU64::new(0),
        })
    }

    pub(crate) fn orders(&self) -> Orders {
        match self.orders.load(Ordering::Acquire) {
            0 => Orders::Serve,
            1 => Orders::Drain,
            _ => Orders::Stop,
        }
    }

    /// Gives an order; a stronger one given before holds.
    pub(crate) fn order(&self, orders: Orders) {
        self.orders.fetch_max(orders as u8, Ordering::Release);
        self.doorbell.ring();
    }

    /// How long a draining loop keeps idle connections.
    pub(crate) fn idle_grace(&self) -> Duration {
        Duration::from_millis(self.idle_grace.load(Ordering::Relaxed))
    }

    /// The calling thread leads from now on.
    pub(crate) fn note_owner(&self) {
        self.owner_clock.store(ThreadClock::of_this_thread().to_raw(), Ordering::Relaxed);
    }

    /// The processor clock of the thread that leads.
    pub(crate) fn owner_clock(&self) -> ThreadClock {
        ThreadClock::from_raw(self.owner_clock.load(Ordering::Relaxed))
    }

    /// Whether somebody waits for the loop: its owner left ready work at hand, or there are events. Known without owning it.
    pub(crate) fn has_work(&self) -> bool {
        self.crew.is_work_left() || self.poller.has_events()
    }

    /// Sends an exchange home from a thread that has not got the loop.
    pub(crate) fn bring_back(&self, exchange: Box<Exchange>) {
        if self.returns.push(exchange) {
            self.doorbell.ring();
        }
    }

    /// The loop was taken; if from a call, that call is detached from now on.
    pub(crate) fn count_detached(&self, taken: Stamp) {
        if taken.is_call() {
            self.crew.note_detached();
        }
    }

    /// The watcher leads from now on: another thread has to watch.
    pub(crate) fn replace_watcher(self: &Arc<Engine>) {
        if self.crew.replace_watcher() {
            self.start_counted_thread();
        }
    }

    /// A thread was counted out: there may be nobody to watch, and room for one again.
    pub(crate) fn replace_stray(self: &Arc<Engine>) {
        if self.crew.replace_stray() {
            self.start_counted_thread();
        }
        // A request may have waited for the place, and the loop's owner sleep.
        self.doorbell.ring();
    }

    /// Starts the first thread of the crew.
    pub(crate) fn start_thread(self: &Arc<Engine>) {
        self.crew.note_thread(1);
        self.start_counted_thread();
    }

    fn start_counted_thread(self: &Arc<Engine>) {
        let engine = Arc::clone(self);
        self.counters.threads_started.fetch_add(1, Ordering::Relaxed);
        let started = std::thread::Builder::new().name("brickwork".into()).spawn(move || {
            let crew = Arc::clone(&engine.crew);
            let end = or_abort(|| work(&engine));
            drop(engine);
            match end {
                Duty::Leave => crew.note_thread(-1),
                Duty::Stray => crew.note_stray_back(),
                Duty::Retire | Duty::Watch => {}
            }
        });
        if let Err(error) = started {
            // Those that are there take turns; the guardian keeps I/O going.
            tracing::error!("no further thread can be started: {error}");
            self.crew.note_thread(-1);
        }
    }
}

/// Runs a thread of the server's own. A handler's panic is caught where it is called; a panic anywhere else is a fault in the loop, which
/// nobody could take over any more: the process ends at once and visibly, rather than stand still.
pub(crate) fn or_abort<R>(work: impl FnOnce() -> R) -> R {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| {
        tracing::error!("a fault in the server itself: the process ends");
        std::process::abort()
    })
}
