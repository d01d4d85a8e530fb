//! The supervisor's rounds: every now and then it looks how the workers are. Is anything stuck, is one too large, who
//! was killed by the kernel? And what it answers when somebody asks.

use std::fmt::Write;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::certificate::{age_text, resident};
use crate::supervisor::{Settings, Supervisor};
use crate::watchdog::{self, Change, Stuck};
use crate::worker::{Stage, Worker};

/// When the rounds are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounds {
    next_look: Instant,
    next_pulse: Option<Instant>,
    pulse_pause: Duration,
}

/// Between two looks at memory: a process that leaks 100 MiB a second is seen in time where there is 200 MiB of room.
const LOOK: Duration = Duration::from_secs(2);
/// So long after it was told to, a process has written its stacks.
const WRITING: Duration = Duration::from_millis(300);
/// Upon this signal a worker writes its stacks. The kernel never sends it, and hardly anybody knows that it exists.
pub const WRITE_STACKS: Signal = Signal::SIGSTKFLT;

impl Rounds {
    pub(crate) fn every(settings: &Settings) -> Rounds {
        let now = Instant::now();
        let pulse_pause = settings.hang_timeout.map_or(Duration::ZERO, watchdog::pause);
        Rounds { next_look: now + LOOK, next_pulse: settings.hang_timeout.map(|_| now + pulse_pause), pulse_pause }
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.next_pulse.into_iter().chain([self.next_look]).min()
    }
}

impl Supervisor {
    pub(crate) fn look_after_workers(&mut self, now: Instant) {
        for index in 0..self.workers.len() {
            if self.workers[index].stacks_due.is_some_and(|due| due <= now) {
                self.show_stacks(index);
            }
        }
        if self.rounds.next_look <= now {
            self.rounds.next_look = now + LOOK;
            self.oom_kills.look();
            for index in 0..self.workers.len() {
                self.weigh(index, now);
            }
        }
        if self.rounds.next_pulse.is_some_and(|next| next <= now) {
            self.rounds.next_pulse = Some(now + self.rounds.pulse_pause);
            for index in 0..self.workers.len() {
                self.feel_pulse(index, now);
            }
        }
    }

    /// Is it too large?
    fn weigh(&mut self, index: usize, now: Instant) {
        let worker = &mut self.workers[index];
        worker.resident = worker.pid.and_then(resident).unwrap_or(0);
        let Some(most) = self.settings.max_worker_rss.filter(|&most| worker.resident > most) else { return };
        if worker.is_ready() && !worker.is_worn {
            worker.is_worn = true;
            let (name, has, most) = (worker.name(), worker.resident >> 20, most >> 20);
            tracing::warn!("{name} has {has} MiB, more than --max-worker-rss allows ({most} MiB): it is replaced");
            self.back_off.note_death(now, Some(now.saturating_duration_since(worker.began)));
        }
    }

    /// Does anything in it stand still?
    fn feel_pulse(&mut self, index: usize, now: Instant) {
        let worker = &mut self.workers[index];
        let Some(pulse) = self.shared.board.pulse(worker.place).filter(|_| worker.is_ready()) else { return };
        match worker.watchdog.look(pulse) {
            Change::None => {}
            Change::Stopped(stuck) => self.on_stuck(index, stuck, now),
            // Replaced all the same: in order, now that it can.
            Change::GoesOn => tracing::warn!("{} goes on", worker.name()),
        }
    }

    fn on_stuck(&mut self, index: usize, stuck: Stuck, now: Instant) {
        let timeout = self.settings.hang_timeout.unwrap_or_default();
        let worker = &mut self.workers[index];
        let findings = (self.hooks.examine)(self.shared.board.block(worker.place));
        let (name, in_flight) = (worker.name(), findings.in_flight_text());
        tracing::error!("{name} hangs: {stuck} for {}; {in_flight}; it is replaced", age_text(timeout));
        worker.is_worn = true;
        if let Some(words) = &mut worker.last_words {
            // What an earlier crash of one of its own children may have left.
            words.news();
            worker.signal(WRITE_STACKS);
            worker.stacks_due = Some(now + WRITING);
        }
    }

    fn show_stacks(&mut self, index: usize) {
        let worker = &mut self.workers[index];
        worker.stacks_due = None;
        let stacks = worker.last_words.as_mut().map(|words| words.news()).unwrap_or_default();
        let name = worker.name();
        if stacks.is_empty() {
            tracing::error!("{name} does not write its stacks: it is stopped, or waits for a device");
        } else {
            tracing::error!(traceback = stacks, "{name} is here:");
        }
    }

    /// What `brickwork status` shows.
    pub(crate) fn status(&self, now: Instant) -> String {
        let mut text = format!(
            "server {} ({}): generation {}, {} workers wanted\n",
            nix::unistd::getpid(),
            self.settings.name,
            self.serving,
            self.wanted
        );
        let mut sums = self.ended.counts.clone();
        for worker in &self.workers {
            let findings = (self.hooks.examine)(self.shared.board.block(worker.place));
            let age = age_text(now.saturating_duration_since(worker.began));
            let memory = worker.pid.and_then(resident).unwrap_or(worker.resident) >> 20;
            let _ = write!(text, "{}: {}, {age} old, {memory} MiB", worker.name(), stage(worker));
            for (name, count) in &findings.counts {
                let _ = write!(text, ", {name} {count}");
                match sums.iter_mut().find(|(known, _)| known == name) {
                    Some((_, sum)) => *sum += count,
                    None => sums.push((name, *count)),
                }
            }
            let _ = writeln!(text, "; {}", findings.in_flight_text());
        }
        let _ = write!(text, "all, with {} that have ended", self.ended.workers);
        for (name, sum) in sums {
            let _ = write!(text, ", {name} {sum}");
        }
        text
    }
}

fn stage(worker: &Worker) -> &'static str {
    match worker.stage {
        _ if worker.watchdog.is_stuck() => "hangs",
        Stage::Booting => "starts",
        Stage::Ready if worker.is_worn => "is to be replaced",
        Stage::Ready => "serves",
        Stage::Draining { .. } => "drains",
    }
}
