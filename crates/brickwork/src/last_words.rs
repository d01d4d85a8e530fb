//! Prepares a worker for its end: on a crash, or when the supervisor asks, CPython writes the stacks of all threads,
//! without the interpreter lock, into a file in memory that the supervisor holds too.

use std::os::fd::AsRawFd;

use brickwork_supervisor::{Channel, LastWords, WRITE_STACKS};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Who writes stacks on a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    /// We do.
    Us,
    /// Somebody has chosen where they go: `-X faulthandler`, PYTHONFAULTHANDLER.
    Others,
}

/// Whether somebody has asked for stacks before us.
pub(crate) fn writer(py: Python<'_>) -> Writer {
    let is_enabled = py.import("faulthandler").and_then(|module| module.call_method0("is_enabled")?.is_truthy());
    if is_enabled.unwrap_or(false) { Writer::Others } else { Writer::Us }
}

/// Prepares this process, and tells its supervisor. Without it the log knows less about a death, and that is all.
pub(crate) fn prepare(py: Python<'_>, channel: &Channel, writer: Writer) {
    let prepared = || -> PyResult<()> {
        let words = LastWords::create()?;
        let faulthandler = py.import("faulthandler")?;
        let options = PyDict::new(py);
        options.set_item("file", words.as_raw_fd())?;
        options.set_item("all_threads", true)?;
        if writer == Writer::Us {
            faulthandler.call_method("enable", (), Some(&options))?;
        }
        faulthandler.call_method("register", (WRITE_STACKS as i32,), Some(&options))?;
        channel.report_last_words(&words);
        // The handlers write to this descriptor as long as there is a process.
        std::mem::forget(words);
        Ok(())
    };
    if let Err(error) = prepared() {
        tracing::warn!("the log will not show where this process was when it crashes: {error}");
    }
}
