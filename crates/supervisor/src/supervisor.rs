//! The supervisor: one thread that starts workers, listens to them and to signals, and compares what is with what should
//! be. It runs no application code, accepts nothing, and keeps the listeners open whatever happens to workers.
//!
//! Here: its life, and signals. `fleet.rs`: which workers there are and should be. `reports.rs`: what they say. `rounds.rs`: how
//! they are. `deaths.rs`: how they ended.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::back_off::BackOff;
use crate::certificate::Findings;
use crate::channel::Order;
use crate::control::{ControlSocket, Request, answer};
use crate::deaths::Ended;
use crate::launch::Shared;
use crate::oom::OomKills;
use crate::reload::Reload;
use crate::responder::Responder;
use crate::rounds::Rounds;
use crate::watch::FileWatch;
use crate::worker::{Stage, Worker, Zygote};
use crate::{Launch, Notifier, Scoreboard, Signal, Signals, Woken};

/// What the supervisor is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How many workers.
    pub workers: usize,
    /// How to start one.
    pub launch: Launch,
    /// Import once in each generation, and fork workers from there.
    pub preload: bool,
    /// While the first generation is imported so, have a process of its own answer health checks.
    pub responder: bool,
    /// How long a worker that was told to end may take.
    pub graceful_timeout: Duration,
    /// How long, after TERM, everything goes on but readiness.
    pub drain_delay: Duration,
    /// A worker is replaced after about so long.
    pub max_worker_lifetime: Option<Duration>,
    /// A worker in which nothing moves for so long is replaced.
    pub hang_timeout: Option<Duration>,
    /// A worker with more memory than this, in bytes, is replaced.
    pub max_worker_rss: Option<u64>,
    /// Reload when the application's files change, or one of these.
    pub watch: Option<Vec<OsString>>,
    /// The name under which `brickwork reload` finds us.
    pub name: String,
    /// Where the service manager listens: NOTIFY_SOCKET.
    pub notify_socket: Option<OsString>,
}

/// What the supervisor asks of the program that it is in.
pub struct Hooks {
    /// Words in the block of shared memory that each worker has.
    pub block: usize,
    /// Tells what such a block says.
    pub examine: fn(&'static [AtomicU64]) -> Findings,
    /// Called once, when the first worker accepts connections.
    pub on_serving: Box<dyn FnOnce() + Send>,
    /// Called to open our own log again.
    pub on_reopen_logs: Box<dyn Fn() + Send>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it was told to.
    Ended,
    /// No worker of the first generation could start.
    NeverServed,
}

/// See the module's documentation.
pub struct Supervisor {
    pub(crate) settings: Settings,
    pub(crate) hooks: Hooks,
    pub(crate) notifier: Notifier,
    pub(crate) shared: Shared,
    signals: Signals,
    control: Option<ControlSocket>,
    pub(crate) watch: Option<FileWatch>,
    pub(crate) phase: Phase,
    pub(crate) wanted: usize,
    pub(crate) workers: Vec<Worker>,
    pub(crate) zygotes: Vec<Zygote>,
    pub(crate) responder: Option<Responder>,
    /// The generation that serves.
    pub(crate) serving: u32,
    /// The generation that new workers belong to; differs from `serving` until a reload has proven itself.
    pub(crate) target: u32,
    /// Generations begun so far.
    begun: u32,
    pub(crate) reload: Option<Reload>,
    pub(crate) back_off: BackOff,
    pub(crate) oom_kills: OomKills,
    pub(crate) rounds: Rounds,
    /// What the counts of workers that have ended add up to.
    pub(crate) ended: Ended,
}

/// What the supervisor is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// No worker has been ready yet.
    Starting,
    Serving,
    /// Told to end, and waits until the world has noticed.
    Unready {
        until: Instant,
    },
    /// Everybody is told to end.
    Leaving,
    /// The first generation cannot start.
    Failed,
}

/// The signals of a supervisor.
pub(crate) const SIGNALS: &[Signal] = &[
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGHUP,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
    Signal::SIGCHLD,
];

/// So long after the graceful timeout a worker that was told to end is killed: it gives up on stuck requests by itself.
pub(crate) const MERCY: Duration = Duration::from_secs(5);
/// When the whole server ends, idle connections are kept so long for a request that is already on its way. In a reload
/// it costs nothing to keep them longer.
const LAST_IDLE: Duration = Duration::from_secs(5);

