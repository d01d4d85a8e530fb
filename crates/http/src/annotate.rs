//! An accepted message taken apart for a reader: every byte of it under the name of its production, how its content was framed
//! and by which step of RFC 9112 section 6.3, and what was tolerated in it.
//!
//! It reads the bytes again, after the parser and by the parser's verdict, so that accepting a message costs nothing for it.
//! What is refused is told by [`diagnose`](crate::diagnose()).

use alloc::vec::Vec;

use crate::grammar::{hex_digit, is_ows};
use crate::h1::{BodyReader, Framing, HeadParser, Progress, RequestHead, Step};
use crate::{FieldName, Limits, Piece, Rejection, Rule, Span, TargetForm, scan};

mod tolerated;

/// A message, taken apart.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Annotation {
    /// The head as it was parsed.
    pub head: RequestHead,
    /// Every byte of the message, from first to last, by production.
    pub parts: Vec<Part>,
    /// How the content is delimited, and by which step.
    pub framing: FramingDecision,
    /// Where the content is: one span, or one for each chunk.
    pub content: Vec<Span>,
    /// The rules that the message bends, and where.
    pub tolerated: Vec<(Rule, u32)>,
    /// Length of the message in bytes.
    pub len: u32,
}

/// Bytes that match one production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// Where.
    pub span: Span,
    /// The production they match, such as `field-name`.
    pub production: &'static str,
    /// The production that this one stands in, such as `field-line`.
    pub within: &'static str,
}

/// How content is delimited, by RFC 9112 section 6.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FramingDecision {
    /// The decision.
    pub framing: Framing,
    /// The step that took it.
    pub step: u8,
    /// Why that step and no other.
    pub reason: &'static str,
}

/// A message that is refused, or not all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The rule and the offset in the piece.
    pub rejection: Rejection,
    /// What the offset counts in.
    pub piece: Piece,
    /// Where the piece starts.
    pub piece_start: u32,
}

/// Takes the first message of `bytes` apart, which arrived on a connection of that scheme. None if there is none: no bytes, or
/// only empty lines.
///
/// # Errors
/// What the parser refuses, and a message that is cut off.
pub fn annotate(bytes: &[u8], scheme: &str, limits: &Limits) -> Result<Option<Annotation>, Refused> {
    let in_head = |rejection| Refused { rejection, piece: Piece::Head, piece_start: 0 };
    let mut head = RequestHead::default();
    if HeadParser::new().parse(bytes, limits, &mut head).map_err(in_head)? == Progress::Partial {
        let is_idle = bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        return if is_idle { Ok(None) } else { Err(in_head(cut_off(bytes.len()))) };
    }
    head.check_origin(bytes, scheme).map_err(in_head)?;
    let mut parts = Parts { bytes, list: Vec::new(), at: 0 };
    parts.request_line(&head);
    parts.field_section(FIELD_LINE);
    parts.to(head.len, "CRLF", "HTTP-message");
    let content = parts.content(head.framing, limits)?;
    let tolerated = tolerated::tolerated(bytes, &head, &parts.list);
    let framing = FramingDecision::of(head.framing);
    Ok(Some(Annotation { framing, content, tolerated, len: parts.at, parts: parts.list, head }))
}

fn cut_off(at: usize) -> Rejection {
    Rejection { rule: Rule::ContentCutOff, at: at as u32 }
}

impl FramingDecision {
    fn of(framing: Framing) -> FramingDecision {
        let (step, reason) = match framing {
            Framing::Chunked => (4, "Transfer-Encoding is present and chunked is its one and final coding"),
            Framing::Length(_) => (6, "a valid Content-Length is present without Transfer-Encoding"),
            Framing::None => (7, "a request with neither Transfer-Encoding nor Content-Length has no content"),
        };
        FramingDecision { framing, step, reason }
    }
}

const REQUEST_LINE: &str = "request-line";
const FIELD_LINE: &str = "field-line";
pub(crate) const TRAILER_SECTION: &str = "trailer-section";

/// The parts so far. What is appended starts where the last part ended, so that the parts cover every byte exactly once.
struct Parts<'a> {
    bytes: &'a [u8],
    list: Vec<Part>,
    at: u32,
}

