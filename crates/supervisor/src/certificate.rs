//! The one line that the log has for a worker that has ended: how, after what, and what was lost with it.

use std::fs;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use crate::end::Dead;
use crate::worker::Worker;

/// What is known of a worker by the block that it shares; who knows what its words mean says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Requests that it has answered, or begun to.
    pub requests: u64,
    /// Requests in flight.
    pub in_flight: u64,
    /// Some of these: the oldest, in words.
    pub lines: Vec<String>,
    /// Names and numbers to show of it; they add up over workers.
    pub counts: Vec<(&'static str, u64)>,
}

impl Findings {
    /// "in flight: GET /a (1.2s) and 3 more".
    pub(crate) fn in_flight_text(&self) -> String {
        let shown = self.lines.join(", ");
        match self.in_flight.saturating_sub(self.lines.len() as u64) {
            0 if self.lines.is_empty() => "nothing was in flight".into(),
            0 => format!("in flight: {shown}"),
            more if self.lines.is_empty() => format!("in flight: {more} requests"),
            more => format!("in flight: {shown} and {more} more"),
        }
    }
}

/// The line, for a worker that ended in the way that `how` says.
pub(crate) fn certificate(worker: &Worker, dead: &Dead, how: &str, findings: &Findings, now: Instant) -> String {
    let name = worker.name();
    let age = age_text(now.saturating_duration_since(worker.began));
    let (requests, in_flight) = (findings.requests, findings.in_flight_text());
    let memory = dead.most_resident >> 20;
    format!("{name} {how}; it lived for {age}, had {requests} requests and at most {memory} MiB; {in_flight}")
}

/// Seconds, or the two largest units.
pub(crate) fn age_text(age: Duration) -> String {
    let (seconds, minutes, hours) = (age.as_secs(), age.as_secs() / 60, age.as_secs() / 3600);
    match hours {
        0 if minutes == 0 => format!("{:.1}s", age.as_secs_f64()),
        0 => format!("{minutes}m {}s", seconds % 60),
        hours if hours < 24 => format!("{hours}h {}m", minutes % 60),
        hours => format!("{}d {}h", hours / 24, hours % 24),
    }
}

/// The memory that a process has now, in bytes.
pub(crate) fn resident(pid: Pid) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        let rows = [(1234, "1.2s"), (61_000, "1m 1s"), (7_260_000, "2h 1m"), (180_000_000, "2d 2h")];
        for (milliseconds, text) in rows {
            assert_eq!(age_text(Duration::from_millis(milliseconds)), text);
        }
    }

    #[test]
    fn what_was_in_flight_is_named_and_counted() {
        let lines = |lines: &[&str]| lines.iter().map(|&line| line.into()).collect::<Vec<String>>();
        let rows = [
            (0, lines(&[]), "nothing was in flight"),
            (2, lines(&[]), "in flight: 2 requests"),
            (2, lines(&["GET /a (1s)", "GET /b (0s)"]), "in flight: GET /a (1s), GET /b (0s)"),
            (7, lines(&["GET /a (1s)"]), "in flight: GET /a (1s) and 6 more"),
        ];
        for (in_flight, lines, text) in rows {
            assert_eq!(Findings { in_flight, lines, ..Findings::default() }.in_flight_text(), text);
        }
    }

    #[test]
    fn a_process_has_memory() {
        assert!(resident(nix::unistd::getpid()).is_some_and(|bytes| bytes > 1 << 20));
    }
}