impl Supervisor {
    /// Makes this process the supervisor of workers that share `listeners`.
    ///
    /// # Errors
    /// If signals cannot be taken.
    pub fn new(settings: Settings, hooks: Hooks, listeners: Vec<OwnedFd>) -> io::Result<Supervisor> {
        let signals = Signals::install(SIGNALS)?;
        // Children of workers, and workers forked by a zygote, become ours when their parent ends.
        nix::sys::prctl::set_child_subreaper(true)?;
        let control = ControlSocket::bind(&settings.name)
            .inspect_err(|error| tracing::info!("brickwork reload will not reach this server: {error}"))
            .ok();
        let watch = settings.watch.as_deref().map(FileWatch::new).transpose()?;
        let rounds = Rounds::every(&settings);
        let board = Scoreboard::create(hooks.block)?;
        Ok(Supervisor {
            wanted: settings.workers,
            notifier: Notifier::new(settings.notify_socket.as_deref()),
            settings,
            hooks,
            shared: Shared { listeners, board },
            signals,
            control,
            watch,
            phase: Phase::Starting,
            workers: Vec::new(),
            zygotes: Vec::new(),
            responder: None,
            serving: 1,
            target: 1,
            begun: 1,
            reload: None,
            back_off: BackOff::default(),
            oom_kills: OomKills::default(),
            rounds,
            ended: Ended::default(),
        })
    }

    /// Serves until told to end.
    ///
    /// # Errors
    /// If waiting for events fails.
    pub fn run(mut self) -> io::Result<Outcome> {
        loop {
            let now = Instant::now();
            self.hear(now);
            self.reap(now);
            self.look_for_requests();
            if let Some(path) = self.watch.as_mut().and_then(|watch| watch.look(now)) {
                self.begin_reload(&format!("{} changed", path.display()), None);
            }
            self.look_after_workers(now);
            self.converge(now);
            // Whoever holds a listener has to be gone: the address is free when we are.
            let is_alone = self.workers.is_empty() && self.responder.is_none();
            match self.phase {
                Phase::Failed if is_alone => return Ok(Outcome::NeverServed),
                Phase::Leaving if is_alone => return Ok(Outcome::Ended),
                Phase::Unready { until } if until <= now => self.leave(LAST_IDLE),
                _ => {}
            }
            if self.phase != Phase::Leaving || !is_alone {
                self.wait(now)?;
            }
        }
    }

    /// Waits until something happens or is due, and obeys signals.
    fn wait(&mut self, now: Instant) -> io::Result<()> {
        let due = self.due();
        let mut others: Vec<BorrowedFd<'_>> = Vec::new();
        others.extend(self.workers.iter().filter(|worker| !worker.is_mute).map(|worker| worker.channel.as_fd()));
        others.extend(self.zygotes.iter().filter(|zygote| !zygote.is_mute).map(|zygote| zygote.channel.as_fd()));
        others.extend(self.control.iter().map(|control| control.0.as_fd()));
        others.extend(self.watch.iter().filter_map(FileWatch::fd));
        let at_most = due.map(|due| due.saturating_duration_since(now));
        let woken = self.signals.wait_at_most(&others, at_most)?;
        if let Some(Woken::Signal(signal)) = woken {
            self.obey(signal);
        }
        Ok(())
    }

    fn due(&self) -> Option<Instant> {
        let stages = self.workers.iter().filter_map(|worker| match worker.stage {
            Stage::Draining { kill_at } => Some(kill_at),
            Stage::Ready if !worker.is_worn => worker.expires,
            _ => None,
        });
        let unready = match self.phase {
            Phase::Unready { until } => Some(until),
            _ => None,
        };
        let retry = self.back_off.until().filter(|&until| until > Instant::now());
        stages
            .chain(unready)
            .chain(retry)
            .chain(self.responder.as_ref().and_then(|responder| responder.kill_at))
            .chain(self.rounds.due())
            .chain(self.watch.as_ref().and_then(FileWatch::due))
            .min()
    }

