//! How a process ended, in words, and whether the kernel's out-of-memory killer has been at work.

use std::fs;

use nix::sys::wait::WaitStatus;

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

/// How often the out-of-memory killer struck in our cgroup so far (cgroup v2, memory.events); None if nobody says.
pub(crate) fn oom_kills() -> Option<u64> {
    let cgroups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = cgroups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let events = fs::read_to_string(format!("/sys/fs/cgroup/{path}/memory.events")).ok()?;
    events.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}
