//! One line per response, written by a thread of its own so that a full pipe never blocks the loop.
//!
//! Lines queue in memory; past a bound they are dropped and counted, and the count is written when there is room again.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::Exchange;
use crate::access_line::{AccessLine, ClfTime};

/// The shape of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessLogFormat {
    /// Apache's combined format.
    Combined,
    /// One JSON object a line.
    Json,
}

/// The access log. Clones share one file and one writer thread.
#[derive(Clone, Debug)]
pub struct AccessLog {
    shared: Arc<Shared>,
    format: AccessLogFormat,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    /// The writer waits here for lines, and `flush` for the writer.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    lines: Vec<u8>,
    dropped: u64,
    is_writing: bool,
    /// The writer lets lines gather, and need not be told of them.
    is_pausing: bool,
    /// Somebody waits for what is there to be written.
    is_urgent: bool,
    is_closed: bool,
    file: Option<File>,
    time: ClfTime,
}

/// Bytes that may wait for a slow reader: about ten thousand lines.
const MOST_WAITING: usize = 2 << 20;
/// Between two writes. A line after silence is written at once; of many, each would otherwise wake the writer, which costs as much as to
/// serve a small request. Longer than anybody who watches a log could see would keep lines from it that are lost if the process is killed.
const PAUSE: Duration = Duration::from_millis(20);
/// So many bytes are written without waiting for more: they are still in the caches.
const PLENTY: usize = 32 << 10;

impl Queue {
    fn is_plenty(&self) -> bool {
        self.lines.len() >= PLENTY
    }
}

impl AccessLog {
    /// Starts the writer.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn new(file: File, format: AccessLogFormat) -> io::Result<AccessLog> {
        let shared = Arc::new(Shared { queue: Mutex::new(Queue::default()), changed: Condvar::new() });
        let writer = Arc::clone(&shared);
        std::thread::Builder::new().name("access-log".into()).spawn(move || writer.write_lines(file))?;
        Ok(AccessLog { shared, format })
    }

    /// Goes on in another file, for log rotation.
    pub fn reopen(&self, file: File) {
        self.shared.lock().file = Some(file);
        self.shared.changed.notify_all();
    }

    /// Waits until what was logged so far is written, or writing has stalled for a second.
    pub fn flush(&self) {
        let mut queue = self.shared.lock();
        while !queue.lines.is_empty() || queue.is_writing {
            queue.is_urgent = true;
            self.shared.changed.notify_all();
            let (next, waited) =
                self.shared.changed.wait_timeout(queue, Duration::from_secs(1)).unwrap_or_else(PoisonError::into_inner);
            queue = next;
            if waited.timed_out() {
                return;
            }
        }
    }

    /// Writes the line of a finished exchange.
    pub(crate) fn record(&self, exchange: &Exchange) {
        let line = AccessLine::new(exchange, SystemTime::now());
        let mut queue = self.shared.lock();
        let queue = &mut *queue;
        if queue.lines.len() >= MOST_WAITING {
            queue.dropped += 1;
            return;
        }
        let before = queue.lines.len();
        match self.format {
            AccessLogFormat::Combined => line.combined(&mut queue.lines, &mut queue.time),
            AccessLogFormat::Json => line.json(&mut queue.lines),
        }
        let is_due = if queue.is_pausing { before < PLENTY && queue.is_plenty() } else { before == 0 };
        if is_due && !queue.is_writing {
            self.shared.changed.notify_all();
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        // The writer holds the other reference.
        if Arc::strong_count(&self.shared) <= 2 {
            let mut queue = self.shared.lock();
            queue.is_closed = true;
            queue.is_urgent = true;
            self.shared.changed.notify_all();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_lines(&self, mut file: File) {
        let mut batch = Vec::new();
        let mut queue = self.lock();
        loop {
            if let Some(next) = queue.file.take() {
                file = next;
            }
            if queue.lines.is_empty() {
                queue.is_urgent = queue.is_closed;
                if queue.is_closed {
                    return;
                }
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            std::mem::swap(&mut batch, &mut queue.lines);
            let dropped = std::mem::take(&mut queue.dropped);
            queue.is_writing = true;
            drop(queue);
            // Nobody reads the log any more, or the disk is full: serving goes on, and the error log tells.
            if let Err(error) = file.write_all(&batch) {
                tracing::warn!("the access log cannot be written: {error}");
            }
            if dropped > 0 {
                tracing::warn!("{dropped} access log lines were dropped: whoever reads the log is too slow");
            }
            batch.clear();
            queue = self.lock();
            queue.is_writing = false;
            queue.is_pausing = true;
            // For `flush`.
            self.changed.notify_all();
            let pause = self.changed.wait_timeout_while(queue, PAUSE, |queue| !queue.is_urgent && !queue.is_plenty());
            queue = pause.unwrap_or_else(PoisonError::into_inner).0;
            queue.is_pausing = false;
        }
    }
}
