//! What a server can be made of: defaults filled in, settings held against each other. A default is in this file and
//! nowhere else.

use std::path::PathBuf;
use std::time::Duration;

use brickwork_server::http::Limits;
use brickwork_server::{Bind, Deadlines, TrustedPeers};

use super::{ApplicationName, LogFormat, LogLevel, LogTarget, Mount, Raw, WorkerCount};

/// Everything that was decided before anything is opened, imported or bound.
#[derive(Clone, Debug)]
pub struct Config {
    /// What is served.
    pub subject: Subject,
    /// Directories whose files are served, those with the longest prefix first.
    pub mounts: Vec<Mount>,
    /// Where files are that the application may name in its responses.
    pub sendfile_root: Option<PathBuf>,
    /// Addresses to listen on; at least one.
    pub binds: Vec<Bind>,
    /// Whether somebody chose them, so that a socket from the service manager does not replace them.
    pub are_binds_chosen: bool,
    /// Worker processes.
    pub processes: Processes,
    /// Whether the application's files are watched.
    pub reload: bool,
    /// Further files to watch.
    pub reload_extra_files: Vec<PathBuf>,
    /// The path of health checks.
    pub health_path: Option<String>,
    /// Who is believed about clients.
    pub trusted: TrustedPeers,
    /// Connections that the kernel holds until they are accepted.
    pub backlog: u32,
    /// Directory to go to first.
    pub chdir: Option<PathBuf>,
    /// At most so many calls into the application at once.
    pub threads: usize,
    /// How long a request may wait for one of them.
    pub queue_timeout: Duration,
    /// How long the application may take to begin its answer; None: as long as it likes.
    pub timeout: Option<Duration>,
    /// After how long it is logged where a request is; None: never.
    pub slow_request: Option<Duration>,
    /// How long a peer may take.
    pub deadlines: Deadlines,
    /// How long requests in flight have to finish.
    pub graceful_timeout: Duration,
    /// Bounds on requests.
    pub limits: Limits,
    /// Content of more bytes than this goes to a file.
    pub spool_threshold: u64,
    /// Bytes of memory for content, of all requests.
    pub spool_memory: u64,
    /// The directory for such files, if it turns out to be writable.
    pub spool_directory: PathBuf,
    /// Where the error log goes.
    pub error_log: LogTarget,
    /// Where the access log goes.
    pub access_log: LogTarget,
    /// The shape of both.
    pub log_format: LogFormat,
    /// The least level in the error log.
    pub log_level: LogLevel,
    /// Whether clients are told why their request was refused.
    pub debug: bool,
}

/// The processes of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Processes {
    /// How many workers.
    pub workers: WorkerCount,
    /// Where that number came from, for the log.
    pub workers_from: &'static str,
    /// Import once and fork.
    pub preload: bool,
    /// Requests after which a worker is replaced, and how much that may differ.
    pub max_requests: Option<(u64, u64)>,
    /// Time after which a worker is replaced.
    pub max_worker_lifetime: Option<Duration>,
    /// Bytes of memory above which a worker is replaced.
    pub max_worker_rss: Option<u64>,
    /// Time after which a worker that stands still is replaced.
    pub hang_timeout: Option<Duration>,
    /// How long readiness is false before anything else happens.
    pub drain_delay: Duration,
    /// The file with the supervisor's process id.
    pub pid_file: Option<PathBuf>,
    /// User to become.
    pub user: Option<String>,
    /// Group to become.
    pub group: Option<String>,
    /// File mode creation mask.
    pub umask: Option<u32>,
    /// Name of the processes.
    pub name: String,
    /// Variables for the application.
    pub environment: Vec<(String, String)>,
}

/// What is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// `brickwork run APP`
    Application(ApplicationName),
    /// `brickwork demo`
    Demo,
    /// `brickwork static DIR`: no application.
    Files,
}

impl Subject {
    /// The application's name; None if only files are served.
    #[must_use]
    pub fn application_name(&self) -> Option<ApplicationName> {
        match self {
            Subject::Application(name) => Some(name.clone()),
            Subject::Demo => Some(ApplicationName {
                module: "brickwork.demo".into(),
                attributes: vec!["application".into()],
                is_factory: false,
            }),
            Subject::Files => None,
        }
    }
}

