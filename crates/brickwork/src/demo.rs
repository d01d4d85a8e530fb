//! What the demo page shows and a WSGI environ cannot: the head's bytes, the spans that it was parsed into, and the
//! decisions taken.

use std::cell::RefCell;

use brickwork_server::http::h1::{Framing, Persistence, RequestHead};
use brickwork_server::http::{Span, TargetForm, Version};
use brickwork_server::{Exchange, Handler, Peer};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

/// A handler that remembers, for the thread it runs on, how the request was understood, and then passes it on.
pub(crate) struct Demonstrated<H>(H);

impl<H> Demonstrated<H> {
    pub(crate) fn new(inner: H) -> Demonstrated<H> {
        Demonstrated(inner)
    }
}

impl<H: Handler> Handler for Demonstrated<H> {
    fn handle(&self, exchange: &mut Exchange) {
        UNDERSTOOD.set(Some(Understood::of(exchange)));
        self.0.handle(exchange);
        UNDERSTOOD.set(None);
    }
}

thread_local! {
    static UNDERSTOOD: RefCell<Option<Understood>> = const { RefCell::new(None) };
}

/// A request as it was understood.
struct Understood {
    head: Vec<u8>,
    spans: Vec<(&'static str, Span)>,
    target_form: &'static str,
    version: &'static str,
    framing: String,
    persistence: &'static str,
    expects_continue: bool,
    request_number: u32,
    remote: String,
    local: String,
}

impl Understood {
    fn of(exchange: &Exchange) -> Understood {
        let request = exchange.request();
        let head = request.head;
        let (remote, local) = match exchange.peer() {
            Peer::Tcp { remote, local } => (remote.to_string(), local.to_string()),
            Peer::Unix { path } => ("an unnamed unix socket".into(), format!("unix:{path}")),
        };
        Understood {
            head: request.bytes.get(..head.len as usize).unwrap_or(request.bytes).to_vec(),
            spans: spans(head),
            target_form: match head.target.form {
                TargetForm::Origin => "origin-form",
                TargetForm::Absolute => "absolute-form",
                TargetForm::Authority => "authority-form",
                TargetForm::Asterisk => "asterisk-form",
            },
            version: match head.version {
                Version::Http10 => "HTTP/1.0",
                Version::Http11 => "HTTP/1.1",
            },
            framing: match head.framing {
                Framing::None => "no content: neither Transfer-Encoding nor Content-Length (step 7)".into(),
                Framing::Length(length) => format!("{length} bytes of content: Content-Length (step 6)"),
                Framing::Chunked => "chunks until one of size 0: Transfer-Encoding (step 4)".into(),
            },
            persistence: match head.persistence {
                Persistence::Persistent => "the connection stays open for another request",
                Persistence::Close => "the connection closes after the response",
            },
            expects_continue: head.expects_continue,
            request_number: exchange.request_number(),
            remote,
            local,
        }
    }
}

fn spans(head: &RequestHead) -> Vec<(&'static str, Span)> {
    let mut spans = vec![("method", head.method_span), ("request-target", head.target.raw)];
    for field in &head.fields {
        spans.extend([("field-name", field.name), ("field-value", field.value)]);
    }
    spans
}

/// How the request that this thread is answering was understood; None unless this is `brickwork demo`.
#[pyfunction]
pub(crate) fn request_as_understood(py: Python<'_>) -> PyResult<Option<Bound<'_, PyDict>>> {
    UNDERSTOOD.with_borrow(|understood| {
        let Some(understood) = understood else { return Ok(None) };
        let spans: Vec<(&str, u32, u32)> =
            understood.spans.iter().map(|(name, span)| (*name, span.start, span.len)).collect();
        let dict = PyDict::new(py);
        dict.set_item("head", PyBytes::new(py, &understood.head))?;
        dict.set_item("spans", spans)?;
        dict.set_item("target_form", understood.target_form)?;
        dict.set_item("version", understood.version)?;
        dict.set_item("framing", &understood.framing)?;
        dict.set_item("persistence", understood.persistence)?;
        dict.set_item("expects_continue", understood.expects_continue)?;
        dict.set_item("request_number", understood.request_number)?;
        dict.set_item("remote", &understood.remote)?;
        dict.set_item("local", &understood.local)?;
        Ok(Some(dict))
    })
}
