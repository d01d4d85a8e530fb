//! The part of a worker that clients see: loop, threads, health checks. What answers requests is put behind it when it
//! is there; until then requests wait, and health checks say so.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use brickwork_command::Config;
use brickwork_server::{AccessLog, Balance, Handler, Interpreter, Listener, NoInterpreter, Peer, Record, Server};
use brickwork_supervisor::Scoreboard;
use brickwork_wsgi::Gil;
use pyo3::prelude::*;

use crate::application::LoadError;
use crate::files;
use crate::health::{PROBE, Readiness, Watched};
use crate::pulse::Pulse;
use crate::recycle::Worn;
use crate::serve::{self, plain};

/// See the module's documentation.
pub(crate) struct Front {
    pub(crate) server: Server,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) access_log: Option<AccessLog>,
    pub(crate) pulse: Option<Pulse>,
    handler: Arc<Watched>,
}

/// A worker's place among those that serve together: what it shares with them, and with the supervisor.
pub(crate) struct Place {
    balance: Option<Balance>,
    record: Record,
    pulse: Option<brickwork_supervisor::Pulse>,
}

impl Place {
    /// That of a process that is not one of them.
    pub(crate) fn apart() -> Place {
        Place { balance: None, record: Record::default(), pulse: None }
    }

    pub(crate) fn at(board: &Scoreboard, place: usize) -> Place {
        Place {
            balance: Balance::new(board.numbers(), place),
            record: Record::shared(board.block(place)).unwrap_or_default(),
            pulse: board.pulse(place),
        }
    }
}

impl Front {
    /// Starts the threads, with nothing behind them yet, and nothing to accept from.
    pub(crate) fn start(config: &Config, place: Place, worn: &Worn) -> Result<Front, LoadError> {
        let access_log = serve::open_access_log(config).map_err(|error| plain(format!("--access-logfile: {error}")))?;
        let needs_python = config.subject.application_name().is_some();
        let interpreter: Arc<dyn Interpreter> = if needs_python { Arc::new(Gil) } else { Arc::new(NoInterpreter) };
        let readiness = Arc::new(Readiness::booting());
        let handler = Arc::new(Watched::new(config.health_path.clone(), Arc::clone(&readiness)));
        let mut settings = serve::server_config(config, access_log.clone());
        settings.balance = place.balance;
        settings.record = place.record;
        let worn = worn.clone();
        settings.on_stuck = Some(Arc::new(move || {
            tracing::error!("too many threads do not come back from the application: this worker is to be replaced");
            worn.note();
        }));
        let sendfile_root = config.sendfile_root.as_deref().map(files::open_sendfile_root).transpose();
        settings.sendfile_root = sendfile_root.map_err(|error| plain(error.to_string()))?;
        let no_thread = |error: std::io::Error| plain(format!("the server's threads: {error}"));
        let server = Server::start(
            settings,
            Vec::new(),
            Arc::<Watched>::clone(&handler),
            Arc::<dyn Interpreter>::clone(&interpreter),
        )
        .map_err(no_thread)?;
        let pulse = match (place.pulse, config.processes.hang_timeout) {
            (Some(shown), Some(timeout)) => {
                Some(Pulse::start(&server, interpreter, shown, timeout).map_err(no_thread)?)
            }
            _ => None,
        };
        Ok(Front { server, readiness, access_log, handler, pulse })
    }

    /// Accepts from now on, but only health checks are answered: what else comes waits.
    pub(crate) fn open_early(&self, listeners: Vec<OwnedFd>) -> Result<(), LoadError> {
        self.server.hold_calls();
        self.listen(listeners)
    }

    /// Puts behind it what answers requests.
    pub(crate) fn complete(&self, handler: Arc<dyn Handler>) {
        self.handler.complete(handler);
        self.server.release_calls();
    }

    pub(crate) fn listen(&self, listeners: Vec<OwnedFd>) -> Result<(), LoadError> {
        for listener in listeners {
            self.server.listen(Listener::from_fd(listener).map_err(|error| plain(format!("a listener: {error}")))?);
        }
        Ok(())
    }

    /// Proves that it answers.
    pub(crate) fn probe(&self, py: Python<'_>) -> Result<(), LoadError> {
        py.detach(|| probe(&self.server))
            .map_err(|error| plain(format!("it does not answer its own probe: {error}")))?;
        // Nobody asked for it.
        let counters = self.server.counters();
        counters.accepted.fetch_sub(1, Relaxed);
        counters.requests.fetch_sub(1, Relaxed);
        Ok(())
    }

    /// Answers who is there already, for so long at the most, and ends.
    pub(crate) fn finish(self, py: Python<'_>, patience: Duration) {
        self.server.stopper().drain_keeping_idle(patience, patience);
        py.detach(|| {
            let _ = self.server.join();
            self.access_log.inspect(AccessLog::flush);
        });
    }

    /// There will be nothing behind it: whoever waits is answered 503.
    pub(crate) fn give_up(self, py: Python<'_>) {
        self.server.stopper().stop_now();
        py.detach(|| {
            let _ = self.server.join();
            self.pulse.into_iter().for_each(Pulse::stop);
        });
    }
}

/// Sends one request through the loop, a thread and the interpreter lock, and waits for its answer.
fn probe(server: &Server) -> std::io::Result<()> {
    const PATIENCE: Duration = Duration::from_secs(10);
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n";
    const ANSWER: &[u8] = b"HTTP/1.1 200 ";
    let (mut ours, theirs) = UnixStream::pair()?;
    ours.set_read_timeout(Some(PATIENCE))?;
    server.adopt(OwnedFd::from(theirs), Peer::Unix { path: PROBE.into() })?;
    ours.write_all(REQUEST)?;
    let mut answer = [0; ANSWER.len()];
    ours.read_exact(&mut answer)?;
    if answer == ANSWER { Ok(()) } else { Err(std::io::Error::other("an unexpected answer")) }
}
