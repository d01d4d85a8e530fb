//! A WSGI application as a handler: environ, application, iterable, close().

use std::sync::Arc;

use brickwork_http::Rule;
use brickwork_http::h1::Framing;
use brickwork_server::redaction::shown_target;
use brickwork_server::{Exchange, Handler, Peer, SendError, interruptible};
use pyo3::exceptions::{PyOSError, PyTimeoutError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::environ::Environs;
use crate::errors::ErrorStream;
use crate::fork;
use crate::input::Input;
use crate::response::{Response, Stage};
use crate::response_iter::{self, Ended};
use crate::start_response::Callables;
use crate::thread;
use crate::timeout::RequestTimeout;

/// What an application is told of the server, and where its errors go.
#[derive(Clone)]
pub struct WsgiSettings {
    /// wsgi.url_scheme: `http` or `https`.
    pub url_scheme: String,
    /// wsgi.multithread: whether several threads of this process call the application at once.
    pub multithread: bool,
    /// wsgi.multiprocess: whether other processes serve the same application.
    pub multiprocess: bool,
    /// SERVER_SOFTWARE: name and version.
    pub server_software: String,
    /// Takes what is written to wsgi.errors, and the tracebacks of exceptions that the application let go: one or more
    /// whole lines in each call, the last one with its line feed. Called without the interpreter lock, by several
    /// threads at once.
    pub errors: Arc<dyn Fn(&str) + Send + Sync>,
}

/// Answers requests by calling a WSGI application.
pub struct WsgiApp {
    application: Py<PyAny>,
    environs: Environs,
    errors: Py<ErrorStream>,
}

impl WsgiApp {
    /// A handler that calls `application`, which is any callable.
    ///
    /// # Errors
    /// If Python is out of memory.
    pub fn new(py: Python<'_>, application: Py<PyAny>, settings: &WsgiSettings) -> PyResult<WsgiApp> {
        fork::let_go_after_fork(py)?;
        let errors = Py::new(py, ErrorStream::new(Arc::clone(&settings.errors)))?;
        let environs = Environs::new(py, settings, &errors)?;
        Ok(WsgiApp { application, environs, errors })
    }

    /// A request's environ, but for its content, and without calling the application: what `benches/environ.rs` times.
    #[doc(hidden)]
    pub fn environ<'py>(&self, py: Python<'py>, exchange: &Exchange) -> PyResult<Bound<'py, PyDict>> {
        thread::with_objects(|objects| self.environs.environ(py, exchange, objects))
    }

    fn serve(&self, py: Python<'_>, exchange: &mut Exchange) -> PyResult<()> {
        let (environ, callables) = thread::with_objects(|objects| -> PyResult<_> {
            Ok((self.environs.environ(py, exchange, objects)?, objects.take_callables(py)?))
        })?;
        let input = take_input(exchange, &environ)?;
        callables.lend(py, exchange, |callables| self.answer(py, callables, environ));
        if let Some(input) = input {
            input.get().end();
        }
        thread::with_objects(|objects| objects.give_back(py, callables));
        Ok(())
    }

    fn answer(&self, py: Python<'_>, callables: &Callables, environ: Bound<'_, PyDict>) {
        // Only in here is the application interrupted: cleaning up, and telling what went wrong, are not.
        let answered = interruptible(|| {
            let result = self.application.bind(py).call1((environ, callables.start_response(py)))?;
            let sent = response_iter::send(py, callables, &result);
            Ok((result, sent))
        });
        match answered {
            Ok((result, sent)) => {
                if let Err(ended) = sent {
                    self.fail(py, callables, ended);
                }
                // After the content, for applications do in close() what nobody has to wait for.
                self.close(py, callables, &result);
            }
            Err(error) => self.fail(py, callables, Ended::Raised(error)),
        }
    }

    /// Calls close() of what the application returned, if it has one.
    fn close(&self, py: Python<'_>, callables: &Callables, result: &Bound<'_, PyAny>) {
        if result.is_exact_instance_of::<PyList>() || result.is_exact_instance_of::<PyTuple>() {
            return;
        }
        let closed = match result.getattr_opt(intern!(py, "close")) {
            Ok(None) => return,
            Ok(Some(close)) => close.call0(),
            Err(error) => Err(error),
        };
        if let Err(error) = closed {
            let request = callables.with_response(py, |response| described(response.exchange()));
            self.log_exception(py, &format!("Exception in close() after {request}"), error);
        }
    }

    /// Answers in the application's place, and says why.
    #[cold]
    fn fail(&self, py: Python<'_>, callables: &Callables, ended: Ended) {
        let (request, is_lost, is_superseded) = callables.with_response(py, |response| {
            let exchange = response.exchange();
            (described(exchange), response.is_lost() || exchange.is_client_gone(), exchange.is_superseded())
        });
        match ended {
            Ended::Raised(error) if is_lost && error.is_instance_of::<PyOSError>(py) => {
                tracing::debug!("{request}: the client has gone: {error}");
            }
            Ended::Raised(error) if error.is_instance_of::<RequestTimeout>(py) && is_superseded => {
                tracing::debug!("{request}: interrupted");
            }
            Ended::Raised(error)
                if error.is_instance_of::<PyTimeoutError>(py) && callables.with_response(py, Response::refuse_late) =>
            {
                let code = Rule::ContentDeadline.code();
                tracing::warn!("{request}: the content that was asked for did not come in time; answered 408 ({code})");
                return;
            }
            Ended::Raised(error) if callables.with_response(py, |response| response.is_midway()) => {
                let code = Rule::ResponseBrokenOff.code();
                self.log_exception(
                    py,
                    &format!("Exception on {request}, in the middle of the response ({code})"),
                    error,
                );
            }
            Ended::Raised(error) => self.log_exception(py, &format!("Exception on {request}"), error),
            Ended::Unsent(SendError::Overrun) => {
                py.detach(|| {
                    let code = Rule::ContentOverrun.code();
                    tracing::error!(
                        "{request}: the content is longer than its Content-Length, and was cut there ({code})"
                    )
                });
                callables.with_response(py, |response| {
                    if response.stage() == Stage::Begun {
                        let _ = response.finish();
                    }
                });
                return;
            }
            Ended::Unsent(SendError::Short(missing)) => {
                let code = Rule::ContentShort.code();
                tracing::error!(
                    "{request}: the content is {missing} bytes shorter than its Content-Length; connection closed ({code})"
                );
                return;
            }
            Ended::Unsent(error) => {
                tracing::debug!("{request}: the response was not sent: {error:?}");
                return;
            }
        }
        // There is nobody to tell if this cannot be sent either.
        let _ = callables.with_response(py, |response| response.fail());
    }

    /// Writes an exception with its traceback to wsgi.errors.
    #[cold]
    fn log_exception(&self, py: Python<'_>, title: &str, error: PyErr) {
        let mut text = format!("{title}:\n");
        match formatted(py, &error) {
            Ok(traceback) => text.push_str(&traceback),
            Err(_) => text.push_str(&format!("{error}\n")),
        }
        self.errors.get().log(py, &text);
    }
}

