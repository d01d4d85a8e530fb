//! How a child is started: fork and exec of the same program, with the descriptors that its [`Handoff`] names.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::process::Command;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::Scoreboard;
use crate::channel::Channel;
use crate::handoff::{Handoff, Role};

/// What all children inherit.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) listeners: Vec<OwnedFd>,
    pub(crate) board: Scoreboard,
}

/// The command line of every child; its [`Handoff`] goes between the two lists of arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// The program: the interpreter.
    pub program: OsString,
    /// What comes before the hand-over.
    pub before: Vec<OsString>,
    /// What comes after it: our own arguments.
    pub after: Vec<OsString>,
    /// Where to start: the directory that we were started in, by the name it had then, so that a link that was moved
    /// since is followed.
    pub directory: OsString,
    /// Variables to set in the environment.
    pub set: Vec<(OsString, OsString)>,
    /// Variables that were meant for us alone.
    pub removed: Vec<OsString>,
    /// The version that the child must have.
    pub version: String,
}

/// What is to be started; see [`Handoff`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Child {
    pub(crate) role: Role,
    pub(crate) generation: u32,
    pub(crate) place: usize,
    pub(crate) is_first: bool,
}

impl Launch {
    /// Starts a child; returns its process id and our end of its channel.
    pub(crate) fn start(&self, child: Child, shared: &Shared) -> io::Result<(Pid, Channel)> {
        let Child { role, generation, place, is_first } = child;
        let Shared { listeners, board } = shared;
        let (ours, theirs) = Channel::pair()?;
        let handoff = Handoff {
            role,
            version: self.version.clone(),
            generation,
            control: theirs.as_fd().as_raw_fd(),
            place,
            is_first,
            board: board.as_fd().as_raw_fd(),
            listeners: listeners.iter().map(AsRawFd::as_raw_fd).collect(),
        };
        let mut command = Command::new(&self.program);
        command.args(&self.before).arg(handoff.to_string()).args(&self.after).current_dir(&self.directory);
        for (name, value) in &self.set {
            command.env(name, value);
        }
        for name in &self.removed {
            command.env_remove(name);
        }
        let inherited: Vec<BorrowedFd<'_>> =
            listeners.iter().map(AsFd::as_fd).chain([theirs.as_fd(), board.as_fd()]).collect();
        // Nothing else is started meanwhile: a supervisor has one thread.
        set_on_exec(&inherited, FdFlag::empty())?;
        let child = command.spawn();
        set_on_exec(&inherited, FdFlag::FD_CLOEXEC)?;
        let pid = i32::try_from(child?.id()).map_err(io::Error::other)?;
        Ok((Pid::from_raw(pid), ours))
    }
}

pub(crate) fn set_on_exec(fds: &[BorrowedFd<'_>], flag: FdFlag) -> io::Result<()> {
    for fd in fds {
        fcntl(fd, FcntlArg::F_SETFD(flag))?;
    }
    Ok(())
}
