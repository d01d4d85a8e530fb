//! Requests out of received bytes: one at a time, head first, then content as it comes.

use std::sync::Mutex;

use brickwork_server::http::h1::{BodyReader, HeadParser, Persistence, Progress, RequestHead, Step};
use brickwork_server::http::{Limits, Rejection, Rule, Version};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::rule_broken::rule_broken;

/// The receiving half of a connection, without the connection.
#[pyclass(module = "brickwork._brickwork", frozen)]
pub(crate) struct RequestReader(Mutex<Reading>);

struct Reading {
    /// Received and not used yet.
    buffer: Vec<u8>,
    is_ended: bool,
    parser: HeadParser,
    head: RequestHead,
    /// None until the head is complete.
    body: Option<BodyReader>,
    /// Bytes of this request that have left the buffer.
    used: u64,
    limits: Limits,
    scheme: String,
}

#[pymethods]
impl RequestReader {
    #[new]
    fn new(scheme: String) -> RequestReader {
        RequestReader(Mutex::new(Reading {
            buffer: Vec::new(),
            is_ended: false,
            parser: HeadParser::new(),
            head: RequestHead::default(),
            body: None,
            used: 0,
            limits: Limits::default(),
            scheme,
        }))
    }

    /// Takes received bytes; none means that the peer has finished sending.
    fn receive(&self, data: &[u8]) -> PyResult<()> {
        let mut reading = self.lock()?;
        reading.is_ended |= data.is_empty();
        reading.buffer.extend_from_slice(data);
        Ok(())
    }

    /// The head, once it is complete: method, target, minor version, fields (names in lower case), whether the
    /// connection may persist, whether the client waits for a 100 (Continue).
    fn head<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let mut reading = self.lock()?;
        let Reading { parser, buffer, head, limits, scheme, .. } = &mut *reading;
        match parser.parse(buffer, limits, head).map_err(|rejection| broken(rejection, 0))? {
            Progress::Complete => {}
            Progress::Partial if reading.is_ended && !reading.is_idle() => return Err(reading.cut_off()),
            Progress::Partial => return Ok(None),
        }
        head.check_origin(buffer, scheme).map_err(|rejection| broken(rejection, 0))?;
        let text = |span: brickwork_server::http::Span| PyBytes::new(py, span.of(buffer));
        let fields: Vec<_> = head
            .fields
            .iter()
            .map(|field| (PyBytes::new(py, &field.name.of(buffer).to_ascii_lowercase()), text(field.value)))
            .collect();
        let minor_version = if head.version == Version::Http11 { 1 } else { 0 };
        let is_persistent = head.persistence == Persistence::Persistent;
        let shown = (
            text(head.method_span),
            text(head.target.raw),
            minor_version,
            fields,
            is_persistent,
            head.expects_continue,
        )
            .into_pyobject(py)?;
        let (len, framing) = (head.len as usize, head.framing);
        buffer.drain(..len);
        reading.used = len as u64;
        reading.body = Some(BodyReader::new(framing));
        Ok(Some(shown))
    }

    /// The next piece of content: bytes, empty bytes at its end, None while nothing of it is here.
    fn content<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let mut reading = self.lock()?;
        let Reading { body, buffer, limits, used, .. } = &mut *reading;
        let body = body.as_mut().ok_or_else(|| PyRuntimeError::new_err("the head comes first"))?;
        let step =
            body.step(buffer, limits).map_err(|rejection| broken(rejection, *used + body.element_start() as u64))?;
        let (skip, len) = match step {
            Step::Content { skip, len } => (skip, len),
            Step::Partial { skip } | Step::Complete { skip } => (skip, 0),
        };
        let content = PyBytes::new(py, &buffer[skip..skip + len]);
        buffer.drain(..skip + len);
        *used += (skip + len) as u64;
        match step {
            Step::Partial { .. } if reading.is_ended => Err(reading.cut_off()),
            Step::Partial { .. } => Ok(None),
            Step::Content { .. } | Step::Complete { .. } => Ok(Some(content)),
        }
    }

    /// Ready for the next request.
    fn start_next_cycle(&self) -> PyResult<()> {
        let mut reading = self.lock()?;
        reading.parser = HeadParser::new();
        reading.body = None;
        reading.used = 0;
        Ok(())
    }

    /// Bytes received and not used, and whether the peer has finished sending.
    fn trailing_data<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyBytes>, bool)> {
        let reading = self.lock()?;
        Ok((PyBytes::new(py, &reading.buffer), reading.is_ended))
    }
}

impl RequestReader {
    fn lock(&self) -> PyResult<std::sync::MutexGuard<'_, Reading>> {
        self.0.lock().map_err(|_| PyRuntimeError::new_err("this connection failed before"))
    }
}

impl Reading {
    /// Whether nothing of a request has come: the empty lines that are tolerated in front of one are nothing.
    fn is_idle(&self) -> bool {
        self.buffer.iter().all(|byte| b"\r\n".contains(byte))
    }

    fn cut_off(&self) -> PyErr {
        rule_broken(Rule::ContentCutOff, self.used + self.buffer.len() as u64)
    }
}

/// A rejection whose offset counts from `start` bytes into the request.
fn broken(rejection: Rejection, start: u64) -> PyErr {
    rule_broken(rejection.rule, start + u64::from(rejection.at))
}
