//! The head of a response, built from what an application gives: checked by the grammar, framed by RFC 9112 section 6.

use alloc::vec::Vec;

use super::ResponseBody;
use super::persistence::ConnectionOptions;
use super::response_body::Delimiting;
use crate::grammar::{self, DecimalFault, TCHAR};
use crate::{Fault, Method, Rule, Version, list, scan};

/// A response head under construction. `start`, then `field` for each, then `finish`; the bytes are then ready to send.
/// Meant to be kept and reused.
#[derive(Clone, Debug, Default)]
pub struct ResponseHead {
    bytes: Vec<u8>,
    /// 0 until `start`.
    status_code: u16,
    /// Sent by `finish`, which knows whether it may be.
    content_length: Option<u64>,
    wants_close: bool,
    has_date: bool,
    has_server: bool,
}

/// What became of a field given to [`ResponseHead::field`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldFate {
    /// It will be sent.
    Sent,
    /// It is acted upon and not sent as it was given: `Connection: close`, a `keep-alive` that says nothing new.
    Honoured,
    /// It may not be sent, or not by the application: left out by this rule. Worth one warning.
    Dropped(Rule),
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
        ResponseHead {
            bytes: Vec::new(),
            status_code: 0,
            content_length: None,
            wants_close: false,
            has_date: false,
            has_server: false,
        }
    }

    /// Forgets everything but the capacity.
    pub fn clear(&mut self) {
        let mut bytes = core::mem::take(&mut self.bytes);
        bytes.clear();
        *self = ResponseHead { bytes, ..ResponseHead::new() };
    }

    /// Begins (or begins anew) with a status line.
    ///
    /// The version is always HTTP/1.1: a server sends the highest version it conforms to, whatever minor version was asked in
    /// (RFC 9110 section 6.2).
    ///
    /// ```text
    /// status-line   = HTTP-version SP status-code SP [ reason-phrase ]
    /// reason-phrase = 1*( HTAB / SP / VCHAR / obs-text )
    /// ```
    ///
    /// # Errors
    /// A status code outside 200..=599 or a reason-phrase outside its grammar.
    pub fn start(&mut self, status_code: u16, reason_phrase: &[u8]) -> Result<(), Fault> {
        self.clear();
        match status_code {
            100..=199 => return Err(Fault::new(Rule::StatusCodeInterim, 0)),
            200..=599 => {}
            _ => return Err(Fault::new(Rule::StatusCodeRange, 0)),
        }
        let phrase_end = scan::field_value_end(reason_phrase, 0);
        if phrase_end < reason_phrase.len() {
            return Err(Fault::new(Rule::ReasonPhraseByte, phrase_end));
        }
        self.status_code = status_code;
        self.bytes.extend_from_slice(b"HTTP/1.1 ");
        push_decimal(u64::from(status_code), &mut self.bytes);
        self.bytes.push(b' ');
        self.bytes.extend_from_slice(reason_phrase);
        self.bytes.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Adds a field line.
    ///
    /// # Errors
    /// A name that is no token, a value with control bytes, a Content-Length that is no number or is given twice.
    pub fn field(&mut self, name: &[u8], value: &[u8]) -> Result<FieldFate, Fault> {
        if name.is_empty() || !TCHAR.has_all(name) {
            return Err(Fault::new(Rule::ResponseFieldName, scan::end_of(TCHAR, name, 0)));
        }
        let value_end = scan::field_value_end(value, 0);
        if value_end < value.len() {
            return Err(Fault::new(Rule::ResponseFieldValue, value_end));
        }
        match Role::of(name) {
            Role::HopByHop => return Ok(FieldFate::Dropped(Rule::HopByHopField)),
            Role::TransferEncoding => return Ok(FieldFate::Dropped(Rule::ResponseTransferEncoding)),
            Role::Connection => return Ok(self.connection(value)),
            Role::ContentLength => return self.set_content_length(value),
            Role::Date => self.has_date = true,
            Role::Server => self.has_server = true,
            Role::Plain => {}
        }
        self.push_field(name, value);
        Ok(FieldFate::Sent)
    }

    fn connection(&mut self, value: &[u8]) -> FieldFate {
        let mut options = ConnectionOptions::default();
        options.add(value);
        self.wants_close |= options.has_close;
        if options.has_other { FieldFate::Dropped(Rule::HopByHopField) } else { FieldFate::Honoured }
    }

    // Content-Length = 1*DIGIT
    fn set_content_length(&mut self, value: &[u8]) -> Result<FieldFate, Fault> {
        if self.content_length.is_some() {
            return Err(Fault::new(Rule::ResponseContentLengthRepeated, 0));
        }
        let length = grammar::decimal(list::trim_ows(value)).map_err(|fault| match fault {
            DecimalFault::NotDigit(at) => Fault::new(Rule::ResponseContentLength, at),
            DecimalFault::Overflow => Fault::new(Rule::ResponseContentLength, 0),
        })?;
        self.content_length = Some(length);
        Ok(match (self.status_code, length) {
            // What is stated in a 205 is 0.
            (204, _) | (205, 1..) => FieldFate::Dropped(Rule::ResponseLengthForbidden),
            _ => FieldFate::Sent,
        })
    }

    /// Whether `start` was called since the last `clear`.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.status_code != 0
    }

    /// The status code given to `start`.
    #[must_use]
    pub fn status_code(&self) -> u16 {
        self.status_code
    }

    /// The Content-Length the application gave.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.content_length
    }

    /// Whether the application asked for `Connection: close`.
    #[must_use]
    pub fn wants_close(&self) -> bool {
        self.wants_close
    }

    /// Makes the server close after this response.
    pub fn set_close(&mut self) {
        self.wants_close = true;
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
        let (method, version) = request;
        if !self.has_date {
            self.push_field(b"Date", date);
        }
        if !self.has_server && !server.is_empty() {
            self.push_field(b"Server", server);
        }
        let (stated_length, delimiting) = self.frame(method, version, length);
        if let Some(length) = stated_length {
            self.bytes.extend_from_slice(b"Content-Length: ");
            push_decimal(length, &mut self.bytes);
            self.bytes.extend_from_slice(b"\r\n");
        }
        if delimiting == Delimiting::Chunked {
            self.push_field(b"Transfer-Encoding", b"chunked");
        }
        let is_tunnel = is_tunnel(method, self.status_code);
        let closes = !is_persistent || self.wants_close || delimiting == Delimiting::Close || is_tunnel;
        if closes {
            self.push_field(b"Connection", b"close");
        } else if version == Version::Http10 {
            // RFC 9112 section 9.3: without it an HTTP/1.0 client must take the connection for closing.
            self.push_field(b"Connection", b"keep-alive");
        }
        self.bytes.extend_from_slice(b"\r\n");
        ResponseBody::new(delimiting, closes)
    }

    /// RFC 9112 section 6.3 for responses: the Content-Length to state, and how the content is delimited.
    fn frame(&self, method: Method, version: Version, length: ResponseLength) -> (Option<u64>, Delimiting) {
        let known = match (self.content_length, length) {
            (Some(given), _) => Some(given),
            (None, ResponseLength::Known(length)) => Some(length),
            (None, ResponseLength::Unknown) => None,
        };
        match self.status_code {
            // Step 1: HEAD, 204 and 304 end with the head. RFC 9110 section 8.6: no Content-Length in a 204; in a 304 and after HEAD
            // only the length that a GET would have had. After 304 only the application knows that; after HEAD an empty content may
            // also be an application that saved itself the work.
            204 => (None, Delimiting::Bodyless),
            304 => (self.content_length, Delimiting::Bodyless),
            // Step 2: a successful CONNECT has no content and must not state a length.
            _ if is_tunnel(method, self.status_code) => (None, Delimiting::Bodyless),
            // RFC 9110 section 15.3.6: no content in a 205; unlike 204 it does not end with the head, so its length is stated.
            205 => (Some(0), Delimiting::Bodyless),
            _ if method == Method::Head => {
                let stated = self.content_length.or(known.filter(|&length| length > 0));
                (stated, Delimiting::Bodyless)
            }
            // Steps 3 and 5 cannot happen here. Step 6: Content-Length.
            _ if known.is_some() => (known, Delimiting::Length(known.unwrap_or(0))),
            // Step 4: chunked, which only HTTP/1.1 knows (section 6.1).
            _ if version == Version::Http11 => (None, Delimiting::Chunked),
            // Step 8.
            _ => (None, Delimiting::Close),
        }
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

    // field-line = field-name ":" OWS field-value OWS
    fn push_field(&mut self, name: &[u8], value: &[u8]) {
        self.bytes.reserve(name.len() + value.len() + 4);
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(b": ");
        self.bytes.extend_from_slice(value);
        self.bytes.extend_from_slice(b"\r\n");
    }
}

