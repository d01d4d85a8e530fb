//! One response as the application sees it: what start_response was given, what was written, and when it is too late
//! for what.
//!
//! The head is built at once in the server's own buffer and checked there; it is sent with the first block of content.
//! The methods raise what is the application's fault as Python exceptions; [`SendError`] is what happened on the way to
//! the client.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use brickwork_http::h1::FieldFate;
use brickwork_http::{Fault, Method, Rule};
use brickwork_server::{Content, Exchange, SendError};
use pyo3::exceptions::{PyAssertionError, PyBrokenPipeError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::app::described;
use crate::latin1;

/// The response to the request in hand.
pub(crate) struct Response<'e> {
    exchange: &'e mut Exchange,
    stage: Stage,
    /// Bytes of content that were offered block by block.
    offered: u64,
    /// Content was given where there may be none, and that was said.
    has_forbidden_content: bool,
    /// What start_response said when it refused what it was given: the application may keep that to itself.
    refusal: Option<String>,
    /// write() raised because the content was too long: the application may keep that to itself, too.
    has_raised_overrun: bool,
    /// Nothing reaches the client any more.
    is_lost: bool,
    /// The thread that the server handed the request to: the only one whose waiting it knows.
    thread: ThreadId,
}

/// How far a response has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// start_response has not been called.
    Waiting,
    /// start_response was called, and refused what it was given.
    Refused,
    /// The head is known. It can still be replaced.
    Started,
    /// The head is on its way, and content follows block by block.
    Begun,
    /// All of it was sent, as far as that was possible.
    Over,
}

impl<'e> Response<'e> {
    pub(crate) fn new(exchange: &'e mut Exchange) -> Self {
        Response {
            exchange,
            stage: Stage::Waiting,
            offered: 0,
            has_forbidden_content: false,
            refusal: None,
            has_raised_overrun: false,
            is_lost: false,
            thread: thread::current().id(),
        }
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage
    }

