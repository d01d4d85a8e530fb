//! How a process ended, in words, and what it took.

use nix::libc;
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;

/// A process that has ended and is buried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dead {
    pub(crate) pid: Pid,
    pub(crate) status: WaitStatus,
    /// The most memory that it ever had at a time, in bytes.
    pub(crate) most_resident: u64,
}

/// Buries the next child that has ended, if there is one.
#[allow(unsafe_code)]
pub(crate) fn next_dead() -> Option<Dead> {
    loop {
        let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
        // SAFETY: both places may be written to; a `rusage` is numbers only, so zeros are one if nothing is written.
        let (pid, usage) = unsafe {
            let pid = libc::wait4(-1, &raw mut status, libc::WNOHANG, usage.as_mut_ptr());
            (pid, usage.assume_init())
        };
        if pid <= 0 {
            return None;
        }
        let pid = Pid::from_raw(pid);
        // One that was merely stopped has not ended.
        if let Ok(status @ (WaitStatus::Exited(..) | WaitStatus::Signaled(..))) = WaitStatus::from_raw(pid, status) {
            let most_resident = u64::try_from(usage.ru_maxrss).unwrap_or(0) << 10;
            return Some(Dead { pid, status, most_resident });
        }
    }
}

/// "exited with status 1" or "was killed by SIGKILL"; None if it has not ended.
pub(crate) fn describe(status: WaitStatus) -> Option<String> {
    match status {
        WaitStatus::Exited(_, code) => Some(format!("exited with status {code}")),
        WaitStatus::Signaled(_, signal, has_core) => {
            Some(format!("was killed by {signal}{}", if has_core { " (core dumped)" } else { "" }))
        }
        _ => None,
    }
}
