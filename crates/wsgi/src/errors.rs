//! wsgi.errors: a text stream into the server's error log (PEP 3333, "Input and Error Streams").
//!
//! `print` and `traceback` write a line in pieces; the log is given whole lines, so that lines of several threads do
//! not mix.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyString};

/// The stream. One object serves all requests.
#[pyclass(frozen, module = "brickwork")]
pub(crate) struct ErrorStream {
    /// Takes text that ends with a line feed.
    sink: Arc<dyn Fn(&str) + Send + Sync>,
    /// What was written after the last line feed.
    unfinished: Mutex<String>,
}

/// An unfinished line that grows beyond this is passed on as it is.
const UNFINISHED_LINE: usize = 16 * 1024;

impl ErrorStream {
    pub(crate) fn new(sink: Arc<dyn Fn(&str) + Send + Sync>) -> ErrorStream {
        ErrorStream { sink, unfinished: Mutex::new(String::new()) }
    }

    /// Writes text; lines that are complete go to the log at once.
    pub(crate) fn log(&self, py: Python<'_>, text: &str) {
        let mut unfinished = self.unfinished.lock().unwrap_or_else(PoisonError::into_inner);
        unfinished.push_str(text);
        let end = match unfinished.rfind('\n') {
            _ if unfinished.len() > UNFINISHED_LINE => unfinished.len(),
            Some(line_feed) => line_feed + 1,
            None => return,
        };
        let rest = unfinished.split_off(end);
        let mut lines = std::mem::replace(&mut *unfinished, rest);
        drop(unfinished);
        self.pass_on(py, &mut lines);
    }

    /// Passes an unfinished line on too.
    fn log_unfinished(&self, py: Python<'_>) {
        let mut line = std::mem::take(&mut *self.unfinished.lock().unwrap_or_else(PoisonError::into_inner));
        if !line.is_empty() {
            self.pass_on(py, &mut line);
        }
    }

    fn pass_on(&self, py: Python<'_>, lines: &mut String) {
        if !lines.ends_with('\n') {
            lines.push('\n');
        }
        // The log may be a pipe that nobody empties: that must not hold up every thread.
        py.detach(|| (self.sink)(lines));
    }
}

#[pymethods]
impl ErrorStream {
    /// write(text) -> number of characters written. Text that is not valid Unicode is logged with replacement
    /// characters.
    fn write(&self, text: &Bound<'_, PyString>) -> PyResult<usize> {
        self.log(text.py(), &text.to_string_lossy());
        text.len()
    }

    /// writelines(texts)
    fn writelines(&self, texts: &Bound<'_, PyAny>) -> PyResult<()> {
        for text in PyIterator::from_object(texts)? {
            self.write(text?.cast::<PyString>()?)?;
        }
        Ok(())
    }

    /// flush(): an unfinished line is logged as it is.
    fn flush(&self, py: Python<'_>) {
        self.log_unfinished(py);
    }
}