    /// Whether the client has gone, or was answered by the server itself: an application that stumbles over this is not
    /// at fault.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost
    }

    pub(crate) fn exchange(&self) -> &Exchange {
        self.exchange
    }

    /// start_response without its third argument.
    pub(crate) fn start(&mut self, status: &Bound<'_, PyAny>, headers: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.stage != Stage::Waiting {
            let after = self.refusal.as_ref().map(|why| format!(", after it refused what it was given: {why}"));
            let after = after.unwrap_or_default();
            return Err(PyAssertionError::new_err(format!("start_response was called again without exc_info{after}")));
        }
        self.replace(status, headers)
    }

    /// Sets status and header fields, in place of earlier ones if there were. The head must not be on its way.
    pub(crate) fn replace(&mut self, status: &Bound<'_, PyAny>, headers: &Bound<'_, PyAny>) -> PyResult<()> {
        // Until all of it is found good: what follows a refusal must not be sent under half a head.
        self.stage = Stage::Refused;
        let set = set_status(self.exchange, status).and_then(|()| set_fields(self.exchange, headers));
        match &set {
            Ok(()) => self.stage = Stage::Started,
            Err(error) => self.refusal = Some(error.to_string()),
        }
        set
    }

    /// The `write` callable: sends a block now. The first call sends the head, even without a byte of content.
    pub(crate) fn write(&mut self, block: Content) -> PyResult<()> {
        if thread::current().id() != self.thread {
            return Err(PyRuntimeError::new_err("write() was called in another thread than the application"));
        }
        self.check_started()?;
        let gone = || PyBrokenPipeError::new_err("the client has gone");
        match self.stage {
            Stage::Over if self.is_lost => Err(gone()),
            Stage::Over => Err(PyRuntimeError::new_err("write() was called after the response was complete")),
            _ => self.send_block(block).map_err(|error| match error {
                SendError::Overrun => self.overrun(),
                _ => gone(),
            }),
        }
    }

    #[cold]
    fn overrun(&mut self) -> PyErr {
        self.has_raised_overrun = true;
        PyValueError::new_err(format!("write() went beyond the Content-Length ({})", Rule::ContentOverrun.code()))
    }

    /// That there is a head to send.
    pub(crate) fn check_started(&self) -> PyResult<()> {
        match self.stage {
            Stage::Waiting => {
                Err(PyRuntimeError::new_err("start_response was not called before the response's content"))
            }
            Stage::Refused => {
                let why = self.refusal.as_deref().unwrap_or_default();
                let message = format!("start_response was called, but refused what it was given: {why}");
                Err(PyRuntimeError::new_err(message))
            }
            Stage::Started | Stage::Begun | Stage::Over => Ok(()),
        }
    }

    /// Sends one block, and the head before the first. `check_started` has passed.
    pub(crate) fn send_block(&mut self, block: Content) -> Result<(), SendError> {
        self.begin(None)?;
        self.note_content(&block);
        self.offered += block.len();
        let sent = self.exchange.write(block);
        self.noting(sent)
    }

    /// Finishes the head for content that comes in blocks, if that was not done before.
    pub(crate) fn begin(&mut self, length: Option<u64>) -> Result<(), SendError> {
        if self.stage == Stage::Begun {
            return Ok(());
        }
        self.stage = Stage::Begun;
        let begun = self.exchange.begin(length);
        self.noting(begun)
    }

    /// Sends all content that there is, in one block if the head has not gone before.
    pub(crate) fn send_all(&mut self, content: Content) -> Result<(), SendError> {
        if self.stage == Stage::Begun {
            if !content.is_empty() {
                self.send_block(content)?;
            }
            return self.finish();
        }
        self.stage = Stage::Over;
        self.note_content(&content);
        let sent = self.exchange.send(content);
        self.noting(sent)
    }

    /// Ends content that came in blocks.
    pub(crate) fn finish(&mut self) -> Result<(), SendError> {
        if self.has_raised_overrun {
            warn_of_overrun(self.exchange);
        }
        self.end()
    }

    fn end(&mut self) -> Result<(), SendError> {
        self.stage = Stage::Over;
        let finished = self.exchange.finish();
        self.noting(finished)
    }

    /// Says, once for each response, that content is left out. Not after HEAD: there it is the server's to leave it out.
    fn note_content(&mut self, content: &Content) {
        let status_code = self.exchange.response.status_code();
        if matches!(status_code, 204 | 205 | 304) && !content.is_empty() && !self.has_forbidden_content {
            self.has_forbidden_content = true;
            let (request, code) = (described(self.exchange), Rule::ResponseContentForbidden.code());
            tracing::warn!("{request}: content in a {status_code} response is left out ({code})");
        }
    }

    fn noting(&mut self, result: Result<(), SendError>) -> Result<(), SendError> {
        if let Err(SendError::Gone | SendError::Superseded) = result {
            self.is_lost = true;
            self.stage = Stage::Over;
        }
        result
    }

    /// Answers with an error, or, once the head has gone, makes the client see that the response is not complete.
    pub(crate) fn fail(&mut self) -> Result<(), SendError> {
        match self.stage {
            Stage::Waiting | Stage::Refused | Stage::Started => {
                let response = &mut self.exchange.response;
                // These are literals that keep the rules.
                let _ = response.start(500, b"Internal Server Error");
                let _ = response.field(b"Content-Type", b"text/plain; charset=utf-8");
                self.send_all(Content::Static(b"Internal Server Error\n"))
            }
            // The client has all that it was promised: what failed then is no fault of the response.
            Stage::Begun if !self.is_midway() => self.end(),
            Stage::Begun => {
                self.stage = Stage::Over;
                self.exchange.abort();
                Ok(())
            }
            Stage::Over => Ok(()),
        }
    }

    /// Answers 408, where the application gave up on content that did not come in time and nothing has been sent. Returns whether it
    /// was so.
    pub(crate) fn refuse_late(&mut self) -> bool {
        let may_answer = matches!(self.stage, Stage::Waiting | Stage::Refused | Stage::Started);
        if !may_answer || !self.exchange.is_content_late() {
            return false;
        }
        self.stage = Stage::Over;
        // There is nobody to tell if this cannot be sent either.
        let _ = self.exchange.answer_status(Rule::ContentDeadline.status());
        true
    }

    /// Whether the head has gone and more content was promised: what fails now, fails in the middle.
    pub(crate) fn is_midway(&self) -> bool {
        self.stage == Stage::Begun && self.exchange.response.content_length().is_none_or(|length| length > self.offered)
    }

    /// Whether no content may follow the head, so that there is no use in asking the application for it.
    pub(crate) fn is_bodyless(&self) -> bool {
        self.exchange.request().head.method == Method::Head
            || matches!(self.exchange.response.status_code(), 204 | 205 | 304)
    }
}

