//! Exactly what was typed: one field a flag, unset where nothing was said. A flag's text, name and syntax are here and
//! nowhere else; its default is in `resolve.rs`, and a test holds the `(default ...)` of each text against it.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum, value_parser};
use serde::{Deserialize, Serialize};

use super::RawLimits;
use super::duration::{parse_deadline, parse_duration};
use super::processes::{WorkerCount, parse_health_path, parse_umask, parse_variable};
use super::size::parse_size;

/// The flags that every command which serves understands.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Raw {
    /// Where to listen: HOST:PORT, :PORT, [::]:PORT, unix:PATH or fd://N; port 0 takes a free one. May be repeated
    /// (default 127.0.0.1:8000; with PORT in the environment 0.0.0.0:$PORT)
    #[arg(short, long, value_name = "ADDRESS", value_delimiter = ',', help_heading = "Listening")]
    pub bind: Vec<String>,
    /// Connections that the kernel holds until they are accepted (default 2048)
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=65535), help_heading = "Listening")]
    pub backlog: Option<u32>,

    /// Go to this directory first; the application is looked for there
    #[arg(long, value_name = "DIR", help_heading = "Application")]
    pub chdir: Option<PathBuf>,
    /// At most so many calls into the application at once; 1: strictly one after the other (default 64)
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=4096), help_heading = "Application")]
    pub threads: Option<u32>,

    /// A request waits so long for one of these calls, then it is answered 503 (default 30s)
    #[arg(long, value_name = "TIME", value_parser = parse_deadline, help_heading = "Application")]
    pub queue_timeout: Option<Duration>,

    /// Worker processes, or auto: as many as processors and memory allow (default 1, or WEB_CONCURRENCY)
    #[arg(short, long, value_name = "N", help_heading = "Processes")]
    pub workers: Option<WorkerCount>,
    /// Import the application once, and fork workers from there (default false)
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        help_heading = "Processes"
    )]
    pub preload: Option<bool>,
    /// Replace a worker after so many requests; 0: never (default 0)
    #[arg(long, value_name = "N", help_heading = "Processes")]
    pub max_requests: Option<u64>,
    /// Up to so many requests more, each worker a different number (default 0)
    #[arg(long, value_name = "N", help_heading = "Processes")]
    pub max_requests_jitter: Option<u64>,
    /// Replace a worker after about so long
    #[arg(long, value_name = "TIME", value_parser = parse_deadline, help_heading = "Processes")]
    pub max_worker_lifetime: Option<Duration>,
    /// Replace a worker that has more memory than this
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Processes")]
    pub max_worker_rss: Option<u64>,
    /// Replace a worker in which the event loop or the interpreter lock stands still for so long; 0: never (default 60s)
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Processes")]
    pub hang_timeout: Option<Duration>,
    /// Write the supervisor's process id to this file
    #[arg(short, long, value_name = "FILE", help_heading = "Processes")]
    pub pid: Option<PathBuf>,
    /// Become this user, once everything is open
    #[arg(short, long, value_name = "USER", help_heading = "Processes")]
    pub user: Option<String>,
    /// Become this group
    #[arg(short, long, value_name = "GROUP", help_heading = "Processes")]
    pub group: Option<String>,
    /// File mode creation mask, in octal
    #[arg(short = 'm', long, value_name = "MASK", value_parser = parse_umask, help_heading = "Processes")]
    pub umask: Option<u32>,
    /// Name of the processes, and of the server for brickwork reload (default brickwork)
    #[arg(short, long, value_name = "NAME", help_heading = "Processes")]
    pub name: Option<String>,
    /// Set a variable in the application's environment. May be repeated
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = parse_variable, help_heading = "Processes")]
    pub env: Vec<(String, String)>,

    /// Start anew when a file of the application changes, and show what is wrong with it in the browser (default false)
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        help_heading = "Development"
    )]
    pub reload: Option<bool>,
    /// With --reload: also when this file changes. May be repeated
    #[arg(long, value_name = "FILE", help_heading = "Development")]
    pub reload_extra_file: Vec<PathBuf>,

    /// Answer health checks under this path: PATH/live and PATH/ready
    #[arg(long, value_name = "PATH", value_parser = parse_health_path, help_heading = "Listening")]
    pub health_path: Option<String>,
    /// Proxies to believe what they say about the client: addresses, networks, * for all (default 127.0.0.1,::1; or
    /// FORWARDED_ALLOW_IPS)
    #[arg(long, value_name = "LIST", help_heading = "Listening")]
    pub forwarded_allow_ips: Option<String>,

    /// The application begins to answer a request within so long, else it is answered 504 and interrupted; 0: never
    /// (default 30s)
    #[arg(short, long, value_name = "TIME", value_parser = parse_duration, help_heading = "Application")]
    pub timeout: Option<Duration>,
    /// Log where a request is that takes longer than this; 0: never (default 5s)
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Application")]
    pub slow_request: Option<Duration>,

    /// A connection waits so long for its next request (default 75s)
    #[arg(long, value_name = "TIME", value_parser = parse_deadline, help_heading = "Deadlines")]
    pub keep_alive: Option<Duration>,
    /// A request head is all there after so long (default 30s)
    #[arg(long, value_name = "TIME", value_parser = parse_deadline, help_heading = "Deadlines")]
    pub head_timeout: Option<Duration>,
    /// A client sends some content at least so often (default 30s)
    #[arg(long, value_name = "TIME", value_parser = parse_deadline, help_heading = "Deadlines")]
    pub content_timeout: Option<Duration>,
    /// After this long, content comes at --content-rate on average (default 30s)
    #[arg(long, value_name = "TIME", value_parser = parse_deadline, help_heading = "Deadlines")]
    pub content_grace: Option<Duration>,
    /// Least bytes of content a second after --content-grace; 0 for any (default 500)
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Deadlines")]
    pub content_rate: Option<u64>,
    /// A client takes some of the response at least so often (default 60s)
    #[arg(long, value_name = "TIME", value_parser = parse_deadline, help_heading = "Deadlines")]
    pub write_timeout: Option<Duration>,
    /// After TERM or Ctrl-C, requests in flight have so long to finish (default 25s)
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Deadlines")]
    pub graceful_timeout: Option<Duration>,

    /// After TERM, everything goes on for so long, but health checks say that it is not ready (default 0)
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Deadlines")]
    pub drain_delay: Option<Duration>,

    #[command(flatten)]
    pub limits: RawLimits,

    /// Content larger than this waits for the application in a file (default 2MiB)
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Spooling")]
    pub spool_threshold: Option<u64>,
    /// So much memory may the content of all requests of a worker take; what finds no room waits in a file (default 64MiB)
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Spooling")]
    pub spool_memory: Option<u64>,
    /// The directory for such files; not writable: such content is refused with 413 (default $TMPDIR, or /tmp)
    #[arg(long, value_name = "DIR", help_heading = "Spooling")]
    pub spool_dir: Option<PathBuf>,

    /// File of the error log, '-' for standard error (default -)
    #[arg(long, visible_alias = "log-file", value_name = "FILE", help_heading = "Logs")]
    pub error_logfile: Option<LogTarget>,
    /// Least level in the error log; trace also shows request and response heads (default info)
    #[arg(long, value_name = "LEVEL", help_heading = "Logs")]
    pub log_level: Option<LogLevel>,
    /// File of the access log, '-' for standard output, 'none' to turn it off (default -)
    #[arg(long, value_name = "FILE", help_heading = "Logs")]
    pub access_logfile: Option<LogTarget>,
    /// Tell clients why their request was refused, byte by byte; not for production (default false)
    #[arg(
        long,
        value_name = "BOOL",
        value_parser = BoolishValueParser::new(),
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        help_heading = "Logs"
    )]
    pub debug: Option<bool>,
    /// Shape of both logs (default text)
    #[arg(long, value_name = "FORMAT", help_heading = "Logs")]
    pub log_format: Option<LogFormat>,
}

/// Where a log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// Standard error or standard output, whichever the log is used to.
    Standard,
    /// Nowhere.
    Off,
    /// The end of a file.
    File(PathBuf),
}

impl FromStr for LogTarget {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<LogTarget, Infallible> {
        Ok(match text {
            "-" => LogTarget::Standard,
            "none" => LogTarget::Off,
            path => LogTarget::File(path.into()),
        })
    }
}

/// The shape of a log line: for people, or one JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[expect(missing_docs, reason = "clap would print what is said of a value")]
pub enum LogFormat {
    Text,
    Json,
}

/// How much is logged; each level includes those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[expect(missing_docs, reason = "clap would print what is said of a value")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warning,
    Error,
}
