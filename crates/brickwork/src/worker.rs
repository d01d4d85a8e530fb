//! A child of the supervisor: a worker, which serves, or a zygote, which imports the application once and forks
//! workers. What a responder does differently is in `responder.rs`.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use brickwork_command::{Config, LogTarget, prepare};
use brickwork_supervisor::{
    Channel, Forked, Handoff, Heard, Report, Role, Signal, Signals, die_with_parent, fork_orphan, set_process_name,
};
use brickwork_wsgi::{let_go_after_fork, prepare_stacks_without_lock};
use pyo3::prelude::*;

use crate::application::{self, LoadError};
use crate::files;
use crate::fork_safety;
use crate::front::{Front, Place};
use crate::last_words;
use crate::main_thread::{self, Supervised};
use crate::recycle::{Counted, Worn};
use crate::responder;
use crate::serve::{self, plain};

/// Is a child of the supervisor until it is told to end; returns the process's exit status.
pub(crate) fn run(py: Python<'_>, config: &Config, handoff: &Handoff) -> u8 {
    let (channel, board, listeners) = match handoff.take() {
        Ok(taken) => taken,
        Err(error) => {
            eprintln!("error: this command line is for children of a brickwork supervisor: {error}");
            return 2;
        }
    };
    set_process_name(&config.processes.name);
    // An import cannot be called away from. Afterwards the end of the channel is heard.
    if die_with_parent(true).is_err() || channel.next_order() == Heard::End {
        return 1;
    }
    let path = application::put_start_directory_on_path(py).map_err(|error| format!("sys.path cannot be set: {error}"));
    if let Err(error) = path.and_then(|()| prepare(config)) {
        eprintln!("error: {error}");
        channel.report(&Report::Failed(error));
        return 1;
    }
    // Ctrl-C at a terminal reaches us too; what it means the supervisor says.
    let deaf = match Signals::install(&[Signal::SIGINT]) {
        Ok(deaf) => deaf,
        Err(error) => return fail(config, &channel, plain(format!("signals: {error}"))),
    };
    let worn = Worn::new(deaf.waker());
    if handoff.role == Role::Responder {
        return responder::run(py, config, &channel, listeners, &worn);
    }
    let writer = last_words::writer(py);
    last_words::prepare(py, &channel, writer);
    let begun =
        match begin(py, config, handoff, Begun::Not { listeners, place: Place::at(&board, handoff.place) }, &worn) {
            Ok(begun) => begun,
            Err(error) => return fail(config, &channel, error),
        };
    let application = match check_version(handoff).and_then(|()| load(py, config, &channel)) {
        Ok(application) => application,
        Err(error) => {
            // First: whoever fails is killed.
            begun.give_up(py);
            return fail(config, &channel, error);
        }
    };
    let _ = die_with_parent(false);
    let (channel, begun) = match (handoff.role, begun) {
        (Role::Zygote, Begun::Not { listeners, .. }) => match fork_workers(py, channel) {
            Ok(Some((channel, place))) => {
                last_words::prepare(py, &channel, writer);
                (channel, Begun::Not { listeners, place: Place::at(&board, place) })
            }
            Ok(None) => return 0,
            Err((channel, error)) => return fail(config, &channel, plain(format!("the zygote: {error}"))),
        },
        (_, begun) => (channel, begun),
    };
    drop(deaf);
    let channel = Arc::new(channel);
    let worker = Worker { config, channel: Arc::clone(&channel), begun, worn };
    worker.work(py, application).unwrap_or_else(|error| fail(config, &channel, error))
}

/// What was done before the application is imported.
enum Begun {
    /// Health checks are answered, and requests wait.
    Early(Front),
    /// Nothing: this is what will be needed.
    Not { listeners: Vec<OwnedFd>, place: Place },
}

impl Begun {
    fn give_up(self, py: Python<'_>) {
        if let Begun::Early(front) = self {
            front.give_up(py);
        }
    }
}

/// As the first worker of a server with health checks: accepts connections at once, so that a check is answered while
/// the application is imported. Any other worker leaves them to those that can serve them.
///
/// A zygote cannot: it must have no threads. A responder does it instead.
fn begin(py: Python<'_>, config: &Config, handoff: &Handoff, begun: Begun, worn: &Worn) -> Result<Begun, LoadError> {
    let is_early = handoff.is_first && handoff.role == Role::Worker && config.health_path.is_some();
    let (listeners, place) = match begun {
        Begun::Not { listeners, place } if is_early => (listeners, place),
        begun => return Ok(begun),
    };
    // The application may fork while it is imported.
    let_go_after_fork(py).map_err(|error| plain(error.to_string()))?;
    let front = Front::start(config, place, worn)?;
    front.probe(py)?;
    front.open_early(listeners)?;
    Ok(Begun::Early(front))
}

fn fail(config: &Config, channel: &Channel, LoadError { message, traceback }: LoadError) -> u8 {
    if config.error_log != LogTarget::Standard {
        eprint!("error: {message}\n{traceback}");
    }
    tracing::error!(traceback, "could not start: {message}");
    channel.report(&Report::Failed(format!("{message}\n{traceback}")));
    1
}

