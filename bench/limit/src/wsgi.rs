//! The least possible WSGI call: environ, application, blocks; every field line is in the environ, nothing is checked.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Write;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCFunction, PyDict, PyList, PyString, PyTuple};

use crate::event_loop::Request;

pub(crate) struct Gateway<'py> {
    app: Bound<'py, PyAny>,
    /// What is the same in every environ.
    template: Bound<'py, PyDict>,
    new_input: Bound<'py, PyAny>,
    /// Keys of the environ by field name as sent. Grows with every new one.
    keys: RefCell<HashMap<Vec<u8>, Bound<'py, PyString>>>,
    /// Where `start_response` leaves its arguments.
    started: Bound<'py, PyList>,
    start_response: Bound<'py, PyCFunction>,
}

impl<'py> Gateway<'py> {
    pub(crate) fn new(app: Bound<'py, PyAny>, port: u16) -> PyResult<Gateway<'py>> {
        let py = app.py();
        let template = PyDict::new(py);
        template.set_item("wsgi.version", (1, 0))?;
        template.set_item("wsgi.url_scheme", "http")?;
        template.set_item("wsgi.errors", py.import("sys")?.getattr("stderr")?)?;
        for (key, value) in [("wsgi.multithread", false), ("wsgi.multiprocess", false), ("wsgi.run_once", false)] {
            template.set_item(key, value)?;
        }
        let texts = [
            ("SCRIPT_NAME", ""),
            ("SERVER_NAME", "127.0.0.1"),
            ("SERVER_PROTOCOL", "HTTP/1.1"),
            ("REMOTE_ADDR", "127.0.0.1"),
        ];
        for (key, value) in texts {
            template.set_item(key, value)?;
        }
        template.set_item("SERVER_PORT", port.to_string())?;
        let started = PyList::empty(py);
        let kept = started.clone().unbind();
        let start_response = PyCFunction::new_closure(py, None, None, move |arguments: &Bound<'_, PyTuple>, _| {
            kept.bind(arguments.py()).append(arguments)
        })?;
        let new_input = py.import("io")?.getattr("BytesIO")?;
        Ok(Gateway { app, template, new_input, keys: RefCell::default(), started, start_response })
    }

    pub(crate) fn answer(&self, request: &Request<'_>, output: &mut Vec<u8>) {
        if let Err(error) = self.call(request, output) {
            error.print(self.app.py());
            output.extend_from_slice(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
        }
    }

    fn call(&self, request: &Request<'_>, output: &mut Vec<u8>) -> PyResult<()> {
        let py = self.app.py();
        let environ = self.environ(request)?;
        let blocks = self.app.call1((environ, &self.start_response))?;
        let start = output.len();
        if let Ok(list) = blocks.cast::<PyList>()
            && list.len() == 1
        {
            let block = list.get_item(0)?;
            self.head(request.closes, output)?;
            output.extend_from_slice(block.cast::<PyBytes>()?.as_bytes());
        } else {
            for block in blocks.try_iter()? {
                if output.len() == start {
                    self.head(request.closes, output)?;
                }
                output.extend_from_slice(block?.cast::<PyBytes>()?.as_bytes());
            }
            if let Some(close) = blocks.getattr_opt(intern!(py, "close"))? {
                close.call0()?;
            }
        }
        Ok(())
    }

    fn environ(&self, request: &Request<'_>) -> PyResult<Bound<'py, PyDict>> {
        let py = self.app.py();
        let environ = self.template.copy()?;
        let line_end = memchr::memchr(b'\r', request.head).unwrap_or(request.head.len());
        let mut words = request.head[..line_end].split(|&byte| byte == b' ');
        environ.set_item(intern!(py, "REQUEST_METHOD"), latin1(py, words.next().unwrap_or_default()))?;
        let target = words.next().unwrap_or_default();
        let path_end = target.iter().position(|&byte| byte == b'?').unwrap_or(target.len());
        environ.set_item(intern!(py, "PATH_INFO"), latin1(py, &target[..path_end]))?;
        let query = target.get(path_end + 1..).unwrap_or_default();
        environ.set_item(intern!(py, "QUERY_STRING"), latin1(py, query))?;
        let mut rest = request.head.get(line_end + 2..).unwrap_or_default();
        while let Some(colon) = memchr::memchr(b':', rest) {
            let line_end = memchr::memchr(b'\r', rest).unwrap_or(rest.len());
            let value = latin1(py, rest.get(colon + 1..line_end).unwrap_or_default().trim_ascii());
            environ.set_item(self.key(&rest[..colon]), value)?;
            rest = rest.get(line_end + 2..).unwrap_or_default();
        }
        environ.set_item(intern!(py, "wsgi.input"), self.new_input.call1((PyBytes::new(py, request.content),))?)?;
        Ok(environ)
    }

    fn key(&self, name: &[u8]) -> Bound<'py, PyString> {
        if let Some(key) = self.keys.borrow().get(name) {
            return key.clone();
        }
        let upper: Vec<u8> =
            name.iter().map(|&byte| if byte == b'-' { b'_' } else { byte.to_ascii_uppercase() }).collect();
        let key = match upper.as_slice() {
            b"CONTENT_LENGTH" | b"CONTENT_TYPE" => latin1(self.app.py(), &upper),
            _ => latin1(self.app.py(), &[b"HTTP_", upper.as_slice()].concat()),
        };
        self.keys.borrow_mut().insert(name.to_vec(), key.clone());
        key
    }

    /// The head from what `start_response` was given. The content's length is the application's to say.
    fn head(&self, closes: bool, output: &mut Vec<u8>) -> PyResult<()> {
        let arguments = self.started.get_item(0)?;
        self.started.del_item(0)?;
        let status = arguments.get_item(0)?;
        write!(output, "HTTP/1.1 {}\r\n", status.cast::<PyString>()?.to_str()?)?;
        for field in arguments.get_item(1)?.cast::<PyList>()?.iter() {
            let (name, value) = (field.get_item(0)?, field.get_item(1)?);
            output.extend_from_slice(name.cast::<PyString>()?.to_str()?.as_bytes());
            output.extend_from_slice(b": ");
            output.extend_from_slice(value.cast::<PyString>()?.to_str()?.as_bytes());
            output.extend_from_slice(b"\r\n");
        }
        if closes {
            output.extend_from_slice(b"Connection: close\r\n");
        }
        output.extend_from_slice(b"Date: Fri, 20 Nov 2026 19:54:03 GMT\r\nServer: limit\r\n\r\n");
        Ok(())
    }
}

fn latin1<'py>(py: Python<'py>, bytes: &[u8]) -> Bound<'py, PyString> {
    match std::str::from_utf8(bytes) {
        Ok(text) => PyString::new(py, text),
        Err(_) => PyString::new(py, &bytes.iter().map(|&byte| char::from(byte)).collect::<String>()),
    }
}
