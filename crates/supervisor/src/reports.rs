//! What workers and zygotes say of themselves, and what follows from it. What they are told: `Order`s, by whoever decides it.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use crate::LastWords;
use crate::channel::{Channel, Heard, Report};
use crate::fleet::BootFailure;
use crate::supervisor::{MERCY, Supervisor};
use crate::worker::Stage;

impl Supervisor {
    /// Takes what the children have said.
    pub(crate) fn hear(&mut self, now: Instant) {
        for index in 0..self.workers.len() {
            self.hear_worker(index, now);
        }
        // One that died before it could say who it is cannot be told from others when it is reaped.
        self.workers.retain(|worker| worker.pid.is_some() || !worker.is_mute);
        self.hear_zygotes(now);
    }

    pub(crate) fn hear_zygotes(&mut self, now: Instant) {
        let mut failed = None;
        for zygote in &mut self.zygotes {
            while let Some((report, fd)) = listen(&zygote.channel, &mut zygote.is_mute) {
                match report {
                    Report::Ready => zygote.is_ready = true,
                    Report::Failed(text) => zygote.failure = Some(text),
                    Report::Imported(paths) => drop(self.watch.as_mut().map(|watch| watch.add(paths))),
                    Report::LastWords => zygote.last_words = fd.map(LastWords::received),
                    Report::Forked(_) | Report::Recycle | Report::Quiet => {}
                }
            }
            if zygote.is_mute && zygote.failure.is_some() {
                failed = Some((zygote.generation, zygote.failure.take().unwrap_or_default()));
            }
        }
        if let Some((generation, text)) = failed {
            self.zygotes.retain(|zygote| zygote.generation != generation);
            self.on_boot_failure(generation, BootFailure::told(text), now);
        }
    }

    pub(crate) fn hear_worker(&mut self, index: usize, now: Instant) {
        while let Some((report, fd)) =
            self.workers.get_mut(index).and_then(|worker| listen(&worker.channel, &mut worker.is_mute))
        {
            self.on_report(index, report, fd, now);
        }
    }

    fn on_report(&mut self, index: usize, report: Report, fd: Option<OwnedFd>, now: Instant) {
        let Some(worker) = self.workers.get_mut(index) else { return };
        match report {
            Report::Forked(pid) => {
                let pid = Pid::from_raw(pid);
                worker.pid = Some(pid);
                worker.oom_file = self.oom_kills.watch(pid);
            }
            Report::Ready if worker.is_booting() => {
                worker.stage = Stage::Ready;
                worker.accepts = true;
                // The application may have moved it to another cgroup.
                worker.oom_file = worker.pid.and_then(|pid| self.oom_kills.watch(pid));
                worker.expires = self.settings.max_worker_lifetime.map(|lifetime| now + spread(lifetime, worker.pid));
                tracing::info!("{} is ready", worker.name());
                self.on_ready(index);
            }
            Report::Ready => {}
            Report::Failed(text) => worker.failure = Some(text),
            Report::Recycle => worker.is_worn = true,
            Report::Quiet => {
                worker.accepts = false;
                if worker.is_ready() {
                    // Somebody else told it: TERM to the worker itself. It is replaced while it drains.
                    tracing::info!("{} drains of its own accord", worker.name());
                    worker.stage = Stage::Draining { kill_at: now + self.settings.graceful_timeout + MERCY };
                }
            }
            Report::LastWords => worker.last_words = fd.map(LastWords::received),
            Report::Imported(paths) => drop(self.watch.as_mut().map(|watch| watch.add(paths))),
        }
    }
}

/// The next report, if there is one, and what came along; notes the end.
fn listen(channel: &Channel, is_mute: &mut bool) -> Option<(Report, Option<OwnedFd>)> {
    if *is_mute {
        return None;
    }
    match channel.hear() {
        Heard::Message(report) => Some(report),
        Heard::Nothing => None,
        Heard::End => {
            *is_mute = true;
            None
        }
    }
}

/// A tenth more or less, so that workers that started together do not end together.
fn spread(lifetime: Duration, pid: Option<Pid>) -> Duration {
    // Consecutive process ids end up far from each other (Fibonacci hashing).
    let hash = pid.map_or(0, Pid::as_raw).unsigned_abs().wrapping_mul(2_654_435_769);
    lifetime.mul_f64(0.9 + 0.2 * f64::from(hash) / f64::from(u32::MAX))
}
