//! From a [`Config`] to a running server and out again. The main thread comes here: it loads the application, starts
//! the server, whose threads do all the serving, and waits for signals.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use brickwork_server::{
    AccessLog, AccessLogFormat, Config as ServerConfig, Handler, Interpreter, Listener, NoInterpreter, RejectionNotice,
    Server, Spool, StaticFiles, Traffic,
};
use brickwork_supervisor::{Signal, Signals};
use brickwork_wsgi::{Gil, WsgiApp, WsgiSettings};
use pyo3::prelude::*;

use crate::application::{self, LoadError};
use crate::config::{ApplicationName, Config, LogFormat, LogLevel, LogTarget, SizeText, Subject};
use crate::demo::Demonstrated;
use crate::files::{self, Beside};
use crate::log::{self, Log};
use crate::main_thread;
use crate::report;

/// Serves until it is told to end; returns the process's exit status.
pub(crate) fn serve(py: Python<'_>, config: &Config) -> u8 {
    if let Err(error) = prepare(config) {
        eprintln!("error: {error}");
        return 1;
    }
    match run(py, config) {
        Ok(status) => status,
        Err(LoadError { message, traceback }) => {
            if config.error_log != LogTarget::Standard {
                eprint!("error: {message}\n{traceback}");
            }
            tracing::error!(traceback, "could not start: {message}");
            1
        }
    }
}

/// Goes to the directory and opens the error log: afterwards, the log can tell what is wrong.
fn prepare(config: &Config) -> Result<(), String> {
    if let Some(directory) = &config.chdir {
        std::env::set_current_dir(directory).map_err(|error| format!("--chdir {}: {error}", directory.display()))?;
    }
    let file = log::open(&config.error_log, io::stderr()).map_err(|error| format!("--error-logfile: {error}"))?;
    if let Some(file) = file {
        Log::new(file, config.log_format, config.log_level).install();
    }
    Ok(())
}

fn run(py: Python<'_>, config: &Config) -> Result<u8, LoadError> {
    let access_log = open_access_log(config).map_err(|error| plain(format!("--access-logfile: {error}")))?;
    let files = files::open(&config.mounts).map_err(plain)?;
    let sendfile_root = config.sendfile_root.as_deref().map(files::open_sendfile_root).transpose().map_err(plain)?;
    let application = load(py, &config.subject)?;

    let listeners =
        config.binds.iter().map(|bind| Listener::bind(bind, config.backlog).map_err(|error| plain(error.to_string())));
    let listeners = listeners.collect::<Result<Vec<Listener>, LoadError>>()?;
    let urls: Vec<String> = listeners.iter().map(Listener::url).collect();

    main_thread::warn_of_replaced_handlers(py);
    let signals = Signals::install(&[Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT])
        .map_err(|error| plain(format!("signals: {error}")))?;
    let server_config = ServerConfig { sendfile_root, ..server_config(config, access_log.clone()) };
    let interpreter: Arc<dyn Interpreter> = if application.is_some() { Arc::new(Gil) } else { Arc::new(NoInterpreter) };
    let handler = handler(py, config, application, files)?;
    let server = Server::start(server_config, listeners, handler, interpreter)
        .map_err(|error| plain(format!("the server's threads: {error}")))?;
    for url in urls {
        tracing::info!("listening on {url}");
    }
    Ok(main_thread::wait_and_leave(py, signals, server, config.graceful_timeout, access_log))
}

/// The application, and a line in the log about what is served; None if that is only files.
fn load<'py>(py: Python<'py>, subject: &Subject) -> Result<Option<Bound<'py, PyAny>>, LoadError> {
    let name = match subject {
        Subject::Application(name) => name.clone(),
        Subject::Demo => ApplicationName {
            module: "brickwork.demo".into(),
            attributes: vec!["application".into()],
            is_factory: false,
        },
        Subject::Files => {
            tracing::info!("brickwork {}", env!("CARGO_PKG_VERSION"));
            return Ok(None);
        }
    };
    let python = python_text(py).unwrap_or_else(|_| "Python".into());
    tracing::info!("brickwork {}, {python}, application {name}", env!("CARGO_PKG_VERSION"));
    application::load(py, &name).map(Some)
}

fn plain(message: String) -> LoadError {
    LoadError { message, traceback: String::new() }
}

pub(crate) fn open_access_log(config: &Config) -> io::Result<Option<AccessLog>> {
    let format = match config.log_format {
        LogFormat::Text => AccessLogFormat::Combined,
        LogFormat::Json => AccessLogFormat::Json,
    };
    let file = log::open(&config.access_log, io::stdout())?;
    file.map(|file| AccessLog::new(file, format)).transpose()
}