impl Parts<'_> {
    /// The bytes up to `end`, if there are any.
    fn to(&mut self, end: u32, production: &'static str, within: &'static str) {
        if end > self.at {
            let span = Span { start: self.at, len: end - self.at };
            self.list.push(Part { span, production, within });
            self.at = end;
        }
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at as usize..).unwrap_or(&[])
    }

    /// The offset of the next such byte.
    fn next(&self, wanted: u8) -> u32 {
        let rest = self.rest();
        self.at + rest.iter().position(|&byte| byte == wanted).unwrap_or(rest.len()) as u32
    }

    fn crlf(&mut self, within: &'static str) {
        self.to(self.at + 2, "CRLF", within);
    }

    // request-line = method SP request-target SP HTTP-version
    fn request_line(&mut self, head: &RequestHead) {
        while self.at < head.method_span.start {
            self.crlf("empty line");
        }
        self.to(self.at + head.method_span.len, "method", REQUEST_LINE);
        self.to(self.at + 1, "SP", REQUEST_LINE);
        self.target(head);
        self.to(self.at + 1, "SP", REQUEST_LINE);
        self.to(self.next(b'\r'), "HTTP-version", REQUEST_LINE);
        self.crlf(REQUEST_LINE);
    }

    fn target(&mut self, head: &RequestHead) {
        let target = head.target;
        let end = |span: Span| span.start + span.len;
        let form = match target.form {
            TargetForm::Origin => "origin-form",
            TargetForm::Absolute => "absolute-form",
            TargetForm::Authority => {
                return self.host(end(target.raw), "authority-form");
            }
            TargetForm::Asterisk => return self.to(end(target.raw), "asterisk-form", REQUEST_LINE),
        };
        let path = if target.form == TargetForm::Absolute { "path-abempty" } else { "absolute-path" };
        self.to(end(target.scheme), "scheme", form);
        self.to(target.authority.start, "\"://\"", form);
        self.host(end(target.authority), form);
        self.to(end(target.path), path, form);
        if let Some(query) = target.query {
            self.to(query.start, "\"?\"", form);
            self.to(end(query), "query", form);
        }
    }

    // uri-host [ ":" port ]
    fn host(&mut self, end: u32, within: &'static str) {
        let host = self.bytes.get(self.at as usize..end as usize).unwrap_or(&[]);
        // A colon inside brackets belongs to an IP-literal.
        let bracket = host.iter().position(|&byte| byte == b']').unwrap_or(0);
        let colon = host.iter().skip(bracket).position(|&byte| byte == b':');
        let host_end = colon.map_or(end, |colon| self.at + (bracket + colon) as u32);
        self.to(host_end, "uri-host", within);
        self.to(end.min(host_end + 1), "\":\"", within);
        self.to(end, "port", within);
    }

    /// The field lines up to the empty line.
    fn field_section(&mut self, within: &'static str) {
        while !matches!(self.rest(), [] | [b'\r', ..]) {
            self.field_line(within);
        }
    }

    // field-line = field-name ":" OWS field-value OWS
    fn field_line(&mut self, within: &'static str) {
        let name_start = self.at as usize;
        self.to(self.next(b':'), "field-name", within);
        let name = FieldName::of(self.bytes.get(name_start..self.at as usize).unwrap_or(&[]));
        self.to(self.at + 1, "\":\"", within);
        self.to(scan::ows_end(self.bytes, self.at as usize) as u32, "OWS", within);
        let line_end = self.next(b'\r');
        let value = self.bytes.get(self.at as usize..line_end as usize).unwrap_or(&[]);
        let trailing = value.iter().rev().take_while(|&&byte| is_ows(byte)).count() as u32;
        let value_end = line_end - trailing;
        match name {
            FieldName::Host if within == FIELD_LINE => self.host(value_end, "Host"),
            name if within == FIELD_LINE => self.to(value_end, value_production(name), within),
            _ => self.to(value_end, "field-value", within),
        }
        self.to(line_end, "OWS", within);
        self.crlf(within);
    }

    /// The content in its framing; where its bytes are.
    fn content(&mut self, framing: Framing, limits: &Limits) -> Result<Vec<Span>, Refused> {
        let mut reader = BodyReader::new(framing);
        let mut content = Vec::new();
        loop {
            let start = self.at;
            let refused = |rejection, reader: &BodyReader, offset: usize| Refused {
                rejection,
                piece: reader.piece(),
                piece_start: start + offset as u32,
            };
            let step = reader.step(self.rest(), limits);
            match step.map_err(|rejection| refused(rejection, &reader, reader.element_start()))? {
                Step::Content { skip, len } => {
                    if framing == Framing::Chunked {
                        self.chunk_line(start + skip as u32, "chunk");
                        self.to(self.at + len as u32, "chunk-data", "chunk");
                    } else {
                        self.to(self.at + len as u32, "message-body", "HTTP-message");
                    }
                    content.push(Span { start: self.at - len as u32, len: len as u32 });
                }
                Step::Partial { skip } => {
                    return Err(refused(cut_off(self.rest().len() - skip), &reader, skip));
                }
                Step::Complete { skip } => {
                    let end = start + skip as u32;
                    if framing == Framing::Chunked {
                        self.chunk_line(end, "last-chunk");
                        self.field_section(TRAILER_SECTION);
                        self.to(end, "CRLF", "chunked-body");
                    }
                    return Ok(content);
                }
            }
        }
    }

    // chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
    fn chunk_line(&mut self, end: u32, within: &'static str) {
        if self.rest().starts_with(b"\r\n") {
            self.crlf("chunk"); // that of the chunk before
        }
        let digits = self.rest().iter().take_while(|&&byte| hex_digit(byte).is_some()).count() as u32;
        self.to(self.at + digits, "chunk-size", within);
        self.to(self.next(b'\r').min(end), "chunk-ext", within);
        self.crlf(within);
    }
}

/// The production of a field's value, where the value bears upon the message itself.
fn value_production(name: FieldName) -> &'static str {
    match name {
        FieldName::ContentLength => "Content-Length",
        FieldName::TransferEncoding => "Transfer-Encoding",
        FieldName::Connection => "Connection",
        FieldName::Expect => "Expect",
        FieldName::Upgrade => "Upgrade",
        _ => "field-value",
    }
}

#[cfg(test)]
mod tests;
