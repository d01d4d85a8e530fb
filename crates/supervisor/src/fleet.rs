//! Which workers there should be, and the steps from those that there are.
//!
//! One rule covers start, reload, recycling, a change of number and a death: workers of the target generation that are
//! not worn are *fresh*; as long as fewer than wanted of them live, one is started; as long as more than wanted are
//! ready, one is drained, and those that are not fresh go first. So nobody is drained before its replacement is ready.

use std::time::Instant;

use nix::sys::signal::Signal;

use crate::Role;
use crate::channel::{Channel, Order};
use crate::launch::Child;
use crate::supervisor::{MERCY, Phase, Supervisor};
use crate::worker::{Stage, Worker, Zygote};

/// Why a worker could not start.
pub(crate) struct BootFailure {
    /// The first line is the reason; a traceback may follow.
    text: String,
    /// It said so itself, here and in the log.
    is_told: bool,
}

impl BootFailure {
    pub(crate) fn told(text: String) -> BootFailure {
        BootFailure { text, is_told: true }
    }

    pub(crate) fn unheard(text: String) -> BootFailure {
        BootFailure { text, is_told: false }
    }
}

impl Supervisor {
    /// Takes the steps that can be taken now.
    pub(crate) fn converge(&mut self, now: Instant) {
        for worker in &mut self.workers {
            match worker.stage {
                Stage::Draining { kill_at } if kill_at <= now => {
                    tracing::warn!("{} does not end: it is killed", worker.name());
                    worker.signal(Signal::SIGKILL);
                    worker.stage = Stage::Draining { kill_at: now + MERCY };
                }
                Stage::Ready if worker.expires.is_some_and(|at| at <= now) => worker.is_worn = true,
                _ => {}
            }
        }
        self.end_late_responder(now);
        if !matches!(self.phase, Phase::Starting | Phase::Serving) {
            return;
        }
        self.start_missing(now);
        while self.workers.iter().filter(|worker| worker.is_ready()).count() > self.wanted {
            self.drain_one(now);
        }
        self.conclude_reload();
        // A zygote is needed as long as its generation gets workers.
        let (serving, target) = (self.serving, self.target);
        self.zygotes.retain(|zygote| zygote.generation == serving || zygote.generation == target);
    }

    fn is_fresh(&self, worker: &Worker) -> bool {
        worker.is_live() && worker.generation == self.target && !worker.is_worn
    }

    fn start_missing(&mut self, now: Instant) {
        let fresh = self.workers.iter().filter(|worker| self.is_fresh(worker)).count();
        let booting = self.workers.iter().filter(|worker| worker.is_booting()).count();
        let mut missing = self.wanted.saturating_sub(fresh);
        if self.back_off.until().is_some_and(|until| until > now) {
            return;
        }
        // The first one shows whether the application can be imported. In a reload they come one by one: old and new
        // ones side by side take memory.
        if self.phase == Phase::Starting || self.reload.is_some() {
            missing = missing.min(1_usize.saturating_sub(booting));
        }
        for _ in 0..missing {
            if let Err(error) = self.start_one() {
                tracing::error!("a worker cannot be started: {error}");
                let failure = BootFailure::unheard(format!("a worker cannot be started: {error}"));
                return self.on_boot_failure(self.target, failure, now);
            }
        }
    }

    fn start_one(&mut self) -> std::io::Result<()> {
        let (generation, is_first) = (self.target, self.phase == Phase::Starting);
        let is_taken = |place: &usize| self.workers.iter().any(|worker| worker.place == *place);
        let place = (0..).find(|place| !is_taken(place)).unwrap_or_default();
        if !self.settings.preload {
            let child = Child { role: Role::Worker, generation, place, is_first };
            let (pid, channel) = self.settings.launch.start(child, &self.shared)?;
            let mut worker = Worker::new(Some(pid), channel, generation, place);
            worker.oom_file = self.oom_kills.watch(pid);
            self.workers.push(worker);
            return Ok(());
        }
        match self.zygotes.iter().find(|zygote| zygote.generation == generation) {
            Some(zygote) if zygote.is_ready => {
                let (ours, theirs) = Channel::pair()?;
                zygote.channel.order_fork(theirs, place);
                self.workers.push(Worker::new(None, ours, generation, place));
            }
            Some(_) => {}
            None => {
                let child = Child { role: Role::Zygote, generation, place, is_first };
                let (pid, channel) = self.settings.launch.start(child, &self.shared)?;
                self.zygotes.push(Zygote {
                    pid,
                    channel,
                    generation,
                    is_ready: false,
                    failure: None,
                    is_mute: false,
                    last_words: None,
                    oom_file: self.oom_kills.watch(pid),
                });
                if is_first {
                    self.start_responder();
                }
            }
        }
        Ok(())
    }

