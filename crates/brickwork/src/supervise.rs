//! The supervisor's side of the command: what has to be opened before there are workers, and how to start them.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use brickwork_server::{Bind, Listener, Record, SocketFile};
use brickwork_supervisor::{
    Launch, Notifier, Outcome, PidFile, Privileges, Settings, Supervisor, set_process_name, set_umask,
};
use pyo3::prelude::*;

use crate::config::{Config, LogTarget, WorkerCount};
use crate::findings;
use crate::log;
use crate::serve;
use crate::sizing::Sizing;

/// Supervises until it is told to end; returns the process's exit status.
pub(crate) fn run(py: Python<'_>, config: &Config, arguments: &[OsString]) -> u8 {
    let started_in = current_directory();
    if let Some(mask) = config.processes.umask {
        set_umask(mask);
    }
    if let Err(error) = serve::prepare(config) {
        eprintln!("error: {error}");
        return 1;
    }
    match supervise(py, config, arguments, started_in) {
        Ok(Outcome::Ended) => {
            tracing::info!("stopped");
            0
        }
        // The worker has said why, in the log.
        Ok(Outcome::NeverServed) => 1,
        Err(message) => {
            if config.error_log != LogTarget::Standard {
                eprintln!("error: {message}");
            }
            tracing::error!("could not start: {message}");
            1
        }
    }
}

fn supervise(py: Python<'_>, config: &Config, arguments: &[OsString], started_in: PathBuf) -> Result<Outcome, String> {
    let processes = &config.processes;
    announce(py, config);
    let launch = launch(py, config, arguments, started_in).map_err(|error| format!("how to start workers: {error}"))?;
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
    set_process_name(&processes.name);

    let workers = match processes.workers {
        WorkerCount::Fixed(workers) => workers,
        WorkerCount::Auto => {
            let sizing = Sizing::here();
            tracing::info!("{} auto: {sizing}", processes.workers_from);
            sizing.workers
        }
    };
    let settings = Settings {
        workers,
        launch,
        preload: processes.preload,
        responder: processes.preload && config.health_path.is_some(),
        graceful_timeout: config.graceful_timeout,
        drain_delay: processes.drain_delay,
        max_worker_lifetime: processes.max_worker_lifetime,
        hang_timeout: processes.hang_timeout,
        max_worker_rss: processes.max_worker_rss,
        block: Record::WORDS,
        examine: Box::new(findings::examine),
        watch: config.reload.then(|| config.reload_extra_files.clone()),
        name: processes.name.clone(),
        notifier: Notifier::new(std::env::var_os(NOTIFY_SOCKET).as_deref()),
        on_serving: Box::new(move || urls.iter().for_each(|url| tracing::info!("listening on {url}"))),
        on_reopen_logs: Box::new({
            let target = config.error_log.clone();
            move || log::reopen(&target)
        }),
    };
    let outcome = py.detach(|| Supervisor::new(settings, sockets).and_then(Supervisor::run));
    drop((files, pid_file));
    outcome.map_err(|error| format!("the supervisor: {error}"))
}

/// Says what is served.
fn announce(py: Python<'_>, config: &Config) {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    match serve::application_name(config) {
        Some(name) => {
            let python = serve::python_text(py).unwrap_or_else(|_| "Python".into());
            tracing::info!("brickwork {VERSION}, {python}, application {name}");
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

fn launch(py: Python<'_>, config: &Config, arguments: &[OsString], directory: PathBuf) -> PyResult<Launch> {
    let program: OsString = py.import("sys")?.getattr("executable")?.extract()?;
    let flags = interpreter_flags(&py.import("sys")?.getattr("orig_argv")?.extract::<Vec<OsString>>()?);
    let module = ["-m", "brickwork"].map(OsString::from);
    let pair = |(name, value): &(String, String)| (OsString::from(name), OsString::from(value));
    Ok(Launch {
        program,
        before: flags.into_iter().chain(module).collect(),
        after: arguments.to_vec(),
        directory,
        set: config.processes.environment.iter().map(pair).collect(),
        removed: ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", NOTIFY_SOCKET].map(OsString::from).to_vec(),
        version: env!("CARGO_PKG_VERSION").into(),
    })
}

/// The interpreter's own flags (-X, -W, -E, -I and so on) of a command line: what stands between it and the program.
fn interpreter_flags(command_line: &[OsString]) -> Vec<OsString> {
    let mut flags = Vec::new();
    let mut words = command_line.iter().skip(1);
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        // `-m` and `-c` name the program, perhaps behind other flags; `-X`, `-W` and one long flag take a value, perhaps in the next word.
        let Some(letters) = text.strip_prefix('-').filter(|letters| !letters.is_empty()) else { break };
        if letters.starts_with('-') {
            flags.push(word.clone());
            flags.extend((letters == "-check-hash-based-pycs").then(|| words.next().cloned()).flatten());
            continue;
        }
        match letters.find(['m', 'c', 'X', 'W']) {
            None => flags.push(word.clone()),
            Some(at) if letters[at..].starts_with(['m', 'c']) => {
                flags.extend((at > 0).then(|| OsString::from(format!("-{}", &letters[..at]))));
                break;
            }
            Some(at) => {
                flags.push(word.clone());
                flags.extend((at + 1 == letters.len()).then(|| words.next().cloned()).flatten());
            }
        }
    }
    flags
}

/// Takes a child's hand-over out of the arguments, where it is the first.
pub(crate) fn split_handoff(mut arguments: Vec<OsString>) -> (Option<brickwork_supervisor::Handoff>, Vec<OsString>) {
    let handoff = arguments.first().and_then(|first: &OsString| OsStr::to_str(first)?.parse().ok());
    if handoff.is_some() {
        arguments.remove(0);
    }
    (handoff, arguments)
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

    #[test]
    fn workers_get_the_flags_of_the_interpreter() {
        let table = [
            ("python -m brickwork app", ""),
            ("python -B -m brickwork -X", "-B"),
            ("python -Bm brickwork app", "-B"),
            ("python -X dev -W error -OO -m brickwork app", "-X dev -W error -OO"),
            (
                "python -Xdev -bbWerror --check-hash-based-pycs always -I bin/brickwork -B",
                "-Xdev -bbWerror --check-hash-based-pycs always -I",
            ),
            ("python -c code -B", ""),
            ("python - -B", ""),
            ("python -W", "-W"),
            ("python", ""),
            ("", ""),
        ];
        let words = |text: &str| text.split_whitespace().map(OsString::from).collect::<Vec<_>>();
        for (command_line, flags) in table {
            assert_eq!(interpreter_flags(&words(command_line)), words(flags), "{command_line}");
        }
    }
}
