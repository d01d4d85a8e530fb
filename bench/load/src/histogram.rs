//! Latencies in microseconds, kept exactly: a run has at most some millions.

#[derive(Default)]
pub(crate) struct Histogram {
    microseconds: Vec<u32>,
}

impl Histogram {
    pub(crate) fn add(&mut self, latency: std::time::Duration) {
        self.microseconds.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    /// Count and percentiles as a JSON object.
    pub(crate) fn report(&mut self) -> String {
        self.microseconds.sort_unstable();
        let count = self.microseconds.len();
        let at = |part: f64| self.microseconds.get((count as f64 * part) as usize).copied().unwrap_or(0);
        let max = self.microseconds.last().copied().unwrap_or(0);
        let (p50, p99, p999) = (at(0.50), at(0.99), at(0.999));
        format!(r#"{{"requests": {count}, "p50": {p50}, "p99": {p99}, "p999": {p999}, "max": {max}}}"#)
    }
}
