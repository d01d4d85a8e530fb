//! A server inside somebody's Python program: what `brickwork.make_server` and `brickwork.serve` stand on.
//!
//! Here are sockets and threads; waiting, signals and the order of calls are in `python/brickwork/server.py`. Nothing
//! of the process is touched: no signal handler, no log (unless a setting asks for one). The sockets belong to
//! [`EmbeddedServer`] and outlive each [`ServerRun`], so that clients that come in between wait in the kernel's queue.

use std::ffi::OsString;
use std::io::{self, Read};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use brickwork_command::{ApplicationName, Config, Log, Stop, open_log, parse_settings};
use brickwork_server::{AccessLog, Config as ServerConfig, Ended, Handler, Listener, Peer, Record, Server, Stopper};
use brickwork_wsgi::{Gil, WsgiApp, WsgiSettings};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use crate::files;
use crate::serve;

/// An application and the sockets it is to be served on, bound and listening.
#[pyclass(module = "brickwork._brickwork", frozen)]
pub(crate) struct EmbeddedServer {
    config: Config,
    server_config: ServerConfig,
    settings: WsgiSettings,
    handler: Mutex<Arc<dyn Handler>>,
    /// A child process that is forked while they are not served has them too, and may serve them.
    listeners: Arc<Mutex<Vec<Listener>>>,
}

#[pymethods]
impl EmbeddedServer {
    /// `flags` are those of the command: `--bind=127.0.0.1:0`. `has_log` says whether one of them asks for the error
    /// log.
    #[new]
    fn new(py: Python<'_>, application: Py<PyAny>, flags: Vec<OsString>, has_log: bool) -> PyResult<EmbeddedServer> {
        let name = ApplicationName { module: "(given)".into(), attributes: Vec::new(), is_factory: false };
        let config = parse_settings(flags, name).map_err(value_error)?;
        if has_log && let Some(file) = open_log(&config.error_log, io::stderr())? {
            Log::new(file, config.log_format, config.log_level).install();
        }
        let listeners = config.binds.iter().map(|bind| Listener::bind(bind, config.backlog).map_err(os_error));
        let listeners = listeners.collect::<PyResult<Vec<Listener>>>()?;
        listeners.iter().for_each(|listener| listener.leave_to_children(true));
        let settings = WsgiSettings {
            url_scheme: "http".into(),
            multithread: config.threads > 1,
            multiprocess: false,
            server_software: concat!("brickwork/", env!("CARGO_PKG_VERSION")).into(),
            errors: if has_log { Arc::new(serve::log_application_errors) } else { Arc::new(write_to_stderr) },
        };
        let handler = Mutex::new(handler(py, application, &settings, &config)?);
        let access_log = serve::open_access_log(&config)?;
        let mut server_config = serve::server_config(&config, access_log);
        let sendfile_root = config.sendfile_root.as_deref().map(files::open_sendfile_root).transpose();
        server_config.sendfile_root = sendfile_root.map_err(os_error)?;
        Ok(EmbeddedServer { config, server_config, settings, handler, listeners: Arc::new(Mutex::new(listeners)) })
    }

    /// From the next start on, serves this application.
    fn set_application(&self, py: Python<'_>, application: Py<PyAny>) -> PyResult<()> {
        let handler = handler(py, application, &self.settings, &self.config)?;
        *lock(&self.handler) = handler;
        Ok(())
    }

    /// Where it listens: (host, port), or the path of a unix socket.
    fn addresses(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        let address = |listener: &Listener| match listener.local_addr() {
            Some(tcp) => Ok((tcp.ip().to_string(), tcp.port()).into_pyobject(py)?.into_any().unbind()),
            None => Ok(listener.url().trim_start_matches("unix:").into_pyobject(py)?.into_any().unbind()),
        };
        self.lock().iter().map(address).collect()
    }

    /// Where it listens, as URLs.
    fn urls(&self) -> Vec<String> {
        self.lock().iter().map(Listener::url).collect()
    }

