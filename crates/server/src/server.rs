//! A running server, and how to end it.

use std::io;
use std::net::ToSocketAddrs;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::calls::Calls;
use crate::clerk::{Clerk, Notice, keep_records};
use crate::config::Setup;
use crate::content_memory::ContentMemory;
use crate::courier::{Courier, deliver};
use crate::doorbell::Doorbell;
use crate::engine::{Engine, Orders, Shared, or_abort};
use crate::inbox::{Arrival, Inbox};
use crate::promote::{Crew, guard};
use crate::returns::ReturnQueue;
use crate::{Bind, Config, Handler, Interpreter, Listener, NoInterpreter, Peer, Record};

/// A server whose threads are running.
pub struct Server {
    stopper: Stopper,
    guardian: std::thread::JoinHandle<()>,
}

/// Ends a server from anywhere, and tells what it does. Clones are for the same one.
#[derive(Clone)]
pub struct Stopper {
    engine: Arc<Engine>,
    /// When draining turns into ending.
    deadline: Arc<Mutex<Option<Instant>>>,
}

/// Wakes a server's loop.
#[derive(Clone, Debug)]
pub struct Bell(Arc<Doorbell>);

impl Bell {
    /// The loop makes a turn: [`Counters::turns`](crate::Counters::turns) grows.
    pub fn ring(&self) {
        self.0.ring();
    }
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every request in flight was finished and every thread has joined.
    Drained,
    /// The time was up (or `stop_now` was called) with so many requests still in a handler.
    Abandoned(usize),
}

/// How long threads that were told to leave may take to do so before they are given up as stuck in a handler: a number of times. Where the
/// whole machine stands still for a second, as virtual ones do, only one of them has passed, and the threads have not had their chance.
const LEAVE: (u32, Duration) = (10, Duration::from_millis(50));

impl Server {
    /// Starts serving `listeners` with `handler`: returns at once, the work is done in threads of the server's own.
    ///
    /// # Errors
    /// If epoll, a timer or a thread cannot be had.
    pub fn start(
        config: Config,
        listeners: Vec<Listener>,
        handler: Arc<dyn Handler>,
        interpreter: Arc<dyn Interpreter>,
    ) -> io::Result<Server> {
        let counters = config.record.clone();
        let crew = Arc::new(Crew::new(config.threads, counters.clone())?);
        let content_memory = ContentMemory::new(config.spool.memory);
        let (is_draining, courier) = (AtomicBool::new(false), Courier::default());
        let setup = Arc::new(Setup { is_draining, config, content_memory, interpreter, courier });
        let doorbell = Arc::new(Doorbell::new()?);
        let (returns, inbox) = (Arc::new(ReturnQueue::new()), Arc::new(Inbox::default()));
        let (calls, clerk) = (Arc::new(Calls::new(counters.clone())), Arc::new(Clerk::default()));
        let shared = Shared { setup, counters, doorbell, crew, returns, inbox, calls, clerk };
        let engine = Arc::new(Engine::new(shared, handler, listeners)?);
        let setup = Arc::clone(&engine.setup);
        std::thread::Builder::new().name("courier".into()).spawn(move || or_abort(|| deliver(&setup.courier)))?;
        #[cfg(feature = "reference-schedulers")]
        if engine.setup.config.scheduler != crate::Scheduler::Promote {
            return Self::start_reference(engine);
        }
        let kept = Arc::clone(&engine);
        std::thread::Builder::new().name("clerk".into()).spawn(move || or_abort(|| keep_records(&kept)))?;
        let guarded = Arc::clone(&engine);
        let guardian =
            std::thread::Builder::new().name("guardian".into()).spawn(move || or_abort(|| guard(&guarded)))?;
        engine.start_thread();
        Ok(Server { stopper: Stopper { engine, deadline: Arc::default() }, guardian })
    }

    #[cfg(feature = "reference-schedulers")]
    fn start_reference(engine: Arc<Engine>) -> io::Result<Server> {
        use crate::promote::reference::{Pool, run_inline};
        type Work = Box<dyn FnOnce(&Arc<Engine>) + Send>;
        let spawn = |work: Work| {
            let engine = Arc::clone(&engine);
            engine.crew.note_thread(1);
            std::thread::Builder::new().spawn(move || {
                work(&engine);
                engine.crew.note_thread(-1);
            })
        };
        let first = if engine.setup.config.scheduler == crate::Scheduler::Inline {
            spawn(Box::new(run_inline))?
        } else {
            let pool = Arc::new(Pool::default());
            for _ in 0..engine.setup.config.threads {
                let pool = Arc::clone(&pool);
                spawn(Box::new(move |engine| pool.run_thread(engine)))?;
            }
            spawn(Box::new(move |engine| pool.run_loop(engine)))?
        };
        Ok(Server { stopper: Stopper { engine, deadline: Arc::default() }, guardian: first })
    }

    /// Accepts from one more listener from now on.
    pub fn listen(&self, listener: Listener) {
        self.deliver(Arrival::Listener(listener));
    }

