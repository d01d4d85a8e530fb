//! The environ: what an application is told of a request (PEP 3333, "environ Variables").
//!
//! What is the same for every request is in a template dictionary, which is copied and completed. It has room for what is added, so that
//! the copy need not grow; one with more room is there for requests with many field lines. Values that the last request had too are
//! the same objects (`thread.rs`).
//!
//! | variable | value |
//! |---|---|
//! | REQUEST_METHOD, SERVER_PROTOCOL | as sent; a minor version above 1 reads as HTTP/1.1 |
//! | SCRIPT_NAME | empty |
//! | PATH_INFO | the target's path, percent-decoded, `/` if empty; empty for `OPTIONS *` and CONNECT (RFC 9112 section 3.3) |
//! | QUERY_STRING | what follows `?`, as sent; empty if nothing does |
//! | RAW_URI, REQUEST_URI | the request-target as sent |
//! | CONTENT_TYPE, CONTENT_LENGTH | as sent; absent if not sent; the length of chunked content once all of it has come |
//! | HTTP_* | field values; lines of one name joined by `, `, Cookie by `; `; names with `_` and Transfer-Encoding left out |
//! | HTTP_HOST | the target's authority if it has one (RFC 9112 section 3.2.2), else as sent |
//! | SERVER_NAME, SERVER_PORT | the address connected to; `localhost` and the scheme's port for a unix socket |
//! | REMOTE_ADDR, REMOTE_PORT | the client's address; empty and absent for a unix socket |
//! | REMOTE_ADDR, wsgi.url_scheme, HTTP_HOST | what a trusted proxy said about the client, if it did |
//! | SERVER_SOFTWARE | name and version of the server |
//! | wsgi.* | as PEP 3333 says; wsgi.input_terminated is true, for wsgi.input always ends where the content does |

use brickwork_http::{FieldName, Method, TargetForm, Version};
use brickwork_server::{Exchange, Peer, RequestView, Scheme};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::app::WsgiSettings;
use crate::errors::ErrorStream;
use crate::file_wrapper::FileWrapper;
use crate::input::Input;
use crate::latin1;
use crate::names::{FieldKeys, percent_decoded};
use crate::thread::ThreadObjects;

/// Makes environs.
pub(crate) struct Environs {
    template: Py<PyDict>,
    /// The same, with room for more than [`FEW`] field lines.
    wide_template: Py<PyDict>,
    keys: FieldKeys,
    /// SERVER_PORT where there is no port.
    default_port: &'static str,
}

/// So many field lines find room in a copy of the smaller template.
const FEW: usize = 13;
/// Once they have held so many keys, CPython's dictionaries have room for 42, and for 85.
const HELD_BY_TEMPLATE: usize = 22;
const HELD_BY_WIDE_TEMPLATE: usize = 43;

impl Environs {
    pub(crate) fn new(py: Python<'_>, settings: &WsgiSettings, errors: &Py<ErrorStream>) -> PyResult<Environs> {
        let template = PyDict::new(py);
        let set = |key: &str, value: Bound<'_, PyAny>| template.set_item(PyString::intern(py, key), value);
        set("REQUEST_METHOD", PyString::intern(py, "GET").into_any())?;
        set("SCRIPT_NAME", PyString::intern(py, "").into_any())?;
        set("QUERY_STRING", PyString::intern(py, "").into_any())?;
        set("SERVER_PROTOCOL", PyString::intern(py, "HTTP/1.1").into_any())?;
        set("SERVER_SOFTWARE", PyString::new(py, &settings.server_software).into_any())?;
        set("wsgi.version", (1, 0).into_pyobject(py)?.into_any())?;
        set("wsgi.url_scheme", PyString::new(py, &settings.url_scheme).into_any())?;
        set("wsgi.input", Bound::new(py, Input::empty())?.into_any())?;
        set("wsgi.input_terminated", true.into_pyobject(py)?.to_owned().into_any())?;
        set("wsgi.errors", errors.bind(py).clone().into_any())?;
        set("wsgi.multithread", settings.multithread.into_pyobject(py)?.to_owned().into_any())?;
        set("wsgi.multiprocess", settings.multiprocess.into_pyobject(py)?.to_owned().into_any())?;
        set("wsgi.run_once", false.into_pyobject(py)?.to_owned().into_any())?;
        set("wsgi.file_wrapper", py.get_type::<FileWrapper>().into_any())?;
        Ok(Environs {
            template: with_room(&template, HELD_BY_TEMPLATE)?.unbind(),
            wide_template: with_room(&template, HELD_BY_WIDE_TEMPLATE)?.unbind(),
            keys: FieldKeys::new(py),
            default_port: if settings.url_scheme == "https" { "443" } else { "80" },
        })
    }

