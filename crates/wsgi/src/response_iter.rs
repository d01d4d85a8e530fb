//! What an application returns: its blocks, sent one by one (PEP 3333, "Buffering and Streaming").
//!
//! No block waits for the application: each is handed to the server before the next is asked for, and the server sends it
//! whatever the application does then (`Exchange::write`). A list or tuple is all there already, so it goes out as one, with
//! its length. Closing the iterable is the caller's business, after all of it was sent.

use brickwork_server::{Content, SendError};
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use crate::file_wrapper::FileWrapper;
use crate::gil::foreign;
use crate::response::{Stage, type_name};
use crate::start_response::Callables;

/// Why a response came to an end before its own.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The application raised, or broke a rule.
    Raised(PyErr),
    /// It could not be sent as the application wanted.
    Unsent(SendError),
}

impl From<PyErr> for Ended {
    fn from(error: PyErr) -> Ended {
        Ended::Raised(error)
    }
}

impl From<SendError> for Ended {
    fn from(error: SendError) -> Ended {
        Ended::Unsent(error)
    }
}

/// The blocks of a list are copied into one up to so many bytes; above, a copy costs more than another system call.
const GATHERED: usize = 16 * 1024;

/// Sends what the application returned.
pub(crate) fn send(py: Python<'_>, callables: &Callables, result: &Bound<'_, PyAny>) -> Result<(), Ended> {
    if let Ok(blocks) = result.cast_exact::<PyList>() {
        if blocks.len() == 1 {
            return send_all(py, callables, block(blocks.get_item(0)?)?);
        }
        return send_blocks(py, callables, blocks.iter());
    }
    if let Ok(blocks) = result.cast_exact::<PyTuple>() {
        return send_blocks(py, callables, blocks.iter());
    }
    if let Ok(wrapper) = result.cast_exact::<FileWrapper>() {
        let length = callables.with_response(py, |response| response.exchange().response.content_length());
        if let Some(file) = wrapper.get().content(py, length) {
            return send_all(py, callables, file);
        }
    }
    send_iterable(py, callables, result)
}

fn send_all(py: Python<'_>, callables: &Callables, content: Content) -> Result<(), Ended> {
    callables.with_response(py, |response| {
        response.check_started()?;
        Ok(response.send_all(content)?)
    })
}

/// Sends blocks that are all there.
fn send_blocks<'py>(
    py: Python<'py>,
    callables: &Callables,
    items: impl Iterator<Item = Bound<'py, PyAny>>,
) -> Result<(), Ended> {
    // All are looked at before the first is sent: one that is no bytes can then still be answered with 500.
    let mut blocks = items.map(bytes).collect::<PyResult<Vec<_>>>()?;
    let length = blocks.iter().map(|block| block.as_bytes().len()).sum::<usize>();
    if blocks.len() == 1
        && let Some(only) = blocks.pop()
    {
        return send_all(py, callables, foreign(only));
    }
    if length == 0 {
        return send_all(py, callables, Content::Empty);
    }
    if length <= GATHERED {
        let gathered: Vec<&[u8]> = blocks.iter().map(|block| block.as_bytes()).collect();
        return send_all(py, callables, Content::Owned(gathered.concat()));
    }
    callables.with_response(py, |response| {
        response.check_started()?;
        response.begin(Some(length as u64))?;
        for block in blocks {
            response.send_block(foreign(block))?;
        }
        Ok(response.finish()?)
    })
}

/// Sends the blocks of any iterable as they come.
fn send_iterable(py: Python<'_>, callables: &Callables, result: &Bound<'_, PyAny>) -> Result<(), Ended> {
    // PEP 3333, "Handling the Content-Length Header": the length of a single block is the content's.
    let is_single = has_len(result) && result.len().is_ok_and(|len| len == 1);
    for item in result.try_iter().map_err(|error| not_iterable(result, error))? {
        let block = block(item?)?;
        if block.is_empty() {
            // The head waits for the first byte of content.
            continue;
        }
        let is_done = callables.with_response(py, |response| {
            response.check_started()?;
            match response.stage() {
                Stage::Over => return Err(Ended::Unsent(SendError::Overrun)),
                Stage::Started if is_single => response.send_all(block)?,
                _ => response.send_block(block)?,
            }
            Ok(response.is_bodyless())
        })?;
        if is_done {
            break;
        }
    }
    callables.with_response(py, |response| {
        response.check_started()?;
        match response.stage() {
            Stage::Over => Ok(()),
            Stage::Begun => Ok(response.finish()?),
            _ => Ok(response.send_all(Content::Empty)?),
        }
    })
}

fn block(item: Bound<'_, PyAny>) -> PyResult<Content> {
    bytes(item).map(foreign)
}

fn bytes(item: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyBytes>> {
    item.cast_into::<PyBytes>().map_err(|error| {
        PyTypeError::new_err(format!("body item is {}, PEP 3333 needs bytes", type_name(&error.into_inner())))
    })
}

/// The application's result cannot be iterated: said in the words of PEP 3333, with Python's as the cause.
#[cold]
fn not_iterable(result: &Bound<'_, PyAny>, error: PyErr) -> PyErr {
    let py = result.py();
    if !error.is_instance_of::<PyTypeError>(py) {
        return error;
    }
    let message = format!("the application returned {}, PEP 3333 needs an iterable of bytes", type_name(result));
    let in_our_words = PyTypeError::new_err(message);
    in_our_words.set_cause(py, Some(error));
    in_our_words
}

/// Whether `len()` can be tried without raising, as it would on every generator.
fn has_len(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the type of a live object, and its slot tables, which are null or valid.
    unsafe {
        let kind = ffi::Py_TYPE(object.as_ptr());
        let (sequence, mapping) = ((*kind).tp_as_sequence, (*kind).tp_as_mapping);
        (!sequence.is_null() && (*sequence).sq_length.is_some())
            || (!mapping.is_null() && (*mapping).mp_length.is_some())
    }
}
