//! wsgi.input: the request's content as a stream (PEP 3333, "Input and Error Streams").
//!
//! It ends where the content does, and an empty one never waits. Reading waits only for content that the client holds
//! back until it sees `100 Continue`; the interpreter lock is released meanwhile. There are the methods that PEP 3333
//! asks for and no others: it may not be closed, and has no position.

use std::io::{self, BufRead, Read};
use std::sync::{Mutex, PoisonError, TryLockError};

use brickwork_server::RequestContent;
use pyo3::exceptions::{PyConnectionResetError, PyOSError, PyRuntimeError, PyTimeoutError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

/// The stream of one request, or the one that all requests without content share.
#[pyclass(frozen, module = "brickwork")]
pub(crate) struct Input {
    /// None: there is no content. Locked while a read waits, so that a second thread is refused instead of let in.
    content: Option<Mutex<Content>>,
}

enum Content {
    Open(RequestContent),
    /// The request is over.
    Ended,
}

/// Room for so many bytes is made before they have come; a client can announce more than it sends.
const RESERVED: usize = 1 << 20;

impl Input {
    pub(crate) fn empty() -> Input {
        Input { content: None }
    }

    pub(crate) fn new(content: RequestContent) -> Input {
        Input { content: Some(Mutex::new(Content::Open(content))) }
    }

    /// Lets go of the content; reads raise from now on. One that still waits in another thread is left to the server to
    /// end.
    pub(crate) fn end(&self) {
        if let Some(content) = &self.content {
            match content.try_lock() {
                Ok(mut content) => *content = Content::Ended,
                Err(TryLockError::Poisoned(poisoned)) => *poisoned.into_inner() = Content::Ended,
                Err(TryLockError::WouldBlock) => (),
            }
        }
    }

    /// Runs `work` on the content; None if there is none.
    fn read_with<R>(&self, work: impl FnOnce(&mut RequestContent) -> PyResult<R>) -> PyResult<Option<R>> {
        let Some(content) = &self.content else {
            return Ok(None);
        };
        let mut content = match content.try_lock() {
            Ok(content) => content,
            Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
            Err(TryLockError::WouldBlock) => {
                return Err(PyRuntimeError::new_err("wsgi.input is being read by another thread"));
            }
        };
        match &mut *content {
            Content::Open(content) => work(content).map(Some),
            Content::Ended => Err(PyValueError::new_err("wsgi.input was read after the request ended")),
        }
    }
}

#[pymethods]
impl Input {
    /// read(size=-1): exactly so many bytes, fewer only at the end of the content; all that is left if size is negative
    /// or None.
    #[pyo3(signature = (size=-1, /))]
    fn read<'py>(&self, py: Python<'py>, size: Option<isize>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.read_with(|content| read(py, content, limit(size)))?;
        Ok(bytes.unwrap_or_else(|| PyBytes::new(py, b"")))
    }

    /// readline(size=-1): up to and with the next line feed, at most so many bytes.
    #[pyo3(signature = (size=-1, /))]
    fn readline<'py>(&self, py: Python<'py>, size: Option<isize>) -> PyResult<Bound<'py, PyBytes>> {
        let line = self.read_with(|content| read_line(content, limit(size)))?;
        Ok(PyBytes::new(py, &line.unwrap_or_default()))
    }

    /// readlines(hint=-1): lines until they hold so many bytes; all of them if hint is not positive.
    #[pyo3(signature = (hint=-1, /))]
    fn readlines<'py>(&self, py: Python<'py>, hint: Option<isize>) -> PyResult<Bound<'py, PyList>> {
        let lines = PyList::empty(py);
        let enough = hint.and_then(|hint| usize::try_from(hint).ok()).filter(|hint| *hint > 0).unwrap_or(usize::MAX);
        let mut count = 0;
        while count < enough {
            let line = self.readline(py, None)?;
            if line.as_bytes().is_empty() {
                break;
            }
            count += line.as_bytes().len();
            lines.append(line)?;
        }
        Ok(lines)
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let line = self.readline(py, None)?;
        Ok(Some(line).filter(|line| !line.as_bytes().is_empty()))
    }
}

/// The most bytes to read; negative or None means any number.
fn limit(size: Option<isize>) -> usize {
    size.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX)
}

fn read<'py>(py: Python<'py>, content: &mut RequestContent, limit: usize) -> PyResult<Bound<'py, PyBytes>> {
    let left = content.remaining().map(|left| usize::try_from(left).unwrap_or(usize::MAX));
    let mut wanted = limit.min(left.unwrap_or(usize::MAX));
    if wanted == 0 {
        return Ok(PyBytes::new(py, b""));
    }
    let buffer = content.fill_buf().map_err(raised)?;
    if buffer.len() >= wanted {
        let bytes = PyBytes::new(py, &buffer[..wanted]);
        content.consume(wanted);
        return Ok(bytes);
    }
    PyBytes::new_with_writer(py, left.map_or(0, |_| wanted.min(RESERVED)), |writer| {
        while wanted > 0 {
            let buffer = content.fill_buf().map_err(raised)?;
            if buffer.is_empty() {
                break;
            }
            let taken = buffer.len().min(wanted);
            writer.write_bytes(&buffer[..taken])?;
            content.consume(taken);
            wanted -= taken;
        }
        Ok(())
    })
}

fn read_line(content: &mut RequestContent, limit: usize) -> PyResult<Vec<u8>> {
    let mut line = Vec::new();
    content.by_ref().take(limit as u64).read_until(b'\n', &mut line).map_err(raised)?;
    Ok(line)
}

/// What the client did wrong, as the application sees it: always an OSError.
#[cold]
fn raised(error: io::Error) -> PyErr {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            PyConnectionResetError::new_err("the client left before all of the request's content had come")
        }
        io::ErrorKind::TimedOut => PyTimeoutError::new_err("the client took too long to send the request's content"),
        io::ErrorKind::InvalidData => PyOSError::new_err(format!("the request's content is malformed: {error}")),
        _ => PyOSError::new_err(format!("the request's content cannot be read: {error}")),
    }
}