    /// The environ of a request, but for `wsgi.input`.
    pub(crate) fn environ<'py>(
        &self,
        py: Python<'py>,
        exchange: &Exchange,
        objects: &mut ThreadObjects,
    ) -> PyResult<Bound<'py, PyDict>> {
        let request = exchange.request();
        let template = if request.head.fields.len() <= FEW { &self.template } else { &self.wide_template };
        let environ = template.bind(py).copy()?;
        set_request_line(&environ, request)?;
        self.set_peer(&environ, exchange.peer(), objects)?;
        self.set_fields(&environ, request, objects)?;
        set_forwarded(&environ, exchange)?;
        Ok(environ)
    }

    fn set_peer(&self, environ: &Bound<'_, PyDict>, peer: &Peer, objects: &mut ThreadObjects) -> PyResult<()> {
        let py = environ.py();
        match peer {
            Peer::Tcp { remote, local } => {
                let (name, port) = objects.server(py, *local);
                environ.set_item(intern!(py, "SERVER_NAME"), name)?;
                environ.set_item(intern!(py, "SERVER_PORT"), port)?;
                environ.set_item(intern!(py, "REMOTE_ADDR"), objects.remote_addr(py, remote.ip()))?;
                let mut digits = [0; 5];
                environ.set_item(intern!(py, "REMOTE_PORT"), latin1::string(py, decimal(remote.port(), &mut digits))?)
            }
            Peer::Unix { .. } => {
                environ.set_item(intern!(py, "SERVER_NAME"), intern!(py, "localhost"))?;
                environ.set_item(intern!(py, "SERVER_PORT"), self.default_port)?;
                environ.set_item(intern!(py, "REMOTE_ADDR"), intern!(py, ""))
            }
        }
    }

    fn set_fields(
        &self,
        environ: &Bound<'_, PyDict>,
        request: RequestView<'_>,
        objects: &mut ThreadObjects,
    ) -> PyResult<()> {
        let py = environ.py();
        // RFC 9112 section 3.2.2: a target with an authority replaces the Host field.
        let has_authority = matches!(request.head.target.form, TargetForm::Absolute | TargetForm::Authority);
        if has_authority {
            let host = latin1::string(py, request.text(request.head.target.authority))?;
            environ.set_item(intern!(py, "HTTP_HOST"), host)?;
        }
        let mut seen = 0u128;
        const { assert!(FieldName::COUNT <= u128::BITS as usize) };
        for line in &request.head.fields {
            let value = objects.value(py, line.known, request.text(line.value))?;
            if let Some(key) = self.keys.of(py, line.known) {
                match line.known {
                    FieldName::Host if has_authority => (),
                    // RFC 9112 section 7.1.3: whoever decodes chunks takes the coding away; an application that saw it
                    // would decode again.
                    FieldName::TransferEncoding => (),
                    // The first line of its name, as nearly all are, need not be looked for.
                    known if seen & bit(known) == 0 => {
                        seen |= bit(known);
                        environ.set_item(key, value)?;
                    }
                    _ => add_field(environ, key, value)?,
                }
            } else if let Some(key) = objects.key(py, request.text(line.name))? {
                add_field(environ, &key, value)?;
            }
        }
        Ok(())
    }
}

/// A copy of a dictionary that has held so many keys: its table has grown with them, does not shrink, and is copied as it is.
fn with_room<'py>(dictionary: &Bound<'py, PyDict>, held: usize) -> PyResult<Bound<'py, PyDict>> {
    let roomy = dictionary.copy()?;
    for number in roomy.len()..held {
        roomy.set_item(format!("key {number}"), dictionary.py().None())?;
    }
    // The last one first: a key that leaves from the middle leaves a gap, and a dictionary with many of them is copied key by key.
    while roomy.len() > dictionary.len() {
        roomy.call_method0("popitem")?;
    }
    Ok(roomy)
}

