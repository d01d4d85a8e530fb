//! What the command hands over to the supervisor's program, and what that makes of it. Both are of one build: this is no
//! format for others.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufReader};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;

use brickwork_server::{Record, SocketFile};
use brickwork_supervisor::{
    Hooks, Outcome, PidFile, Settings, Supervisor, hand_over, inherit, set_process_name, take_over,
};
use serde::{Deserialize, Serialize};

use crate::config::{Config, LogFormat, LogLevel, LogTarget};
use crate::findings;
use crate::log::{self, Log};

/// See the module's documentation. A descriptor is a number in it, and is owned elsewhere until it was taken over.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Takeover {
    settings: Settings,
    log: Option<OpenLog>,
    listeners: Vec<RawFd>,
    /// To be named in the log when the first worker serves.
    urls: Vec<String>,
    /// Files of unix sockets, to be removed in the end.
    socket_files: Vec<OsString>,
    pid_file: Option<(OsString, RawFd)>,
}

/// The error log, which is open already.
#[derive(Debug, Serialize, Deserialize)]
struct OpenLog {
    file: RawFd,
    /// Where it is, if it can be opened again.
    path: Option<OsString>,
    format: LogFormat,
    level: LogLevel,
}

impl Takeover {
    /// What is handed over, and the descriptors that it names.
    pub(crate) fn new<'a>(
        settings: Settings,
        config: &Config,
        sockets: &'a [OwnedFd],
        socket_files: &[SocketFile],
        pid_file: Option<&'a PidFile>,
        urls: Vec<String>,
    ) -> (Takeover, Vec<BorrowedFd<'a>>) {
        let log = log::installed();
        let named = sockets.iter().map(AsFd::as_fd).chain(pid_file.map(AsFd::as_fd)).chain(log).collect();
        let path = match &config.error_log {
            LogTarget::File(path) => Some(path.into()),
            LogTarget::Standard | LogTarget::Off => None,
        };
        let (format, level) = (config.log_format, config.log_level);
        let takeover = Takeover {
            settings,
            log: log.map(|file| OpenLog { file: file.as_raw_fd(), path, format, level }),
            listeners: sockets.iter().map(AsRawFd::as_raw_fd).collect(),
            urls,
            socket_files: socket_files.iter().map(|file| file.path().into()).collect(),
            pid_file: pid_file.map(|file| (file.path().into(), file.as_fd().as_raw_fd())),
        };
        (takeover, named)
    }

    /// Replaces this process by the supervisor's program. Returns only if that fails. `arguments` are for people to see.
    pub(crate) fn hand_over(&self, program: &Path, arguments: &[OsString], named: &[BorrowedFd<'_>]) -> io::Error {
        match serde_json::to_vec(self) {
            Ok(text) => hand_over(program, &text, arguments, named),
            Err(error) => error.into(),
        }
    }

    fn carry_out(self) -> io::Result<Outcome> {
        let Takeover { settings, log, listeners, urls, socket_files, pid_file } = self;
        set_process_name(&settings.name);
        let target = log.and_then(OpenLog::install).transpose()?;
        let sockets = listeners.into_iter().map(inherit).collect::<io::Result<Vec<OwnedFd>>>()?;
        // Removed when we are through.
        let _socket_files: Vec<SocketFile> =
            socket_files.into_iter().map(|path| SocketFile::adopt(path.into())).collect();
        let _pid_file =
            pid_file.map(|(path, file)| io::Result::Ok(PidFile::adopt(path.into(), inherit(file)?))).transpose()?;
        let hooks = Hooks {
            block: Record::WORDS,
            examine: findings::examine,
            on_serving: Box::new(move || urls.iter().for_each(|url| tracing::info!("listening on {url}"))),
            on_reopen_logs: Box::new(move || target.iter().for_each(log::reopen)),
        };
        Supervisor::new(settings, hooks, sockets)?.run()
    }
}

impl OpenLog {
    /// Makes it the log of this process; returns what can be opened again.
    fn install(self) -> Option<io::Result<LogTarget>> {
        match inherit(self.file) {
            Ok(file) => Log::new(file.into(), self.format, self.level).install(),
            Err(error) => return Some(Err(error)),
        }
        self.path.map(|path| Ok(LogTarget::File(path.into())))
    }
}

/// Takes this process over from the command and supervises until it is told to end; returns the process's exit status.
/// `first_argument` says where to find what was handed over.
#[must_use]
pub fn run_supervisor(first_argument: Option<&OsStr>) -> u8 {
    let read = |file| Ok(serde_json::from_reader::<_, Takeover>(BufReader::new(file))?);
    let Ok(takeover) = take_over(first_argument).and_then(read) else {
        eprintln!("error: this program is what the command brickwork becomes; it is not for anybody else to start");
        return 2;
    };
    match takeover.carry_out() {
        Ok(Outcome::Ended) => {
            tracing::info!("stopped");
            0
        }
        // The worker has said why, in the log.
        Ok(Outcome::NeverServed) => 1,
        Err(error) => {
            tracing::error!("the supervisor: {error}");
            1
        }
    }
}
