//! The command up to the point where it becomes the supervisor: what has to be open before there are workers, and how to
//! start them. What comes after that point is in `takeover.rs`.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use brickwork_server::{Bind, Listener, SocketFile};
use brickwork_supervisor::{Launch, PidFile, Privileges, Settings, set_umask};

use crate::config::{Config, LogTarget, WorkerCount};
use crate::interpreter::InterpreterCommand;
use crate::log;
use crate::process;
use crate::sizing::Sizing;
use crate::takeover::Takeover;

/// Opens what has to be open before there are workers, and replaces this process by the supervisor, which is `program`.
/// `arguments` are those that `config` was made of: workers get them too. Returns only if that fails, the process's exit
/// status.
#[must_use]
pub fn supervise(program: &Path, interpreter: InterpreterCommand, config: &Config, arguments: Vec<OsString>) -> u8 {
    let started_in = current_directory();
    if let Some(mask) = config.processes.umask {
        set_umask(mask);
    }
    if let Err(error) = process::prepare(config) {
        eprintln!("error: {error}");
        return 1;
    }
    let Err(message) = hand_over_to(program, interpreter, config, arguments, started_in);
    if config.error_log != LogTarget::Standard {
        eprintln!("error: {message}");
    }
    tracing::error!("could not start: {message}");
    1
}

fn hand_over_to(
    program: &Path,
    interpreter: InterpreterCommand,
    config: &Config,
    arguments: Vec<OsString>,
    started_in: PathBuf,
) -> Result<Infallible, String> {
    let processes = &config.processes;
    announce(&interpreter, config);
    let privileges = Privileges::look_up(processes.user.as_deref(), processes.group.as_deref())?;
    let Opened { sockets, files, urls } = Opened::open(config)?;
    let pid_file = processes.pid_file.clone().map(|path| {
        let shown = path.display().to_string();
        PidFile::create(path).map_err(|error| format!("--pid {shown}: {error}"))
    });
    let pid_file = pid_file.transpose()?;
    if let Some(privileges) = privileges {
        for target in [&config.error_log, &config.access_log] {
            if let (LogTarget::File(path), Ok(Some(file))) = (target, log::open(target, std::io::stderr()))
                && let Err(error) = privileges.give(&file)
            {
                tracing::warn!("{} keeps its owner: {error}", path.display());
            }
        }
        for file in &files {
            if let Err(error) = privileges.give_path(file.path()) {
                tracing::warn!("{} keeps its owner: {error}", file.path().display());
            }
        }
        privileges.take_on().map_err(|error| format!("--user, --group: {error}"))?;
    }
    let workers = match processes.workers {
        WorkerCount::Fixed(workers) => workers,
        WorkerCount::Auto => {
            let sizing = Sizing::here();
            tracing::info!("{} auto: {sizing}", processes.workers_from);
            sizing.workers
        }
    };
    let watched = || config.reload_extra_files.iter().map(OsString::from).collect();
    let settings = Settings {
        workers,
        launch: launch(interpreter, config, arguments.clone(), started_in),
        preload: processes.preload,
        responder: processes.preload && config.health_path.is_some(),
        graceful_timeout: config.graceful_timeout,
        drain_delay: processes.drain_delay,
        max_worker_lifetime: processes.max_worker_lifetime,
        hang_timeout: processes.hang_timeout,
        max_worker_rss: processes.max_worker_rss,
        watch: config.reload.then(watched),
        name: processes.name.clone(),
        notify_socket: std::env::var_os(NOTIFY_SOCKET),
    };
    let (takeover, named) = Takeover::new(settings, config, &sockets, &files, pid_file.as_ref(), urls);
    let error = takeover.hand_over(program, &arguments, &named);
    Err(format!("the supervisor's program, {}, cannot take over: {error}", program.display()))
}

/// Says what is served.
fn announce(interpreter: &InterpreterCommand, config: &Config) {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    match config.subject.application_name() {
        Some(name) => {
            tracing::info!("brickwork {VERSION}, {}, application {name}", interpreter.name);
            tracing::info!("threads {}: at most so many calls into the application at once", config.threads);
        }
        None => tracing::info!("brickwork {VERSION}"),
    }
    for mount in &config.mounts {
        tracing::info!("files of {} at {}/", mount.directory.display(), mount.options.prefix);
    }
}

const NOTIFY_SOCKET: &str = "NOTIFY_SOCKET";

/// What workers accept from.
struct Opened {
    sockets: Vec<OwnedFd>,
    /// Removed in the end.
    files: Vec<SocketFile>,
    urls: Vec<String>,
}

impl Opened {
    fn open(config: &Config) -> Result<Opened, String> {
        let mut opened = Opened { sockets: Vec::new(), files: Vec::new(), urls: Vec::new() };
        let given = activated(|name| std::env::var(name).ok());
        let binds = if config.are_binds_chosen || given.is_empty() { config.binds.clone() } else { given };
        for bind in &binds {
            let listener = Listener::bind(bind, config.backlog).map_err(|error| error.to_string())?;
            opened.urls.push(listener.url());
            let (socket, file) = listener.into_parts().map_err(|error| error.to_string())?;
            opened.sockets.push(socket);
            opened.files.extend(file);
        }
        Ok(opened)
    }
}

/// The sockets that the service manager opened for this process, sd_listen_fds(3).
fn activated(environment: impl Fn(&str) -> Option<String>) -> Vec<Bind> {
    const FIRST: i32 = 3;
    let number = |name| environment(name).and_then(|text| text.parse::<u32>().ok());
    match (number("LISTEN_PID"), number("LISTEN_FDS")) {
        (Some(pid), Some(count)) if pid == std::process::id() => (FIRST..).take(count as usize).map(Bind::Fd).collect(),
        _ => Vec::new(),
    }
}

/// The directory that we are in, by the name that the shell or service manager knows it by: a link in it may point to
/// the next release by the time of a reload.
fn current_directory() -> PathBuf {
    let real = std::env::current_dir().unwrap_or_else(|_| "/".into());
    let same = |one: &PathBuf, other: &PathBuf| match (one.metadata(), other.metadata()) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    };
    match std::env::var_os("PWD").map(PathBuf::from) {
        Some(named) if named.is_absolute() && same(&named, &real) => named,
        _ => real,
    }
}

fn launch(interpreter: InterpreterCommand, config: &Config, arguments: Vec<OsString>, directory: PathBuf) -> Launch {
    // Not -m, which would load a megabyte of modules only to find ours.
    let command = ["-c", "from brickwork.__main__ import main; raise SystemExit(main())"].map(OsString::from);
    let pair = |(name, value): &(String, String)| (OsString::from(name), OsString::from(value));
    Launch {
        program: interpreter.program,
        before: interpreter.flags.into_iter().chain(command).collect(),
        after: arguments,
        directory: directory.into(),
        set: config.processes.environment.iter().map(pair).collect(),
        removed: ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", NOTIFY_SOCKET].map(OsString::from).to_vec(),
        version: env!("CARGO_PKG_VERSION").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_of_the_service_manager_are_taken_if_they_are_for_us() {
        let ours = std::process::id().to_string();
        let environment = |pid: &str, count: &str| {
            let (pid, count) = (pid.to_owned(), count.to_owned());
            activated(move |name| Some(if name == "LISTEN_PID" { pid.clone() } else { count.clone() }))
        };
        assert_eq!(environment(&ours, "2"), [Bind::Fd(3), Bind::Fd(4)]);
        assert_eq!(environment("1", "2"), []);
        assert_eq!(environment(&ours, "many"), []);
        assert_eq!(activated(|_| None), []);
    }
}