/// A known field name's place in a set of them.
fn bit(name: FieldName) -> u128 {
    1 << name as u32
}

/// What a trusted proxy in front says about the client takes the place of what we see of the proxy.
fn set_forwarded(environ: &Bound<'_, PyDict>, exchange: &Exchange) -> PyResult<()> {
    let (py, said) = (environ.py(), exchange.forwarded());
    if let Some((address, port)) = said.client {
        environ.set_item(intern!(py, "REMOTE_ADDR"), address.to_string())?;
        match port {
            Some(port) => environ.set_item(intern!(py, "REMOTE_PORT"), port.to_string())?,
            None if environ.contains(intern!(py, "REMOTE_PORT"))? => environ.del_item(intern!(py, "REMOTE_PORT"))?,
            None => {}
        }
    }
    match said.scheme {
        Some(Scheme::Http) => environ.set_item(intern!(py, "wsgi.url_scheme"), intern!(py, "http"))?,
        Some(Scheme::Https) => environ.set_item(intern!(py, "wsgi.url_scheme"), intern!(py, "https"))?,
        None => {}
    }
    if let Some(host) = said.host {
        environ.set_item(intern!(py, "HTTP_HOST"), latin1::string(py, exchange.request().text(host))?)?;
    }
    Ok(())
}

fn set_request_line(environ: &Bound<'_, PyDict>, request: RequestView<'_>) -> PyResult<()> {
    let py = environ.py();
    let RequestView { head, .. } = request;
    let target = head.target;
    match head.method {
        Method::Get => (), // as in the template
        Method::Head => environ.set_item(intern!(py, "REQUEST_METHOD"), intern!(py, "HEAD"))?,
        Method::Post => environ.set_item(intern!(py, "REQUEST_METHOD"), intern!(py, "POST"))?,
        _ => {
            let method = latin1::string(py, request.text(head.method_span))?;
            environ.set_item(intern!(py, "REQUEST_METHOD"), method)?;
        }
    }
    if head.version == Version::Http10 {
        environ.set_item(intern!(py, "SERVER_PROTOCOL"), intern!(py, "HTTP/1.0"))?;
    }
    if let Some(query) = target.query {
        environ.set_item(intern!(py, "QUERY_STRING"), latin1::string(py, request.text(query))?)?;
    }

    let raw = latin1::string(py, request.text(target.raw))?;
    environ.set_item(intern!(py, "RAW_URI"), &raw)?;
    environ.set_item(intern!(py, "REQUEST_URI"), &raw)?;
    let path: &[u8] = match target.form {
        TargetForm::Asterisk | TargetForm::Authority => b"",
        TargetForm::Absolute if target.path.is_empty() => b"/",
        _ => request.text(target.path),
    };
    let path_info = match percent_decoded(path) {
        // Nothing was encoded and there is no query: PATH_INFO is the target, character by character.
        decoded if *decoded == *request.text(target.raw) => raw,
        decoded => latin1::string(py, &decoded)?,
    };
    environ.set_item(intern!(py, "PATH_INFO"), path_info)
}

/// Adds one field line. Lines of one name make one value, in their order (RFC 9110 section 5.3); cookies are joined as
/// RFC 6265 section 5.4 writes them.
fn add_field(environ: &Bound<'_, PyDict>, key: &Bound<'_, PyString>, value: Bound<'_, PyString>) -> PyResult<()> {
    let (is_new, held) = environ.set_default_with_result(key, &value)?;
    if is_new {
        return Ok(());
    }
    let separator = if key == "HTTP_COOKIE" { "; " } else { ", " };
    let joined = held.add(separator)?.add(value)?;
    environ.set_item(key, joined)
}

/// A port as decimal digits.
fn decimal(mut port: u16, digits: &mut [u8; 5]) -> &[u8] {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (port % 10) as u8;
        port /= 10;
        if port == 0 {
            return &digits[start..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn ports_are_written_in_decimal() {
        for port in [0, 1, 9, 10, 80, 443, 8000, 9999, 10000, 65535] {
            assert_eq!(decimal(port, &mut [0; 5]), port.to_string().as_bytes());
        }
    }
}
