//! Burying processes: what a worker's death means for the others, and what the log has to say about it.

use std::path::Path;
use std::time::Instant;

use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;

use crate::LastWords;
use crate::certificate::{Findings, certificate};
use crate::end::{Dead, describe, next_dead};
use crate::fleet::BootFailure;
use crate::supervisor::Supervisor;
use crate::worker::{Stage, Worker};

/// What workers that have ended did, together.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    pub(crate) workers: u64,
    pub(crate) counts: Vec<(&'static str, u64)>,
}

impl Supervisor {
    /// Buries the dead, ours and those that we inherited.
    pub(crate) fn reap(&mut self, now: Instant) {
        while let Some(dead) = next_dead() {
            if let Some(index) = self.workers.iter().position(|worker| worker.pid == Some(dead.pid)) {
                // Its last messages may still be in the channel.
                self.hear_worker(index, now);
                let worker = self.workers.remove(index);
                self.on_end(worker, &dead, now);
            } else if let Some(index) = self.zygotes.iter().position(|zygote| zygote.pid == dead.pid) {
                self.hear_zygotes(now);
                // It is gone already if it has said why.
                if self.zygotes.get(index).is_some_and(|zygote| zygote.pid == dead.pid) {
                    self.on_zygote_end(index, &dead, now);
                }
            } else {
                self.responder.take_if(|responder| responder.pid == dead.pid);
            }
        }
    }

    fn on_zygote_end(&mut self, index: usize, dead: &Dead, now: Instant) {
        let zygote = self.zygotes.remove(index);
        let how = self.how(dead, zygote.oom_file.as_deref());
        let text = format!("the process that imports for generation {} {how}", zygote.generation);
        if zygote.is_ready {
            tracing::warn!("{text}: another one will import");
        } else {
            let stack = last_stack(dead, zygote.last_words);
            let failure = BootFailure::unheard(format!("{text}\n{stack}"));
            self.on_boot_failure(zygote.generation, zygote.failure.map_or(failure, BootFailure::told), now);
        }
    }

    fn on_end(&mut self, mut worker: Worker, dead: &Dead, now: Instant) {
        let block = self.shared.board.block(worker.place);
        let findings = (self.hooks.examine)(block);
        self.shared.board.clear(worker.place);
        self.ended.add(&findings);
        let how = self.how(dead, worker.oom_file.as_deref());
        let line = certificate(&worker, dead, &how, &findings, now);
        let stack = last_stack(dead, worker.last_words.take());
        match worker.stage {
            Stage::Booting => {
                let name = worker.name();
                let unheard = || BootFailure::unheard(format!("{name} {how} before it was ready\n{stack}"));
                let failure = worker.failure.map_or_else(unheard, BootFailure::told);
                self.on_boot_failure(worker.generation, failure, now);
            }
            Stage::Ready => {
                tracing::error!(traceback = stack, "{line}{}", introduction(&stack));
                self.back_off.note_death(now, Some(now.saturating_duration_since(worker.began)));
            }
            Stage::Draining { .. } if matches!(dead.status, WaitStatus::Exited(_, 0)) && findings.in_flight == 0 => {
                tracing::info!("{line}");
            }
            Stage::Draining { .. } => tracing::warn!(traceback = stack, "{line}{}", introduction(&stack)),
        }
    }

    /// How a process ended, and by whom it was killed, if the kernel tells.
    fn how(&mut self, dead: &Dead, oom_file: Option<&Path>) -> String {
        let how = describe(dead.status).unwrap_or_default();
        match (dead.status, oom_file) {
            (WaitStatus::Signaled(_, Signal::SIGKILL, _), Some(file)) => match self.oom_kills.explain(file) {
                Some(culprit) => format!("{how} by {culprit}"),
                None => how,
            },
            _ => how,
        }
    }
}

impl Ended {
    fn add(&mut self, findings: &Findings) {
        self.workers += 1;
        for (name, count) in &findings.counts {
            match self.counts.iter_mut().find(|(known, _)| known == name) {
                Some((_, sum)) => *sum += count,
                None => self.counts.push((name, *count)),
            }
        }
    }
}

/// What a process that crashed has left of its stacks.
fn last_stack(dead: &Dead, last_words: Option<LastWords>) -> String {
    let has_crashed = matches!(dead.status, WaitStatus::Signaled(_, signal, _) if CRASHES.contains(&signal));
    if has_crashed { last_words.map(|mut words| words.news()).unwrap_or_default() } else { String::new() }
}

/// The signals on which a process writes its stacks before it ends.
const CRASHES: [Signal; 5] = [Signal::SIGSEGV, Signal::SIGABRT, Signal::SIGBUS, Signal::SIGFPE, Signal::SIGILL];

fn introduction(stack: &str) -> &'static str {
    if stack.is_empty() { "" } else { "; its last stacks:" }
}