/// A response that would turn the connection into a tunnel, RFC 9110 section 9.3.6.
fn is_tunnel(method: Method, status_code: u16) -> bool {
    method == Method::Connect && (200..300).contains(&status_code)
}

/// What a response field means to the server.
enum Role {
    Plain,
    Date,
    Server,
    ContentLength,
    Connection,
    TransferEncoding,
    HopByHop,
}

impl Role {
    fn of(name: &[u8]) -> Role {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match name.len() {
            2 if is(b"te") => Role::HopByHop,
            4 if is(b"date") => Role::Date,
            6 if is(b"server") => Role::Server,
            7 if is(b"upgrade") || is(b"trailer") => Role::HopByHop,
            10 if is(b"connection") => Role::Connection,
            10 if is(b"keep-alive") => Role::HopByHop,
            14 if is(b"content-length") => Role::ContentLength,
            16 if is(b"proxy-connection") => Role::HopByHop,
            17 if is(b"transfer-encoding") => Role::TransferEncoding,
            18 if is(b"proxy-authenticate") => Role::HopByHop,
            19 if is(b"proxy-authorization") => Role::HopByHop,
            25 if is(b"proxy-authentication-info") => Role::HopByHop,
            _ => Role::Plain,
        }
    }
}

fn push_decimal(value: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = value;
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests;