fn python_text(py: Python<'_>) -> PyResult<String> {
    let platform = py.import("platform")?;
    let name: String = platform.call_method0("python_implementation")?.extract()?;
    let version: String = platform.call_method0("python_version")?.extract()?;
    Ok(format!("{name} {version}"))
}

/// What answers: the application, files, or both.
fn handler(
    py: Python<'_>,
    config: &Config,
    application: Option<Bound<'_, PyAny>>,
    mut files: Vec<StaticFiles>,
) -> Result<Arc<dyn Handler>, LoadError> {
    for mount in &config.mounts {
        tracing::info!("files of {} at {}/", mount.directory.display(), mount.options.prefix);
    }
    let Some(application) = application else {
        // `brickwork static` has one directory.
        let files = files.pop().ok_or_else(|| plain("there is nothing to serve".into()))?;
        return Ok(Arc::new(files));
    };
    tracing::info!("threads {}: at most so many calls into the application at once", config.threads);
    let settings = WsgiSettings {
        url_scheme: "http".into(),
        multithread: config.threads > 1,
        multiprocess: false,
        server_software: concat!("brickwork/", env!("CARGO_PKG_VERSION")).into(),
        errors: Arc::new(log_application_errors),
    };
    let gateway = WsgiApp::new(py, application.unbind(), &settings)
        .map_err(|error| plain(format!("the WSGI gateway: {error}")))?;
    let gateway: Arc<dyn Handler> = match config.subject {
        Subject::Demo => Arc::new(Demonstrated::new(gateway)),
        _ => Arc::new(gateway),
    };
    Ok(if files.is_empty() { gateway } else { Arc::new(Beside::new(files, gateway)) })
}

/// Logs what was written to wsgi.errors: whole lines, which belong to the first one where there are several.
pub(crate) fn log_application_errors(lines: &str) {
    let lines = lines.strip_suffix('\n').unwrap_or(lines);
    match lines.split_once('\n') {
        Some((first, rest)) => tracing::error!(traceback = rest, "{first}"),
        None => tracing::error!("{lines}"),
    }
}

pub(crate) fn server_config(config: &Config, access_log: Option<AccessLog>) -> ServerConfig {
    let log_rejection = |notice: &RejectionNotice<'_>| {
        tracing::warn!("{}", report::rejection_line(notice));
        None
    };
    let log_traffic = |traffic: &Traffic<'_>| {
        for line in report::traffic_lines(traffic) {
            tracing::trace!("{line}");
        }
    };
    let is_tracing = config.log_level == LogLevel::Trace;
    ServerConfig {
        limits: config.limits,
        deadlines: config.deadlines,
        threads: config.threads,
        #[cfg(feature = "reference-schedulers")]
        scheduler: match std::env::var("BRICKWORK_SCHEDULER").as_deref() {
            Ok("inline") => brickwork_server::Scheduler::Inline,
            Ok("pool") => brickwork_server::Scheduler::Pool,
            _ => brickwork_server::Scheduler::Promote,
        },
        queue_timeout: config.queue_timeout,
        spool: spool(config),
        access_log,
        on_rejection: Some(Arc::new(log_rejection)),
        on_traffic: if is_tracing { Some(Arc::new(log_traffic)) } else { None },
        ..ServerConfig::default()
    }
}

/// Content of a request that is kept in memory where no file can be had.
const IN_MEMORY_WITHOUT_SPOOL: u64 = 16 << 20;

/// Looks whether the spool directory can be written to, and says what follows.
fn spool(config: &Config) -> Spool {
    let (threshold, directory) = (config.spool_threshold, config.spool_directory.as_path());
    let shown = directory.display();
    match try_directory(directory) {
        Ok(()) => {
            tracing::info!("content over {} waits in files in {shown}", SizeText(threshold));
            Spool { threshold, directory: Some(directory.to_owned()) }
        }
        Err(error) => {
            let threshold = threshold.max(IN_MEMORY_WITHOUT_SPOOL);
            tracing::warn!(
                "cannot write to the spool directory {shown} ({error}): content waits in memory, \
                 and over {} it is refused with 413",
                SizeText(threshold)
            );
            Spool { threshold, directory: None }
        }
    }
}

fn try_directory(directory: &Path) -> io::Result<()> {
    let path = directory.join(format!(".brickwork-{}-{:?}", std::process::id(), std::thread::current().id()));
    File::create_new(&path)?;
    fs::remove_file(&path)
}
