//! From a [`Config`] to the parts of a server: directory and logs, handler, settings.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use brickwork_command::{Config, DurationText, LogFormat, LogLevel, SizeText, Subject, WorkerCount, open_log};
use brickwork_server::{
    AccessLog, AccessLogFormat, Config as ServerConfig, Handler, OnRejection, Spool, StaticFiles, Traffic,
};
use brickwork_wsgi::{WsgiApp, WsgiSettings};
use pyo3::prelude::*;

use crate::application::LoadError;
use crate::demo::Demonstrated;
use crate::files;
use crate::report::{self, Allowance, Report};

pub(crate) fn plain(message: String) -> LoadError {
    LoadError { message, traceback: String::new() }
}

pub(crate) fn open_access_log(config: &Config) -> io::Result<Option<AccessLog>> {
    let format = match config.log_format {
        LogFormat::Text => AccessLogFormat::Combined,
        LogFormat::Json => AccessLogFormat::Json,
    };
    let file = open_log(&config.access_log, io::stdout())?;
    file.map(|file| AccessLog::new(file, format)).transpose()
}

/// What answers: the application, files, or both.
pub(crate) fn handler(
    py: Python<'_>,
    config: &Config,
    application: Option<Bound<'_, PyAny>>,
    mut beside: Vec<StaticFiles>,
) -> Result<Arc<dyn Handler>, LoadError> {
    let Some(application) = application else {
        // `brickwork static` has one directory.
        let files = beside.pop().ok_or_else(|| plain("there is nothing to serve".into()))?;
        return Ok(Arc::new(files));
    };
    let settings = WsgiSettings {
        url_scheme: "http".into(),
        multithread: config.threads > 1,
        multiprocess: is_multiprocess(config),
        server_software: concat!("brickwork/", env!("CARGO_PKG_VERSION")).into(),
        errors: Arc::new(log_application_errors),
    };
    let gateway = WsgiApp::new(py, application.unbind(), &settings)
        .map_err(|error| plain(format!("the WSGI gateway: {error}")))?;
    let gateway: Arc<dyn Handler> = match config.subject {
        Subject::Demo => Arc::new(Demonstrated::new(gateway)),
        _ => Arc::new(gateway),
    };
    Ok(files::beside(beside, gateway))
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
    let log_traffic = |traffic: &Traffic<'_>| {
        for line in report::traffic_lines(traffic) {
            tracing::trace!("{line}");
        }
    };
    let is_tracing = config.log_level == LogLevel::Trace;
    if config.subject != Subject::Files {
        tracing::info!("{}", patience(config));
    }
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
        timeout: config.timeout,
        slow_request: config.slow_request,
        accepts_at_once: if is_multiprocess(config) { ACCEPTS_OF_MANY } else { ACCEPTS_OF_ONE },
        trusted: config.trusted.clone(),
        spool: spool(config),
        access_log,
        on_rejection: Some(on_rejection(config)),
        on_traffic: if is_tracing { Some(Arc::new(log_traffic)) } else { None },
        ..ServerConfig::default()
    }
}

/// How long the application may take, as a sentence.
fn patience(config: &Config) -> String {
    let timeout = match config.timeout {
        Some(timeout) => format!("answered 504 when the application has not begun to after {}", DurationText(timeout)),
        None => "waited for without end".into(),
    };
    match config.slow_request {
        Some(slow) => format!("a request is {timeout}, and said to be slow after {}", DurationText(slow)),
        None => format!("a request is {timeout}"),
    }
}

/// Whether several workers serve at a time. During a reload there are two of a single one, which is too short to matter.
fn is_multiprocess(config: &Config) -> bool {
    config.processes.workers != WorkerCount::Fixed(1)
}

/// Connections that a worker accepts before it looks at others: several workers leave some for one another.
const ACCEPTS_OF_MANY: usize = 1;
const ACCEPTS_OF_ONE: usize = 64;

/// Logs refused requests, and tells their clients why if that was asked for.
fn on_rejection(config: &Config) -> Arc<OnRejection> {
    let (format, debug) = (config.log_format, config.debug);
    let allowance = Mutex::new(Allowance::new(Instant::now()));
    Arc::new(move |notice| {
        let report = Report::of(notice);
        let allowed = allowance.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
        if let Some(left_out) = allowed {
            if left_out > 0 {
                tracing::warn!("{left_out} more refused requests were not reported");
            }
            match format {
                LogFormat::Text => tracing::warn!(traceback = report.text(), "{}", report.line()),
                LogFormat::Json => tracing::warn!(object = report.json(), "{}", report.line()),
            }
        }
        debug.then(|| report.text())
    })
}

/// Content of a request to `brickwork static`.
const CONTENT_FOR_FILES: u64 = 64 << 10;

/// Content of a request that is kept in memory where no file can be had.
const IN_MEMORY_WITHOUT_SPOOL: u64 = 16 << 20;

/// Looks whether the spool directory can be written to, and says what follows.
fn spool(config: &Config) -> Spool {
    let (threshold, memory, directory) =
        (config.spool_threshold, config.spool_memory, config.spool_directory.as_path());
    if config.subject == Subject::Files {
        // Nobody reads content: no more of it is taken than is worth an answer.
        return Spool { threshold: CONTENT_FOR_FILES, memory, directory: None };
    }
    let shown = directory.display();
    match try_directory(directory) {
        Ok(()) => {
            tracing::info!("content over {} waits in files in {shown}", SizeText(threshold));
            Spool { threshold, memory, directory: Some(directory.to_owned()) }
        }
        Err(error) => {
            let threshold = threshold.max(IN_MEMORY_WITHOUT_SPOOL);
            tracing::warn!(
                "cannot write to the spool directory {shown} ({error}): content waits in memory, \
                 and over {} it is refused with 413",
                SizeText(threshold)
            );
            Spool { threshold, memory, directory: None }
        }
    }
}

fn try_directory(directory: &Path) -> io::Result<()> {
    let path = directory.join(format!(".brickwork-{}-{:?}", std::process::id(), std::thread::current().id()));
    File::create_new(&path)?;
    fs::remove_file(&path)
}