/// Gives the response its status-line: three digits, a space, a reason phrase.
fn set_status(exchange: &mut Exchange, status: &Bound<'_, PyAny>) -> PyResult<()> {
    let text = status.cast::<PyString>().map_err(|_| wrong_type("status", "a str", status))?;
    let Some(bytes) = latin1::bytes(text) else {
        return Err(not_latin1("status", text));
    };
    let Some((status_code, reason_phrase)) = split_status(bytes) else {
        let status = quoted(bytes);
        let code = Rule::StatusMalformed.code();
        let message = format!("status {status} is not three digits, a space and a reason phrase ({code})");
        return Err(PyValueError::new_err(message));
    };
    // PEP 3333 forbids every control character; HTTP itself would let a tab pass.
    if let Some(at) = reason_phrase.iter().position(|byte| *byte == b'\t') {
        let (status, at, code) = (quoted(bytes), at + 4, Rule::ReasonPhraseByte.code());
        return Err(PyValueError::new_err(format!("status {status} contains a tab (byte {at}, {code})")));
    }
    exchange.response.start(status_code, reason_phrase).map_err(|fault| {
        PyValueError::new_err(format!("status {} {}", quoted(bytes), complaint(fault, reason_phrase, 4)))
    })
}

/// Status code and reason phrase of a status string.
fn split_status(status: &[u8]) -> Option<(u16, &[u8])> {
    let [hundreds @ b'0'..=b'9', tens @ b'0'..=b'9', ones @ b'0'..=b'9', b' ', reason_phrase @ ..] = status else {
        return None;
    };
    let digit = |byte: &u8| u16::from(byte - b'0');
    Some((digit(hundreds) * 100 + digit(tens) * 10 + digit(ones), reason_phrase))
}

/// Adds the header fields to the response.
fn set_fields(exchange: &mut Exchange, headers: &Bound<'_, PyAny>) -> PyResult<()> {
    let headers =
        headers.cast_exact::<PyList>().map_err(|_| wrong_type("response_headers", "a list of tuples", headers))?;
    for header in headers {
        let (what, wanted) = ("an item of response_headers", "a tuple of name and value");
        let pair = header.cast::<PyTuple>().map_err(|_| wrong_type(what, wanted, &header))?;
        if pair.len() != 2 {
            return Err(PyTypeError::new_err(format!("{what} is a tuple of {}, PEP 3333 needs {wanted}", pair.len())));
        }
        let (name, value) = (pair.get_borrowed_item(0)?, pair.get_borrowed_item(1)?);
        let name = name.cast::<PyString>().map_err(|_| wrong_type("the name of a response header", "a str", &name))?;
        let Some(name_bytes) = latin1::bytes(&name) else {
            return Err(not_latin1("the name of a response header", &name));
        };
        let what = || format!("response header {}", quoted(name_bytes));
        let value = value.cast::<PyString>().map_err(|_| wrong_type(&what(), "a str", &value))?;
        let Some(value_bytes) = latin1::bytes(&value) else {
            return Err(not_latin1(&what(), &value));
        };
        if let Some(at) = value_bytes.iter().position(|byte| *byte == b'\t') {
            let code = Rule::ResponseFieldValue.code();
            return Err(PyValueError::new_err(format!("{} contains a tab (byte {at}, {code})", what())));
        }
        match exchange.response.field(name_bytes, value_bytes) {
            Ok(FieldFate::Sent | FieldFate::Honoured) => (),
            Ok(FieldFate::Dropped(rule)) => warn_of_dropped(rule, name_bytes),
            Err(fault) => {
                return Err(PyValueError::new_err(format!("{} {}", what(), complaint(fault, value_bytes, 0))));
            }
        }
    }
    Ok(())
}

