//! wsgi.file_wrapper: a file as a response (PEP 3333, "Optional Platform-Specific File Handling").
//!
//! Nothing is sent until the server gets the wrapper back as the application's result. A plain binary file is then sent
//! by the kernel from its current position; everything else with a `read()` is read block by block. What counts is the
//! type, not whether there is a `fileno()`: a `GzipFile` has one too, and sending it would send other bytes than
//! `read()` returns.

use std::fs::File;
use std::os::fd::{BorrowedFd, RawFd};

use brickwork_server::Content;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// file_wrapper(filelike, block_size=8192)
#[pyclass(frozen, module = "brickwork")]
pub(crate) struct FileWrapper {
    filelike: Py<PyAny>,
    block_size: isize,
}

const BLOCK_SIZE: isize = 8192;

#[pymethods]
impl FileWrapper {
    #[new]
    #[pyo3(signature = (filelike, block_size=BLOCK_SIZE))]
    fn new(filelike: Py<PyAny>, block_size: isize) -> FileWrapper {
        // 0 would read nothing, and -1 all at once.
        FileWrapper { filelike, block_size: if block_size > 0 { block_size } else { BLOCK_SIZE } }
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let block = self.filelike.bind(py).call_method1(intern!(py, "read"), (self.block_size,))?;
        Ok(if block.is_truthy()? { Some(block) } else { None })
    }

    /// Closes the file, if it can be closed.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(close) = self.filelike.bind(py).getattr_opt(intern!(py, "close"))? {
            close.call0()?;
        }
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.filelike)
    }
}

impl FileWrapper {
    /// The file from its current position to its end, at most `length` bytes, if the kernel can send it.
    pub(crate) fn content(&self, py: Python<'_>, length: Option<u64>) -> Option<Content> {
        let filelike = self.filelike.bind(py);
        // Whatever fails here fails again, and is reported, when the file is read block by block.
        if !is_plain_file(filelike).ok()? {
            return None;
        }
        let offset = filelike.call_method0(intern!(py, "tell")).ok()?.extract::<u64>().ok()?;
        let fd = filelike.call_method0(intern!(py, "fileno")).ok()?.extract::<RawFd>().ok().filter(|fd| *fd >= 0)?;
        // SAFETY: the file object has just said that this descriptor is open, and nobody can close it before the lock
        // is released.
        let file = File::from(unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned().ok()?);
        let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        // Files of /proc and the like have content and no size.
        let left = metadata.len().checked_sub(offset).filter(|left| *left > 0)?;
        Some(Content::File { file: file.into(), offset, len: left.min(length.unwrap_or(left)) })
    }
}

/// Whether `read()` on this object returns the bytes of its descriptor: the types that `open()` makes in binary mode
/// for reading.
fn is_plain_file(filelike: &Bound<'_, PyAny>) -> PyResult<bool> {
    static FILE_IO: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static BUFFERED_READER: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static BUFFERED_RANDOM: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = filelike.py();
    let file_io = FILE_IO.import(py, "io", "FileIO")?;
    if filelike.get_type().is(file_io) {
        return Ok(true);
    }
    let is_random = filelike.get_type().is(BUFFERED_RANDOM.import(py, "io", "BufferedRandom")?);
    if !is_random && !filelike.get_type().is(BUFFERED_READER.import(py, "io", "BufferedReader")?) {
        return Ok(false);
    }
    if is_random {
        filelike.call_method0(intern!(py, "flush"))?;
    }
    Ok(filelike.getattr(intern!(py, "raw"))?.get_type().is(file_io))
}