fn check_version(handoff: &Handoff) -> Result<(), LoadError> {
    if handoff.version == env!("CARGO_PKG_VERSION") {
        return Ok(());
    }
    Err(plain(format!(
        "brickwork {} was installed while brickwork {} runs: restart it",
        env!("CARGO_PKG_VERSION"),
        handoff.version
    )))
}

/// Loads the application. During development one that cannot be loaded is replaced by a page that says why.
fn load<'py>(py: Python<'py>, config: &Config, channel: &Channel) -> Result<Option<Bound<'py, PyAny>>, LoadError> {
    let Some(name) = config.subject.application_name() else { return Ok(None) };
    let loaded = application::load(py, &name);
    if !config.reload {
        return loaded.map(Some);
    }
    let development = py.import("brickwork._development").map_err(|error| plain(error.to_string()))?;
    let directories = development.call_method0("code_directories").and_then(|found| found.extract::<Vec<PathBuf>>());
    match directories {
        Ok(directories) => channel.report(&Report::Imported(directories)),
        Err(error) => tracing::warn!("the application's files cannot be watched: {error}"),
    }
    let served = loaded.or_else(|LoadError { message, traceback }| {
        tracing::error!(traceback, "{message}");
        development.call_method1("error_page", (message, traceback)).map_err(|error| plain(error.to_string()))
    });
    served.map(Some)
}

/// As a zygote: forks a worker whenever it is told to. Returns in each worker, with its channel and place; and in the
/// zygote, with None, when the supervisor needs it no more.
fn fork_workers(py: Python<'_>, channel: Channel) -> Result<Option<(Channel, usize)>, (Channel, String)> {
    fork_safety::warn(py, &channel);
    let prepare = || -> PyResult<()> {
        let gc = py.import("gc")?;
        // What lives now lives on in every worker: the collector must not write to those pages (copy on write).
        gc.call_method0("collect")?;
        gc.call_method0("freeze")?;
        Ok(())
    };
    if let Err(error) = prepare() {
        return Err((channel, error.to_string()));
    }
    channel.report(&Report::Ready);
    loop {
        let Some((worker_channel, place)) = py.detach(|| channel.wait_for_fork()) else { return Ok(None) };
        match fork_with_hooks(py) {
            Ok(Forked::Child) => {
                worker_channel.report(&Report::Forked(std::process::id().cast_signed()));
                return Ok(Some((worker_channel, place)));
            }
            Ok(Forked::Caller) => {}
            Err(error) => worker_channel.report(&Report::Failed(format!("fork: {error}"))),
        }
    }
}

/// Forks with the hooks that Python and the application have registered.
fn fork_with_hooks(py: Python<'_>) -> std::io::Result<Forked> {
    let fork = || match py.import("os").and_then(|os| os.call_method0("fork")?.extract::<i32>()) {
        Ok(0) => Forked::Child,
        Ok(_) => Forked::Caller,
        Err(error) => {
            tracing::error!("os.fork: {error}");
            Forked::Caller
        }
    };
    // Nothing of ours has started a thread in a zygote; threads of the application were warned of.
    fork_orphan(fork)
}

/// A worker with everything but the application.
struct Worker<'a> {
    config: &'a Config,
    channel: Arc<Channel>,
    begun: Begun,
    worn: Worn,
}

impl Worker<'_> {
    /// Puts the application behind the front, which accepts connections then at the latest, and serves.
    fn work(self, py: Python<'_>, application: Option<Bound<'_, PyAny>>) -> Result<u8, LoadError> {
        let Worker { config, channel, begun, worn } = self;
        main_thread::warn_of_replaced_handlers(py);
        let signals = Signals::install(&[Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGUSR2])
            .map_err(|error| plain(format!("signals: {error}")))?;
        let files = files::open(&config.mounts).map_err(|error| plain(error.to_string()))?;
        if application.is_some()
            && let Err(error) = prepare_stacks_without_lock(py)
        {
            tracing::warn!("it cannot be said where requests are while the interpreter lock is held: {error}");
        }
        let mut handler = serve::handler(py, config, application, files)?;
        if let Some(most) = config.processes.max_requests {
            handler = Arc::new(Counted::new(handler, most, worn.clone()));
        }
        let front = match begun {
            Begun::Early(front) => {
                front.complete(handler);
                front
            }
            Begun::Not { listeners, place } => {
                let front = Front::start(config, place, &worn)?;
                front.complete(handler);
                front.probe(py)?;
                front.listen(listeners)?;
                front
            }
        };
        front.readiness.begin();
        channel.report(&Report::Ready);
        let Front { server, readiness, access_log, pulse, .. } = front;
        let supervised = Supervised { channel, readiness, worn, pulse, config: config.clone() };
        Ok(main_thread::wait_and_leave(py, signals, server, supervised, access_log))
    }
}

/// Takes a child's hand-over out of the arguments, where it is the first.
pub(crate) fn split_handoff(mut arguments: Vec<OsString>) -> (Option<Handoff>, Vec<OsString>) {
    let handoff = arguments.first().and_then(|first: &OsString| OsStr::to_str(first)?.parse().ok());
    if handoff.is_some() {
        arguments.remove(0);
    }
    (handoff, arguments)
}
