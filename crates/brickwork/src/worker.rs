//! A child of the supervisor: a worker, which serves, or a zygote, which imports the application once and forks workers.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use brickwork_server::{Balance, Interpreter, Listener, NoInterpreter, Peer, Server};
use brickwork_supervisor::{Channel, Forked, Handoff, Report, Role, Signal, Signals, fork_orphan, set_process_name};
use brickwork_wsgi::Gil;
use pyo3::prelude::*;

use crate::application::{self, LoadError};
use crate::config::{Config, LogTarget};
use crate::files;
use crate::fork_safety;
use crate::health::{PROBE, Watched};
use crate::main_thread::{self, Supervised};
use crate::recycle::Counted;
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
    if let Err(error) = serve::prepare(config) {
        eprintln!("error: {error}");
        channel.report(&Report::Failed(error));
        return 1;
    }
    // Ctrl-C at a terminal reaches us too; what it means the supervisor says.
    let deaf = Signals::install(&[Signal::SIGINT]);
    let loaded = check_version(handoff).and_then(|()| load(py, config, &channel));
    let application = match loaded {
        Ok(application) => application,
        Err(error) => return fail(config, &channel, error),
    };
    let (channel, place) = match handoff.role {
        Role::Worker => (channel, handoff.place),
        Role::Zygote => match fork_workers(py, channel) {
            Ok(Some(forked)) => forked,
            Ok(None) => return 0,
            Err((channel, error)) => return fail(config, &channel, plain(format!("the zygote: {error}"))),
        },
    };
    drop(deaf);
    let channel = Arc::new(channel);
    let balance = Balance::new(board.numbers(), place);
    work(py, config, &channel, Shared { listeners, balance }, application)
        .unwrap_or_else(|error| fail(config, &channel, error))
}

/// What all workers share.
struct Shared {
    listeners: Vec<OwnedFd>,
    balance: Option<Balance>,
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
    let Some(name) = serve::application_name(config) else { return Ok(None) };
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

/// As a zygote: forks a worker whenever it is told to. Returns in each worker, with its channel and place; and in the zygote, with
/// None, when the supervisor needs it no more.
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

/// As a worker: starts the server, proves that it answers, and only then accepts connections.
fn work(
    py: Python<'_>,
    config: &Config,
    channel: &Arc<Channel>,
    shared: Shared,
    application: Option<Bound<'_, PyAny>>,
) -> Result<u8, LoadError> {
    let access_log = serve::open_access_log(config).map_err(|error| plain(format!("--access-logfile: {error}")))?;
    main_thread::warn_of_replaced_handlers(py);
    let signals = Signals::install(&[Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT])
        .map_err(|error| plain(format!("signals: {error}")))?;
    let supervised = Supervised {
        channel: Arc::clone(channel),
        is_ready: Arc::new(AtomicBool::new(true)),
        is_worn: Arc::new(AtomicBool::new(false)),
        config: config.clone(),
    };
    let files = files::open(&config.mounts).map_err(|error| plain(error.to_string()))?;
    let interpreter: Arc<dyn Interpreter> = if application.is_some() { Arc::new(Gil) } else { Arc::new(NoInterpreter) };
    let mut handler = serve::handler(py, config, application, files)?;
    if let Some(most) = config.processes.max_requests {
        handler = Arc::new(Counted::new(handler, most, Arc::clone(&supervised.is_worn), signals.waker()));
    }
    let handler = Watched::new(handler, config.health_path.clone(), Arc::clone(&supervised.is_ready));
    let mut server_config = serve::server_config(config, access_log.clone());
    server_config.balance = shared.balance;
    let sendfile_root = config.sendfile_root.as_deref().map(files::open_sendfile_root).transpose();
    server_config.sendfile_root = sendfile_root.map_err(|error| plain(error.to_string()))?;
    let server = Server::start(server_config, Vec::new(), Arc::new(handler), interpreter)
        .map_err(|error| plain(format!("the server's threads: {error}")))?;
    py.detach(|| probe(&server)).map_err(|error| plain(format!("it does not answer its own probe: {error}")))?;
    for listener in shared.listeners {
        server.listen(Listener::from_fd(listener).map_err(|error| plain(format!("a listener: {error}")))?);
    }
    channel.report(&Report::Ready);
    Ok(main_thread::wait_and_leave(py, signals, server, supervised, access_log))
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