/// Makes a configuration. `environment` looks up a variable.
///
/// # Errors
/// One sentence that names the flag.
pub(crate) fn resolve(
    raw: Raw,
    subject: Subject,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Config, String> {
    if raw.error_logfile == Some(LogTarget::Off) {
        return Err("--error-logfile none: the error log can be sent elsewhere, not turned off".into());
    }
    let binds = resolve_binds(&raw.bind, &subject, environment("PORT"))?;
    let trusted = raw.forwarded_allow_ips.clone().or_else(|| environment("FORWARDED_ALLOW_IPS"));
    let trusted = trusted.as_deref().unwrap_or("127.0.0.1,::1").parse();
    Ok(Config {
        subject,
        mounts: Vec::new(),
        sendfile_root: None,
        binds,
        are_binds_chosen: !raw.bind.is_empty(),
        processes: resolve_processes(&raw, environment("WEB_CONCURRENCY"))?,
        reload: raw.reload == Some(true),
        reload_extra_files: raw.reload_extra_file.clone(),
        health_path: raw.health_path.clone(),
        trusted: trusted.map_err(|error: String| format!("--forwarded-allow-ips: {error}"))?,
        backlog: raw.backlog.unwrap_or(2048),
        limits: raw.limits.resolve()?,
        chdir: raw.chdir,
        threads: raw.threads.unwrap_or(64) as usize,
        queue_timeout: raw.queue_timeout.unwrap_or(Duration::from_secs(30)),
        timeout: Some(raw.timeout.unwrap_or(Duration::from_secs(30))).filter(|timeout| !timeout.is_zero()),
        slow_request: Some(raw.slow_request.unwrap_or(Duration::from_secs(5))).filter(|slow| !slow.is_zero()),
        deadlines: Deadlines {
            keep_alive: raw.keep_alive.unwrap_or(Duration::from_secs(75)),
            head: raw.head_timeout.unwrap_or(Duration::from_secs(30)),
            content: raw.content_timeout.unwrap_or(Duration::from_secs(30)),
            content_grace: raw.content_grace.unwrap_or(Duration::from_secs(30)),
            content_rate: raw.content_rate.unwrap_or(500),
            write: raw.write_timeout.unwrap_or(Duration::from_secs(60)),
        },
        graceful_timeout: raw.graceful_timeout.unwrap_or(Duration::from_secs(25)),
        spool_threshold: raw.spool_threshold.unwrap_or(2 << 20),
        spool_memory: raw.spool_memory.unwrap_or(64 << 20),
        spool_directory: raw.spool_dir.unwrap_or_else(std::env::temp_dir),
        error_log: raw.error_logfile.unwrap_or(LogTarget::Standard),
        access_log: raw.access_logfile.unwrap_or(LogTarget::Standard),
        log_format: raw.log_format.unwrap_or(LogFormat::Text),
        log_level: raw.log_level.unwrap_or(LogLevel::Info),
        debug: raw.debug.unwrap_or(false),
    })
}

fn resolve_processes(raw: &Raw, web_concurrency: Option<String>) -> Result<Processes, String> {
    let web_concurrency = web_concurrency.filter(|text| !text.is_empty());
    let (workers, workers_from) = match (raw.workers, web_concurrency) {
        (Some(workers), _) => (workers, "--workers"),
        (None, Some(text)) => {
            (text.parse().map_err(|error| format!("WEB_CONCURRENCY in the environment: {error}"))?, "WEB_CONCURRENCY")
        }
        (None, None) => (WorkerCount::Fixed(1), "the default"),
    };
    let (preload, reload) = (raw.preload == Some(true), raw.reload == Some(true));
    if preload && reload {
        return Err("--preload and --reload: one is for production, the other for development; choose".into());
    }
    if !raw.reload_extra_file.is_empty() && !reload {
        return Err("--reload-extra-file: without --reload nothing is watched".into());
    }
    let jitter = raw.max_requests_jitter.unwrap_or(0);
    Ok(Processes {
        workers,
        workers_from,
        preload,
        max_requests: raw.max_requests.filter(|&most| most > 0).map(|most| (most, jitter)),
        max_worker_lifetime: raw.max_worker_lifetime,
        max_worker_rss: raw.max_worker_rss.filter(|&most| most > 0),
        hang_timeout: Some(raw.hang_timeout.unwrap_or(Duration::from_secs(60))).filter(|timeout| !timeout.is_zero()),
        drain_delay: raw.drain_delay.unwrap_or(Duration::ZERO),
        pid_file: raw.pid.clone(),
        user: raw.user.clone(),
        group: raw.group.clone(),
        umask: raw.umask,
        name: raw.name.clone().unwrap_or_else(|| "brickwork".into()),
        environment: raw.env.clone(),
    })
}

fn resolve_binds(typed: &[String], subject: &Subject, port: Option<String>) -> Result<Vec<Bind>, String> {
    if typed.is_empty() {
        // PORT is how platforms that route to a container say where; there, loopback would be reachable by nobody.
        let host = match (&port, subject) {
            (Some(_), Subject::Application(_) | Subject::Files) => "0.0.0.0",
            _ => "127.0.0.1",
        };
        let port = port.map_or(Ok(8000), |port| {
            port.parse::<u16>().map_err(|_| format!("PORT in the environment is not a port number: '{port}'"))
        })?;
        return Ok(vec![Bind::Tcp { host: host.into(), port }]);
    }
    let parse = |text: &String| text.parse::<Bind>().map_err(|error| format!("--bind {text}: {error}"));
    let binds = typed.iter().map(parse).collect::<Result<Vec<Bind>, String>>()?;
    match binds.iter().zip(typed).find(|(bind, _)| *subject == Subject::Demo && !is_local(bind)) {
        Some((_, text)) => Err(format!(
            "--bind {text}: the demo shows everything about a request and listens on loopback only: 127.0.0.1:8000"
        )),
        None => Ok(binds),
    }
}

fn is_local(bind: &Bind) -> bool {
    match bind {
        Bind::Tcp { host, .. } => {
            host.parse::<std::net::IpAddr>().map_or(host == "localhost", |address| address.is_loopback())
        }
        Bind::Unix(_) => true,
        Bind::Fd(_) => false,
    }
}