    /// The listening sockets' descriptors; empty once closed.
    fn descriptors(&self) -> Vec<RawFd> {
        self.lock().iter().map(|listener| listener.as_fd().as_raw_fd()).collect()
    }

    /// Starts serving, in threads of the server's own.
    fn start(&self) -> PyResult<ServerRun> {
        let own = self.lock();
        if own.is_empty() {
            return Err(PyValueError::new_err(CLOSED));
        }
        let duplicate = |listener: &Listener| Listener::from_fd(listener.as_fd().try_clone_to_owned()?);
        let listeners = own.iter().map(duplicate).collect::<io::Result<Vec<Listener>>>()?;
        for listener in &listeners {
            tracing::info!("listening on {}", listener.url());
        }
        let server = self.server(listeners)?;
        self.run(server, &own)
    }

    /// Takes the next connection of those that wait, to serve one request on it and close; None if none waits.
    fn start_one(&self) -> PyResult<Option<ServerRun>> {
        let listeners = self.lock();
        if listeners.is_empty() {
            return Err(PyValueError::new_err(CLOSED));
        }
        for listener in listeners.iter() {
            let Some((socket, peer)) = accept(listener)? else { continue };
            let server = self.server(Vec::new())?;
            server.adopt(socket, peer)?;
            // A server that is leaving says with every answer that it is the last. The client has as long for its
            // request as any other, and the application for its answer.
            server.stopper().drain_keeping_idle(FOR_GOOD, self.config.deadlines.head);
            return self.run(server, &listeners).map(Some);
        }
        Ok(None)
    }

    /// Closes the listening sockets.
    fn close(&self) {
        self.lock().clear();
    }
}

impl EmbeddedServer {
    fn lock(&self) -> MutexGuard<'_, Vec<Listener>> {
        lock(&self.listeners)
    }

    fn server(&self, listeners: Vec<Listener>) -> io::Result<Server> {
        let handler = Arc::clone(&*lock(&self.handler));
        // Each time of serving is counted for itself.
        let config = ServerConfig { record: Record::default(), ..self.server_config.clone() };
        Server::start(config, listeners, handler, Arc::new(Gil))
    }

    fn run(&self, server: Server, listeners: &[Listener]) -> PyResult<ServerRun> {
        listeners.iter().for_each(|listener| listener.leave_to_children(false));
        let (all, access_log) = (Arc::clone(&self.listeners), self.server_config.access_log.clone());
        ServerRun::over(server, &self.config, move || {
            lock(&all).iter().for_each(|listener| listener.leave_to_children(true));
            access_log.inspect(AccessLog::flush);
        })
    }
}

/// The application, and the files beside it.
fn handler(
    py: Python<'_>,
    application: Py<PyAny>,
    settings: &WsgiSettings,
    config: &Config,
) -> PyResult<Arc<dyn Handler>> {
    let gateway = Arc::new(WsgiApp::new(py, application, settings)?);
    let files = files::open(&config.mounts).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => PyValueError::new_err(error.to_string()),
        _ => os_error(error),
    })?;
    Ok(files::beside(files, gateway))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const CLOSED: &str = "the server is closed";

/// Longer than anybody waits, and short enough to be added to the time of day.
const FOR_GOOD: Duration = Duration::from_secs(365 * 24 * 3600);

/// A connection that waits on `listener`, which does not block; None if none does.
fn accept(listener: &Listener) -> io::Result<Option<(OwnedFd, Peer)>> {
    let socket = listener.as_fd().try_clone_to_owned()?;
    let accepted = if listener.local_addr().is_some() {
        TcpListener::from(socket).accept().and_then(|(stream, remote)| {
            let local = stream.local_addr()?;
            Ok((OwnedFd::from(stream), Peer::Tcp { remote, local }))
        })
    } else {
        let path = listener.url().trim_start_matches("unix:").into();
        UnixListener::from(socket).accept().map(|(stream, _)| (OwnedFd::from(stream), Peer::Unix { path }))
    };
    match accepted {
        Ok(accepted) => Ok(Some(accepted)),
        // Also one that left again while it waited.
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::ConnectionAborted) => Ok(None),
        Err(error) => Err(error),
    }
}

