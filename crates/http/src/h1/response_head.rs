//! The head of a response, built from what an application gives: checked by the grammar, framed by RFC 9112 section 6.

use alloc::vec::Vec;

use super::ResponseBody;
use crate::{Fault, Method, Version};

/// A response head under construction. `start`, then `field` for each, then `finish`; the bytes are then ready to send.
/// Meant to be kept and reused.
#[derive(Clone, Debug, Default)]
pub struct ResponseHead {
    bytes: Vec<u8>,
}

/// What became of a field given to [`ResponseHead::field`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldFate {
    /// It will be sent.
    Sent,
    /// It only steers the connection (`Connection: close`, or a `keep-alive` that says nothing new): acted upon.
    Honoured,
    /// A hop-by-hop field that only the server may set (RFC 9110 section 7.6.1): left out. Worth one warning.
    Dropped,
}

/// What is known of the content's length when the head is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseLength {
    /// Exactly so many bytes will be offered.
    Known(u64),
    /// Not known: a Content-Length the application gave holds; else chunked for HTTP/1.1, close-delimited for HTTP/1.0.
    Unknown,
}

impl ResponseHead {
    /// An empty head.
    #[must_use]
    pub const fn new() -> Self {
        ResponseHead { bytes: Vec::new() }
    }

    /// Forgets everything but the capacity.
    pub fn clear(&mut self) {
        todo!()
    }

    /// Begins (or begins anew) with a status line.
    ///
    /// # Errors
    /// A status code outside 200..=599 or a reason-phrase outside its grammar.
    pub fn start(&mut self, status_code: u16, reason_phrase: &[u8]) -> Result<(), Fault> {
        let _ = (status_code, reason_phrase);
        todo!()
    }

    /// Adds a field line.
    ///
    /// # Errors
    /// A name that is no token, a value with control bytes, a Content-Length that is no number or is given twice.
    pub fn field(&mut self, name: &[u8], value: &[u8]) -> Result<FieldFate, Fault> {
        let _ = (name, value);
        todo!()
    }

    /// Whether `start` was called since the last `clear`.
    #[must_use]
    pub fn is_started(&self) -> bool {
        todo!()
    }

    /// The status code given to `start`.
    #[must_use]
    pub fn status_code(&self) -> u16 {
        todo!()
    }

    /// The Content-Length the application gave.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        todo!()
    }

    /// Whether the application asked for `Connection: close`.
    #[must_use]
    pub fn wants_close(&self) -> bool {
        todo!()
    }

    /// Makes the server close after this response.
    pub fn set_close(&mut self) {
        todo!()
    }

    /// Appends what the server adds (Date and Server unless the application gave them, framing, Connection) and the empty line, and
    /// says how the content must be sent. `is_persistent` is what request and server allow; the result is final in
    /// [`ResponseBody::closes`]. `date` is an IMF-fixdate (29 bytes); an empty `server` adds no Server field.
    pub fn finish(
        &mut self,
        request: (Method, Version),
        length: ResponseLength,
        is_persistent: bool,
        date: &[u8],
        server: &[u8],
    ) -> ResponseBody {
        let _ = (request, length, is_persistent, date, server);
        todo!()
    }

    /// The bytes so far; a complete head after `finish`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, to append a small content to before sending both at once.
    pub fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}