/// Says, once for each name and rule, that a field was left out.
#[cold]
fn warn_of_dropped(rule: Rule, name: &[u8]) {
    static WARNED: Mutex<BTreeSet<(Rule, Vec<u8>)>> = Mutex::new(BTreeSet::new());
    let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
    if !warned.insert((rule, name.to_ascii_lowercase())) {
        return;
    }
    let (name, code) = (quoted(name), rule.code());
    match rule {
        Rule::ResponseLengthForbidden => tracing::warn!(
            "response header {name} is left out ({code}): a 204 response has no content and a 205 response has content of \
             length 0; remove it from the application"
        ),
        _ => tracing::warn!(
            "response header {name} is left out ({code}): it is between the server and its peer (PEP 3333, \"Other HTTP \
             Features\"); remove it from the application, or send Connection: close if it is to close the connection"
        ),
    }
}

/// For an application that does not let the exception of write() go: the log names the rule all the same.
#[cold]
fn warn_of_overrun(exchange: &Exchange) {
    let (request, code) = (described(exchange), Rule::ContentOverrun.code());
    tracing::warn!("{request}: what write() was given beyond the Content-Length is left out ({code})");
}

/// What is wrong with a piece of a head, as the end of a sentence. Names a control byte of `bytes` before anything
/// else; `offset` is where `bytes` start in what the application gave.
#[cold]
fn complaint(fault: Fault, bytes: &[u8], offset: usize) -> String {
    let code = fault.rule.code();
    let Some(at) = bytes.iter().position(u8::is_ascii_control) else {
        return format!("is not allowed: {} (byte {}, {code})", fault.rule.title(), fault.at);
    };
    let byte = bytes[at];
    let at = at + offset;
    match byte {
        b'\r' | b'\n' => format!("contains a line break (byte {at}, {code})"),
        _ => format!("contains the control byte 0x{byte:02x} (byte {at}, {code})"),
    }
}

#[cold]
fn wrong_type(what: &str, wanted: &str, given: &Bound<'_, PyAny>) -> PyErr {
    PyTypeError::new_err(format!("{what} is {}, PEP 3333 needs {wanted}", type_name(given)))
}

#[cold]
fn not_latin1(what: &str, text: &Bound<'_, PyString>) -> PyErr {
    let mut message = format!("{what} is not ISO-8859-1 ({})", Rule::ResponseNotLatin1.code());
    if let Some((at, character)) = latin1::first_outside(text) {
        let _ = write!(message, ": it contains U+{:04X} (character {at})", u32::from(character));
    }
    PyValueError::new_err(message)
}

/// The name of an object's type, for a message.
pub(crate) fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "an object".into(), |name| name.to_string_lossy().into_owned())
}

/// Bytes for a message: escaped, in quotes.
fn quoted(bytes: &[u8]) -> String {
    format!("'{}'", bytes.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::split_status;

    #[test]
    fn a_status_is_three_digits_a_space_and_a_reason_phrase() {
        let rows = [
            ("200 OK", 200, "OK"),
            ("404 Not Found", 404, "Not Found"),
            ("299 ", 299, ""),
            ("999 a  b ", 999, "a  b "),
        ];
        for (status, status_code, reason_phrase) in rows {
            assert_eq!(split_status(status.as_bytes()), Some((status_code, reason_phrase.as_bytes())), "{status:?}");
        }
        for status in ["", "200", "OK", "20 OK", "2000 OK", " 200 OK", "2x0 OK", "+20 OK", "200\tOK", "20\u{b2} OK"] {
            assert_eq!(split_status(status.as_bytes()), None, "{status:?}");
        }
    }
}