    fn obey(&mut self, signal: Signal) {
        let is_ending = matches!(self.phase, Phase::Unready { .. } | Phase::Leaving | Phase::Failed);
        match signal {
            Signal::SIGTERM if !is_ending && !self.settings.drain_delay.is_zero() => {
                tracing::info!("TERM: not ready any more; draining in {:?}", self.settings.drain_delay);
                self.notifier.stopping();
                self.tell_all(&Order::Unready);
                self.phase = Phase::Unready { until: Instant::now() + self.settings.drain_delay };
            }
            Signal::SIGTERM if self.phase != Phase::Leaving => {
                tracing::info!(
                    "TERM: finishing what is in flight, for {:?} at the most",
                    self.settings.graceful_timeout
                );
                self.leave(LAST_IDLE);
            }
            // Somebody sits in front of it, and of the only browser.
            Signal::SIGINT if !is_ending => {
                tracing::info!(
                    "INT: finishing what is in flight, for {:?} at the most",
                    self.settings.graceful_timeout
                );
                self.leave(Duration::ZERO);
            }
            Signal::SIGINT | Signal::SIGQUIT => {
                tracing::info!("{signal}: ending at once");
                self.leave_now();
            }
            Signal::SIGHUP => self.begin_reload("HUP", None),
            Signal::SIGUSR1 => {
                (self.hooks.on_reopen_logs)();
                self.tell_all(&Order::ReopenLogs);
            }
            Signal::SIGUSR2 => self.tell_all(&Order::ShowCalls),
            Signal::SIGTTIN => self.change_wanted(1),
            Signal::SIGTTOU => self.change_wanted(-1),
            _ => {}
        }
    }

    fn change_wanted(&mut self, by: isize) {
        self.wanted = self.wanted.saturating_add_signed(by).max(1);
        tracing::info!("{} workers from now on", self.wanted);
    }

    fn tell_all(&self, order: &Order) {
        for worker in self.workers.iter().filter(|worker| !worker.is_booting()) {
            worker.channel.order(order);
        }
    }

    /// Ends: everybody drains.
    fn leave(&mut self, idle: Duration) {
        self.notifier.stopping();
        self.phase = Phase::Leaving;
        let kill_at = Instant::now() + self.settings.graceful_timeout + MERCY;
        for worker in &mut self.workers {
            worker.end(&Order::Drain { idle }, kill_at);
        }
        self.let_go("the server ends");
    }

    fn leave_now(&mut self) {
        self.phase = Phase::Leaving;
        let kill_at = Instant::now() + MERCY;
        for worker in &mut self.workers {
            worker.end(&Order::Stop, kill_at);
        }
        self.let_go("the server ends");
    }

    /// Gives up what is only for a server that goes on. The workers still hold the listeners until they have accepted
    /// what waits there.
    pub(crate) fn let_go(&mut self, why: &str) {
        self.zygotes.clear();
        self.dismiss_responder();
        self.shared.listeners.clear();
        self.control = None;
        self.watch = None;
        if let Some(mut reload) = self.reload.take() {
            reload.conclude(&Err(why.into()));
        }
    }

    /// Starts a new generation, beside the one that serves.
    fn begin_reload(&mut self, why: &str, client: Option<UnixStream>) {
        if self.phase != Phase::Serving {
            tracing::warn!(
                "{why}: no reload while the server {}",
                match self.phase {
                    Phase::Starting => "is still starting",
                    _ => "is ending",
                }
            );
            client.into_iter().for_each(|client| answer(client, &Err("the server is starting or ending".into())));
            return;
        }
        if let Some(reload) = &mut self.reload {
            tracing::info!("{why}: once more, when the reload that is on its way is through");
            return reload.ask_again(client);
        }
        self.reload_with(why, client.into_iter().collect());
    }

    pub(crate) fn reload_with(&mut self, why: &str, clients: Vec<UnixStream>) {
        self.begun += 1;
        self.target = self.begun;
        self.back_off.forget();
        tracing::info!(
            "{why}: starting generation {}; generation {} serves until it is ready",
            self.target,
            self.serving
        );
        self.notifier.reloading();
        self.reload = Some(Reload::new(clients));
    }

    fn look_for_requests(&mut self) {
        while let Some((request, client)) = self.control.as_ref().and_then(ControlSocket::next_request) {
            match request {
                Request::Reload => self.begin_reload("brickwork reload", Some(client)),
                Request::Status => answer(client, &Ok(self.status(Instant::now()))),
            }
        }
    }
}