    /// There is one ready worker too many.
    fn drain_one(&mut self, now: Instant) {
        let ready = self.workers.iter().enumerate().filter(|(_, worker)| worker.is_ready());
        let Some((index, _)) = ready.min_by_key(|(_, worker)| (self.is_fresh(worker), worker.generation)) else {
            return;
        };
        // During development nobody wants an old answer on a connection that happened to be open.
        let is_developing = self.settings.watch.is_some();
        let idle = if is_developing { std::time::Duration::ZERO } else { self.settings.graceful_timeout };
        let kill_at = now + self.settings.graceful_timeout + MERCY;
        let Some(worker) = self.workers.get_mut(index) else { return };
        if worker.watchdog.is_stuck() {
            tracing::warn!("{} still hangs and is replaced: it ends at once", worker.name());
            worker.end(&Order::Stop, now + MERCY);
        } else {
            tracing::info!("{} is replaced and drains", worker.name());
            worker.end(&Order::Drain { idle }, kill_at);
        }
    }

    /// A worker accepts connections.
    pub(crate) fn on_ready(&mut self, index: usize) {
        self.dismiss_responder();
        let generation = self.workers.get(index).map_or(0, |worker| worker.generation);
        if self.phase == Phase::Starting {
            self.phase = Phase::Serving;
            std::mem::replace(&mut self.hooks.on_serving, Box::new(|| ()))();
            self.notifier.ready(self.wanted);
        }
        if generation == self.target
            && let Some(reload) = &mut self.reload
        {
            reload.is_proven = true;
            self.serving = generation;
        }
    }

    /// A generation could not start a worker. If it never could, it is given up.
    pub(crate) fn on_boot_failure(&mut self, generation: u32, failure: BootFailure, now: Instant) {
        let BootFailure { text: failure, is_told } = failure;
        let (reason, stack) = failure.split_once('\n').unwrap_or((&failure, ""));
        // A worker that could speak has said it in the log itself.
        let stack = if is_told { "" } else { stack };
        if self.phase == Phase::Starting {
            if !is_told {
                tracing::error!(traceback = stack, "no worker could start: {reason}");
            }
            self.phase = Phase::Failed;
            for worker in &mut self.workers {
                worker.end(&Order::Stop, now);
            }
            return self.let_go("the server could not start");
        }
        self.back_off.note_death(now, None);
        if generation != self.target || self.reload.as_ref().is_none_or(|reload| reload.is_proven) {
            tracing::error!(traceback = stack, "no replacement could start: {reason}");
            return;
        }
        let Some(mut reload) = self.reload.take() else { return };
        let (bad, good) = (self.target, self.serving);
        tracing::error!(traceback = stack, "generation {bad} cannot serve: {reason}; generation {good} goes on");
        self.target = good;
        self.back_off.forget();
        for worker in self.workers.iter_mut().filter(|worker| worker.generation == bad) {
            worker.end(&Order::Stop, now);
        }
        self.notifier.reload_failed();
        reload.conclude(&Err(failure));
        self.reload_again(reload.again);
    }

    /// The reload is through when nobody of an older generation takes new connections.
    fn conclude_reload(&mut self) {
        let is_old = |worker: &Worker| (worker.is_live() || worker.accepts) && worker.generation != self.target;
        if !self.reload.as_ref().is_some_and(|reload| reload.is_proven) || self.workers.iter().any(is_old) {
            return;
        }
        if let Some(mut reload) = self.reload.take() {
            tracing::info!("generation {} serves", self.serving);
            self.notifier.ready(self.wanted);
            reload.conclude(&Ok(format!("generation {} serves", self.serving)));
            self.reload_again(reload.again);
        }
    }

    fn reload_again(&mut self, clients: Option<Vec<std::os::unix::net::UnixStream>>) {
        if let Some(clients) = clients {
            self.reload_with("asked for meanwhile", clients);
        }
    }
}