    /// Serves a connection that was made elsewhere: a connected stream socket.
    ///
    /// # Errors
    /// If the socket cannot be made non-blocking.
    pub fn adopt(&self, socket: OwnedFd, peer: Peer) -> io::Result<()> {
        rustix::io::ioctl_fionbio(&socket, true)?;
        self.deliver(Arrival::Connection(socket, peer));
        Ok(())
    }

    fn deliver(&self, arrival: Arrival) {
        let engine = &self.stopper.engine;
        engine.inbox.deliver(arrival);
        engine.doorbell.ring();
    }

    /// From now on requests wait in the queue, but for those that need no call: the handler has to be made ready first. Say so before
    /// there are any.
    pub fn hold_calls(&self) {
        self.stopper.engine.crew.hold(true);
    }

    /// The handler is ready: what waits is handled.
    pub fn release_calls(&self) {
        let engine = &self.stopper.engine;
        engine.crew.hold(false);
        engine.doorbell.ring();
    }

    /// A handle that wakes the loop, for no reason but to see it turn.
    #[must_use]
    pub fn bell(&self) -> Bell {
        Bell(Arc::clone(&self.stopper.engine.doorbell))
    }

    /// A handle that ends this server.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// What the server has counted so far.
    #[must_use]
    pub fn counters(&self) -> Record {
        self.stopper.engine.counters.clone()
    }

    /// Waits until the server has ended. Must not be called with the interpreter lock held.
    #[must_use]
    pub fn join(self) -> Ended {
        let crew = &self.stopper.engine.crew;
        loop {
            let left = self.stopper.deadline().map(|at| at.saturating_duration_since(Instant::now()));
            let before = left.is_some();
            // Wakes when the server is over, when the deadline passes, or when there is a deadline where there was none.
            let (_, is_over) = crew.wait_for(left, |_, is_over| is_over || self.stopper.deadline().is_some() != before);
            if is_over {
                break;
            }
            if self.stopper.deadline().is_some_and(|at| at <= Instant::now()) {
                self.stopper.stop_now();
                crew.wait_for(None, |_, is_over| is_over);
                break;
            }
        }
        self.stopper.engine.clerk.dismiss();
        self.stopper.engine.setup.courier.dismiss();
        let (times, time) = LEAVE;
        let have_left = (0..times).any(|_| crew.wait_for(Some(time), |threads, _| threads == 0).0 == 0);
        let _ = self.guardian.join();
        // Threads that wait for the interpreter lock behind a stuck call are stuck too, but hold no request.
        if have_left { Ended::Drained } else { Ended::Abandoned(crew.abandoned()) }
    }
}

impl Stopper {
    /// Stops accepting and lets what is in flight finish, for `grace` at the most; idle connections close.
    pub fn drain(&self, grace: Duration) {
        self.drain_keeping_idle(grace, Duration::ZERO);
    }

    /// As [`drain`](Stopper::drain), but idle connections stay for `idle`, or until they have had one more answer, which says that it
    /// is the last: a request that is on its way to us is then not lost. A second call can shorten either time.
    pub fn drain_keeping_idle(&self, grace: Duration, idle: Duration) {
        let idle = u64::try_from(idle.min(grace).as_millis()).unwrap_or(u64::MAX);
        self.engine.idle_grace.store(idle, Ordering::Relaxed);
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + grace);
        self.engine.order(Orders::Drain);
        self.engine.crew.note_change();
    }

    /// Whether the loop has begun to drain: it accepts no more connections.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.engine.setup.is_draining.load(Ordering::Relaxed)
    }

    /// Ends at once; requests in flight are cut off.
    pub fn stop_now(&self) {
        self.engine.order(Orders::Stop);
    }

    /// Writes into the log which requests are in the handler now, for how long, and where.
    pub fn log_calls(&self) {
        self.engine.clerk.tell(Notice::Show(None));
    }

    /// As [`log_calls`](Stopper::log_calls), but returns it as text; None if that takes longer than `patience`.
    #[must_use]
    pub fn show_calls(&self, patience: Duration) -> Option<String> {
        let (reader, shown) = std::sync::mpsc::channel();
        self.engine.clerk.tell(Notice::Show(Some(reader)));
        shown.recv_timeout(patience).ok()
    }

    fn deadline(&self) -> Option<Instant> {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server")
    }
}

impl std::fmt::Debug for Stopper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stopper")
    }
}

/// Serves `interface` with `handler` until the process ends: the shortest way to a server.
///
/// # Errors
/// If the address cannot be bound, or threads cannot be had.
pub fn serve<H: Handler>(interface: impl ToSocketAddrs, handler: H) -> io::Result<()> {
    const BACKLOG: u32 = 2048;
    let mut listeners = Vec::new();
    for address in interface.to_socket_addrs()? {
        let bind = Bind::Tcp { host: address.ip().to_string(), port: address.port() };
        listeners.push(Listener::bind(&bind, BACKLOG)?);
    }
    let server = Server::start(Config::default(), listeners, Arc::new(handler), Arc::new(NoInterpreter))?;
    let _ = server.join();
    Ok(())
}