impl Handler for WsgiApp {
    fn handle(&self, exchange: &mut Exchange) {
        Python::attach(|py| {
            if let Err(error) = self.serve(py, exchange) {
                self.log_exception(py, &format!("Exception before {}", described(exchange)), error);
            }
        });
    }
}

impl std::fmt::Debug for WsgiApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WsgiApp").field("application", &self.application).finish_non_exhaustive()
    }
}

/// Puts the request's content into the environ, if there is any.
fn take_input(exchange: &mut Exchange, environ: &Bound<'_, PyDict>) -> PyResult<Option<Py<Input>>> {
    if !exchange.has_content() {
        return Ok(None);
    }
    let py = environ.py();
    let content = exchange.take_content();
    if exchange.request().head.framing == Framing::Chunked
        && let Some(length) = content.remaining()
    {
        // RFC 9112 section 7.1.3, again: a length takes the place of the coding; without one Django, Bottle and Falcon
        // read nothing.
        environ.set_item(intern!(py, "CONTENT_LENGTH"), length.to_string())?;
    }
    if content.is_empty() {
        return Ok(None);
    }
    let input = Bound::new(py, Input::new(content))?;
    environ.set_item(intern!(py, "wsgi.input"), &input)?;
    Ok(Some(input.unbind()))
}

/// A request, for a log line.
pub(crate) fn described(exchange: &Exchange) -> String {
    let line = shown_target(exchange.method_and_target());
    match exchange.peer() {
        Peer::Tcp { remote, .. } => format!("{line} from {remote}"),
        Peer::Unix { path } => format!("{line} from unix:{path}"),
    }
}

/// An exception as the interpreter would print it.
fn formatted(py: Python<'_>, error: &PyErr) -> PyResult<String> {
    let format = py.import("traceback")?.getattr("format_exception")?;
    let mut text = String::new();
    // All three: before 3.12 the exception itself need not know its traceback yet.
    let error = (error.get_type(py), error.value(py), error.traceback(py));
    for line in format.call1(error)?.try_iter()? {
        text.push_str(&line?.cast::<pyo3::types::PyString>()?.to_string_lossy());
    }
    Ok(text)
}