/// One time of serving, from start to end.
#[pyclass(module = "brickwork._brickwork", frozen)]
pub(crate) struct ServerRun {
    stopper: Stopper,
    counters: Record,
    ended: Arc<OnceLock<Ended>>,
    grace: Duration,
    /// Reads as ended once the server has.
    end: UnixStream,
}

impl ServerRun {
    /// `at_end` is called when the server has ended.
    fn over(server: Server, config: &Config, at_end: impl FnOnce() + Send + 'static) -> PyResult<ServerRun> {
        let (end, alive) = UnixStream::pair()?;
        end.set_nonblocking(true)?;
        let (stopper, counters) = (server.stopper(), server.counters());
        let ended = Arc::new(OnceLock::new());
        let teller = Arc::clone(&ended);
        thread::Builder::new().name("brickwork-end".into()).spawn(move || {
            teller.get_or_init(|| server.join());
            at_end();
            drop(alive);
        })?;
        Ok(ServerRun { stopper, counters, ended, grace: config.graceful_timeout, end })
    }
}

#[pymethods]
impl ServerRun {
    /// A descriptor that becomes readable when the server has ended.
    fn fileno(&self) -> RawFd {
        self.end.as_raw_fd()
    }

    /// Whether the server has ended: every thread of it has left, or was given up.
    fn is_over(&self) -> bool {
        matches!((&self.end).read(&mut [0]), Ok(0))
    }

    /// Requests so far, those that were refused included.
    fn requests(&self) -> u64 {
        self.counters.requests.load(Ordering::Relaxed) + self.counters.rejected.load(Ordering::Relaxed)
    }

    /// Requests that were still in the application when the server ended.
    fn abandoned(&self) -> usize {
        match self.ended.get() {
            Some(Ended::Abandoned(count)) => *count,
            Some(Ended::Drained) | None => 0,
        }
    }

    /// Stops accepting; what is in flight finishes, within the graceful timeout.
    fn drain(&self) {
        self.stopper.drain(self.grace);
    }

    /// Ends at once.
    fn stop_now(&self) {
        self.stopper.stop_now();
    }
}

impl Drop for ServerRun {
    fn drop(&mut self) {
        self.stopper.stop_now();
    }
}

/// Writes what an application wrote to wsgi.errors where the program's own messages go: `sys.stderr` as it is at the
/// moment, so that a test that captures it sees them.
fn write_to_stderr(lines: &str) {
    Python::attach(|py| {
        let write = || py.import("sys")?.getattr("stderr")?.call_method1("write", (lines,));
        // There is nobody left to tell.
        let _ = write();
    });
}

/// A setting that cannot be: the one line that says why.
fn value_error(stop: Stop) -> PyErr {
    let (Stop::Usage(text) | Stop::Shown(text)) = stop;
    PyValueError::new_err(text.trim_start_matches("error: ").lines().next().unwrap_or_default().to_owned())
}

/// What cannot be bound or opened, as the OSError of its number, which is what callers look for. The message has the address or name.
fn os_error(error: io::Error) -> PyErr {
    let name = match error.kind() {
        io::ErrorKind::AddrInUse => "EADDRINUSE",
        io::ErrorKind::AddrNotAvailable => "EADDRNOTAVAIL",
        io::ErrorKind::PermissionDenied => "EACCES",
        io::ErrorKind::NotFound => "ENOENT",
        io::ErrorKind::NotADirectory => "ENOTDIR",
        _ => return error.into(),
    };
    Python::attach(|py| {
        let number =
            py.import("errno").and_then(|errno| errno.getattr(name)).and_then(|number| number.extract::<i32>());
        match number {
            Ok(number) => PyOSError::new_err((number, error.to_string())),
            Err(error) => error,
        }
    })
}
