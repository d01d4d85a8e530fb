//! Responses as bytes: the head checked by the grammar, the content framed.

use std::sync::Mutex;

use brickwork_server::http::h1::{ResponseBody, ResponseHead, ResponseLength};
use brickwork_server::http::{Fault, Method, Version, reason_phrase};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::rule_broken::rule_broken;

/// The sending half of a connection, without the connection.
#[pyclass(module = "brickwork._brickwork", frozen)]
pub(crate) struct ResponseWriter(Mutex<Option<ResponseBody>>);

/// A field as Python gives it.
type Field<'a> = (&'a [u8], &'a [u8]);

#[pymethods]
impl ResponseWriter {
    #[new]
    fn new() -> ResponseWriter {
        ResponseWriter(Mutex::new(None))
    }

    /// The head of a final response. `request` is the method and the minor version of the request; `date` becomes the
    /// Date field unless one is given.
    fn head<'py>(
        &self,
        py: Python<'py>,
        request: (Vec<u8>, u8),
        status_code: u16,
        fields: Vec<(Vec<u8>, Vec<u8>)>,
        is_persistent: bool,
        date: &[u8],
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut head = begun(status_code, fields.iter().map(|(name, value)| (&name[..], &value[..])))?;
        let version = if request.1 == 0 { Version::Http10 } else { Version::Http11 };
        let request = (Method::from_bytes(&request.0), version);
        let body = head.finish(request, ResponseLength::Unknown, is_persistent, date, b"");
        *self.lock()? = Some(body);
        Ok(PyBytes::new(py, head.as_bytes()))
    }

    /// The bytes that carry a block of content.
    fn data<'py>(&self, py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let mut state = self.lock()?;
        let body = state.as_mut().ok_or_else(out_of_order)?;
        let mut bytes = Vec::new();
        let admitted = body.admit(data.len() as u64, &mut bytes);
        if admitted.overrun {
            return Err(rule_broken(brickwork_server::http::Rule::ContentOverrun, admitted.take));
        }
        if admitted.take > 0 {
            bytes.extend_from_slice(data);
            bytes.extend_from_slice(body.block_end());
        }
        Ok(PyBytes::new(py, &bytes))
    }

    /// The bytes that end the content, and whether the connection closes behind it.
    fn end<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyBytes>, bool)> {
        let mut state = self.lock()?;
        let body = state.as_mut().ok_or_else(out_of_order)?;
        let end = body.finish().map_err(broken)?;
        let closes = body.closes();
        *state = None;
        Ok((PyBytes::new(py, end), closes))
    }
}

/// An interim response, RFC 9110 section 15.2: a head and nothing else.
#[pyfunction]
pub(crate) fn interim_response<'py>(
    py: Python<'py>,
    status_code: u16,
    fields: Vec<(Vec<u8>, Vec<u8>)>,
) -> PyResult<Bound<'py, PyBytes>> {
    // A final head is built for its checks, and gets the interim status line. What frames a content is not in it before
    // `finish`.
    const STATUS_LINE: usize = b"HTTP/1.1 200 \r\n".len();
    let head = begun(200, fields.iter().map(|(name, value)| (&name[..], &value[..])))?;
    let fields = head.as_bytes().split_at(STATUS_LINE + reason_phrase(200).len()).1;
    let mut bytes = format!("HTTP/1.1 {status_code} {}\r\n", reason_phrase(status_code)).into_bytes();
    bytes.extend_from_slice(fields);
    bytes.extend_from_slice(b"\r\n");
    Ok(PyBytes::new(py, &bytes))
}

fn begun<'a>(status_code: u16, fields: impl Iterator<Item = Field<'a>>) -> PyResult<ResponseHead> {
    let mut head = ResponseHead::new();
    head.start(status_code, reason_phrase(status_code).as_bytes()).map_err(broken)?;
    for (name, value) in fields {
        head.field(name, value).map_err(broken)?;
    }
    Ok(head)
}

impl ResponseWriter {
    fn lock(&self) -> PyResult<std::sync::MutexGuard<'_, Option<ResponseBody>>> {
        self.0.lock().map_err(|_| PyRuntimeError::new_err("this connection failed before"))
    }
}

fn broken(fault: Fault) -> PyErr {
    rule_broken(fault.rule, u64::from(fault.at))
}

fn out_of_order() -> PyErr {
    PyRuntimeError::new_err("the head comes first")
}
