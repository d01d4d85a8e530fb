//! One child as the supervisor sees it.

use std::path::PathBuf;
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::LastWords;
use crate::channel::{Channel, Order};
use crate::watchdog::Watchdog;

/// A process that serves, or is about to, or is about to end.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Not known yet while a zygote forks it.
    pub(crate) pid: Option<Pid>,
    pub(crate) channel: Channel,
    pub(crate) generation: u32,
    /// On the scoreboard.
    pub(crate) place: usize,
    pub(crate) stage: Stage,
    /// When it was started.
    pub(crate) began: Instant,
    /// It has served enough, or for long enough: it is to be replaced.
    pub(crate) is_worn: bool,
    /// When it will have served for long enough.
    pub(crate) expires: Option<Instant>,
    /// It accepts connections, as far as we know.
    pub(crate) accepts: bool,
    /// Why it could not start.
    pub(crate) failure: Option<String>,
    /// Its end of the channel is closed: it only has to be reaped.
    pub(crate) is_mute: bool,
    pub(crate) watchdog: Watchdog,
    /// Bytes of memory, at the last look.
    pub(crate) resident: u64,
    /// What it writes when it crashes, or is asked where it is.
    pub(crate) last_words: Option<LastWords>,
    /// It was asked where it is, and has until then to write its stacks.
    pub(crate) stacks_due: Option<Instant>,
    /// Where the kernel counts its out-of-memory killer's victims in this worker's cgroup.
    pub(crate) oom_file: Option<PathBuf>,
}

/// How far a child's life has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It imports the application.
    Booting,
    /// It accepts connections.
    Ready,
    /// It was told to end, and is killed if it has not by then.
    Draining { kill_at: Instant },
}

impl Worker {
    pub(crate) fn new(pid: Option<Pid>, channel: Channel, generation: u32, place: usize) -> Worker {
        Worker {
            pid,
            channel,
            generation,
            place,
            stage: Stage::Booting,
            began: Instant::now(),
            is_worn: false,
            expires: None,
            accepts: false,
            failure: None,
            is_mute: false,
            watchdog: Watchdog::default(),
            resident: 0,
            last_words: None,
            stacks_due: None,
            oom_file: None,
        }
    }

    pub(crate) fn is_booting(&self) -> bool {
        self.stage == Stage::Booting
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    /// Counts among those that serve or will.
    pub(crate) fn is_live(&self) -> bool {
        !matches!(self.stage, Stage::Draining { .. })
    }

    /// Tells it to end, as it can at its stage.
    pub(crate) fn end(&mut self, order: &Order, kill_at: Instant) {
        if self.is_booting() {
            // It does not listen to orders before it serves, and nothing is lost with it.
            self.signal(Signal::SIGKILL);
        }
        // Heard also by one that was not killed, because its process id is not known yet.
        self.channel.order(order);
        self.stage = Stage::Draining { kill_at };
    }

    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid {
            let _ = kill(pid, signal);
        }
    }

    pub(crate) fn name(&self) -> String {
        let pid = self.pid.map_or_else(|| "(being forked)".into(), |pid| pid.to_string());
        format!("worker {pid} (generation {})", self.generation)
    }
}

/// A process that has imported the application and forks workers.
#[derive(Debug)]
pub(crate) struct Zygote {
    pub(crate) pid: Pid,
    pub(crate) channel: Channel,
    pub(crate) generation: u32,
    pub(crate) is_ready: bool,
    pub(crate) failure: Option<String>,
    pub(crate) is_mute: bool,
    pub(crate) last_words: Option<LastWords>,
    pub(crate) oom_file: Option<PathBuf>,
}
