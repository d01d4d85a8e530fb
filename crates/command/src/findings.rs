//! What the record of a worker says, in words for the log and for `brickwork status`.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use brickwork_server::redaction::shown_target;
use brickwork_server::{InFlight, Record};
use brickwork_supervisor::Findings;

/// So many requests are named.
const NAMED: usize = 5;

/// Reads the block of a worker, which may be dead or alive.
pub(crate) fn examine(block: &'static [AtomicU64]) -> Findings {
    let Some(record) = Record::shared(block) else { return Findings::default() };
    let counters = record.counters();
    let count = |counter: &AtomicU64| counter.load(Relaxed);
    Findings {
        requests: count(&counters.requests),
        in_flight: count(&counters.in_flight),
        lines: record.in_flight().iter().take(NAMED).map(line).collect(),
        counts: vec![
            ("connections", count(&counters.accepted)),
            ("requests", count(&counters.requests)),
            ("refused", count(&counters.rejected)),
            ("queued", count(&counters.queued)),
            ("timed out", count(&counters.timed_out)),
        ],
    }
}

/// `GET /a?b=[redacted] (1.2s)`
fn line(request: &InFlight) -> String {
    let cut = if request.is_whole { "" } else { "..." };
    let seconds = request.age as f64 / 1000.0;
    format!("{}{cut} ({seconds:.1}s)", shown_target(&request.line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_shown_without_its_secrets() {
        let request = |line: &[u8], is_whole| InFlight { age: 1234, line: line.to_vec(), is_whole };
        assert_eq!(line(&request(b"GET /a?token=1", true)), "GET /a?token=[redacted] (1.2s)");
        assert_eq!(line(&request(b"PUT /lo\x1bng", false)), "PUT /lo\\x1bng... (1.2s)");
    }

    #[test]
    fn a_block_of_nobody_says_nothing() {
        let empty: &'static [AtomicU64] = Box::leak((0..Record::WORDS).map(|_| AtomicU64::new(0)).collect());
        assert_eq!((examine(empty).requests, examine(empty).lines.len()), (0, 0));
        assert_eq!(examine(&empty[..1]), Findings::default());
    }
}
