//! The process that answers health checks while a zygote imports the application for the first generation: the zygote
//! is to fork, so it may have no threads, and cannot answer them itself.
//!
//! It is no worker: it has no number, no place on the scoreboard, and nobody replaces it. It goes when a worker is
//! ready, or when there will be none.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Role;
use crate::channel::Channel;
use crate::launch::Child;
use crate::supervisor::{MERCY, Supervisor};

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Responder {
    pub(crate) pid: Pid,
    /// Its end tells the responder to go.
    channel: Option<Channel>,
    /// It was told to go, and is killed if it has not by then.
    pub(crate) kill_at: Option<Instant>,
}

/// When it goes, those that have connected but not asked yet have so long.
pub const RESPONDER_LEAVES_WITHIN: Duration = Duration::from_secs(1);

impl Supervisor {
    /// Without one the server starts all the same; checks wait.
    pub(crate) fn start_responder(&mut self) {
        if !self.settings.responder || self.responder.is_some() {
            return;
        }
        let child = Child { role: Role::Responder, generation: self.target, place: 0, is_first: true };
        match self.settings.launch.start(child, &self.shared) {
            Ok((pid, channel)) => self.responder = Some(Responder { pid, channel: Some(channel), kill_at: None }),
            Err(error) => tracing::warn!("health checks wait until a worker is ready: {error}"),
        }
    }

    /// A worker serves, or none will.
    pub(crate) fn dismiss_responder(&mut self) {
        if let Some(responder) = &mut self.responder
            && let Some(channel) = responder.channel.take()
        {
            drop(channel);
            responder.kill_at = Some(Instant::now() + RESPONDER_LEAVES_WITHIN + MERCY);
        }
    }

    /// Kills it if it was told to go and does not.
    pub(crate) fn end_late_responder(&mut self, now: Instant) {
        if let Some(responder) = &mut self.responder
            && responder.kill_at.is_some_and(|at| at <= now)
        {
            let _ = kill(responder.pid, Signal::SIGKILL);
            responder.kill_at = Some(now + MERCY);
        }
    }
}
