//! The head of a request: request-line and field section, parsed whole lines at a time.

use alloc::vec::Vec;

use super::framing::FramingFields;
use super::line::{Bound, LineInHand, Stop};
use super::persistence::ConnectionOptions;
use super::{Framing, Persistence, field_line, request_line};
use crate::{FieldLine, FieldName, Limits, Method, Rejection, RequestTarget, Rule, Span, TargetForm, Version};
use crate::{authority, grammar, list};

/// A parsed head: offsets into the bytes it was parsed from. Meant to be kept and reused: parsing allocates nothing once
/// `fields` has grown.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RequestHead {
    /// The method; [`Method::Other`] for any other token.
    pub method: Method,
    /// The method's bytes.
    pub method_span: Span,
    /// The request-target.
    pub target: RequestTarget,
    /// HTTP/1.0 or HTTP/1.1.
    pub version: Version,
    /// The field lines in the order sent.
    pub fields: Vec<FieldLine>,
    /// How the content is delimited.
    pub framing: Framing,
    /// Whether the connection may carry another request.
    pub persistence: Persistence,
    /// Whether `Expect: 100-continue` asks for an interim response before the content is sent (never so in HTTP/1.0, nor where
    /// there is no content).
    pub expects_continue: bool,
    /// Value of the Host field, if there was one.
    pub host: Option<Span>,
    /// Length of the head in bytes, from the first byte given (tolerated empty lines included) to the end of its last CRLF.
    pub len: u32,
}

impl RequestHead {
    /// Host and port the request is meant for. That of the request-target wins over the Host field, which is then ignored
    /// (RFC 9112 sections 3.2.2 and 3.3). `None` where neither says: HTTP/1.0 without Host, or an empty Host.
    #[must_use]
    pub fn authority(&self) -> Option<Span> {
        match self.target.form {
            TargetForm::Absolute | TargetForm::Authority => Some(self.target.authority),
            TargetForm::Origin | TargetForm::Asterisk => self.host.filter(|host| !host.is_empty()),
        }
    }

    /// Checks that the request is meant for an origin server and for a connection of this scheme (in lower case): a request-target
    /// in absolute-form names the scheme itself. `input` is what the head was parsed from.
    ///
    /// # Errors
    /// [`Rule::ConnectMethod`], [`Rule::MisdirectedScheme`].
    pub fn check_origin(&self, input: &[u8], scheme: &str) -> Result<(), Rejection> {
        if self.method == Method::Connect {
            return Err(Rejection::new(Rule::ConnectMethod, self.method_span.start));
        }
        let named = self.target.scheme;
        if named.is_empty() || named.of(input).eq_ignore_ascii_case(scheme.as_bytes()) {
            return Ok(());
        }
        Err(Rejection::new(Rule::MisdirectedScheme, named.start))
    }

    /// Forgets everything but the capacity.
    pub fn clear(&mut self) {
        let mut fields = core::mem::take(&mut self.fields);
        fields.clear();
        *self = RequestHead { fields, ..RequestHead::default() };
    }
}

/// Whether a head is all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More bytes are needed.
    Partial,
    /// The head is complete; what follows `len` bytes is content or the next request.
    Complete,
}

/// Parses one head, resuming where the last call stopped. After a complete head it is ready for the next one; after a rejection
/// it is of no further use.
#[derive(Clone, Debug, Default)]
pub struct HeadParser {
    line: LineInHand,
    stage: Stage,
    framing: FramingFields,
    connection: ConnectionOptions,
    expects_continue: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    RequestLine { empty_lines: u32 },
    FirstFieldLine,
    FieldLines,
}

impl Default for Stage {
    fn default() -> Self {
        Stage::RequestLine { empty_lines: 0 }
    }
}

/// Empty lines ignored before a request-line. RFC 9112 section 2.2 asks for at least one, for clients that send a CRLF behind
/// the content of a POST; two, because some of them send it as a keep-alive besides.
const EMPTY_LINES: u32 = 2;

/// The fields that bear upon the message itself: a bit for each.
const BEARING: u64 = 1 << FieldName::Host as u64
    | 1 << FieldName::ContentLength as u64
    | 1 << FieldName::Connection as u64
    | 1 << FieldName::TransferEncoding as u64
    | 1 << FieldName::Expect as u64;

impl HeadParser {
    /// Ready for the first byte of a head.
    #[must_use]
    pub const fn new() -> Self {
        HeadParser {
            line: LineInHand::new(),
            stage: Stage::RequestLine { empty_lines: 0 },
            framing: FramingFields { content_length: None, transfer_encoding: None },
            connection: ConnectionOptions { has_close: false, has_keep_alive: false, has_other: false },
            expects_continue: false,
        }
    }

    /// Parses as much of `input` as is there. `input` is everything received since the first byte of this head, every time.
    ///
    /// # Errors
    /// The first rule that is broken, with its offset in `input`; the same for any split of the bytes.
    pub fn parse(&mut self, input: &[u8], limits: &Limits, head: &mut RequestHead) -> Result<Progress, Rejection> {
        if self.line.start() == 0 {
            head.clear(); // also if the line was begun before: nothing is in it yet
            if !self.line.is_begun() {
                self.usual_request_line(input, limits, head);
            }
        }
        while let Stage::RequestLine { empty_lines } = self.stage {
            if self.request_line(empty_lines, input, limits, head)? == Progress::Partial {
                return Ok(Progress::Partial);
            }
        }
        self.field_section(input, limits, head)
    }

    /// The request-line, if it comes first, is all there, within the limits and like most.
    #[inline]
    fn usual_request_line(&mut self, input: &[u8], limits: &Limits, head: &mut RequestHead) {
        let Some(line) = request_line::parse_usual(input) else { return };
        if line.len > limits.request_line as usize + 2 || line.len > limits.head as usize {
            return;
        }
        let span = |start: usize, end: usize| Span { start: start as u32, len: (end - start) as u32 };
        let target_start = line.method_len + 1;
        head.version = Version::Http11;
        head.method = line.method;
        head.method_span = span(0, line.method_len);
        head.target.raw = span(target_start, line.target_end);
        head.target.path = span(target_start, line.path_end);
        if line.path_end < line.target_end {
            head.target.query = Some(span(line.path_end + 1, line.target_end));
        }
        self.line.advance(line.len);
        self.stage = Stage::FirstFieldLine;
    }

    /// One line before the field section: the request-line or an empty one.
    #[cold]
    fn request_line(
        &mut self,
        empty_lines: u32,
        input: &[u8],
        limits: &Limits,
        head: &mut RequestHead,
    ) -> Result<Progress, Rejection> {
        let bound = Bound {
            line: limits.request_line,
            line_rule: Rule::RequestLineTooLong,
            section: limits.head,
            section_rule: Rule::HeadTooLarge,
        };
        let line = self.line.window(input, &bound);
        let start = self.line.start() as u32;
        if line.starts_with(b"\r\n") {
            if empty_lines == EMPTY_LINES {
                return Err(Rejection::new(Rule::LeadingEmptyLines, start));
            }
            self.line.advance(2);
            self.stage = Stage::RequestLine { empty_lines: empty_lines + 1 };
            return Ok(Progress::Complete);
        }
        let parsed = match request_line::parse(line, &mut self.line.scanned) {
            Ok(parsed) => parsed,
            Err(stop) => {
                // Known before the rest of the line is: an answer to HEAD has no content, whatever is wrong behind it.
                head.method = line.get(..self.line.scanned.token_end).map_or(Method::default(), Method::from_bytes);
                return self.line.wait(stop, input, &bound).map(|()| Progress::Partial);
            }
        };
        head.method = Method::from_bytes(parsed.method.of(line));
        head.method_span = Span { start: start + parsed.method.start, ..parsed.method };
        head.version = parsed.version;
        head.target = RequestTarget::parse(head.method, parsed.target.of(line), start + parsed.target.start)?;
        self.line.advance(parsed.len);
        self.stage = Stage::FirstFieldLine;
        Ok(Progress::Complete)
    }

    fn field_section(&mut self, input: &[u8], limits: &Limits, head: &mut RequestHead) -> Result<Progress, Rejection> {
        loop {
            self.whole_field_lines(input, limits, head)?;
            let start = self.line.start();
            let is_end = input.get(start..).is_some_and(|rest| rest.starts_with(b"\r\n"));
            if is_end && start + 2 <= limits.head as usize {
                self.line.advance(2);
                return self.conclude(input, limits, head);
            }
            if self.other_field_line(input, limits, head)? == Progress::Partial {
                return Ok(Progress::Partial);
            }
        }
    }

    /// Field lines that are all there, all right and within every limit. Stops at any other, which the caller deals with.
    #[inline]
    fn whole_field_lines(&mut self, input: &[u8], limits: &Limits, head: &mut RequestHead) -> Result<(), Rejection> {
        if self.line.is_begun() {
            return Ok(());
        }
        let visible = &input[..input.len().min(limits.head as usize)];
        let mut start = self.line.start();
        while head.fields.len() < limits.fields as usize
            && let Some(parsed) = visible.get(start..).and_then(field_line::parse_whole)
            && parsed.len <= limits.field_line as usize + 2
        {
            self.add(&parsed, start, input, head)?;
            start += parsed.len;
        }
        self.pass(start);
        self.last_field_lines(visible, limits, head)
    }

    /// The same for lines that start in the last 32 bytes. Apart, so that the loop over the others keeps to registers.
    #[inline(never)]
    fn last_field_lines(&mut self, visible: &[u8], limits: &Limits, head: &mut RequestHead) -> Result<(), Rejection> {
        let mut start = self.line.start();
        while head.fields.len() < limits.fields as usize
            && let Some(parsed) = field_line::parse_last(visible, start)
            && parsed.len <= limits.field_line as usize + 2
        {
            self.add(&parsed, start, visible, head)?;
            start += parsed.len;
        }
        self.pass(start);
        Ok(())
    }

    /// The lines up to there are done with.
    #[inline(always)]
    fn pass(&mut self, end: usize) {
        let len = end - self.line.start();
        if len > 0 {
            self.line.advance(len);
            self.stage = Stage::FieldLines;
        }
    }

    /// A field line that was looked at before, or is not all there, or has a fault.
    #[cold]
    fn other_field_line(
        &mut self,
        input: &[u8],
        limits: &Limits,
        head: &mut RequestHead,
    ) -> Result<Progress, Rejection> {
        let bound = Bound {
            line: limits.field_line,
            line_rule: Rule::FieldLineTooLong,
            section: limits.head,
            section_rule: Rule::HeadTooLarge,
        };
        let line = self.line.window(input, &bound);
        let begun = self.begin_field_line(line, limits, head);
        let parsed = match begun.and_then(|()| field_line::parse(line, &mut self.line.scanned)) {
            Ok(parsed) => parsed,
            Err(stop) => return self.line.wait(stop, input, &bound).map(|()| Progress::Partial),
        };
        self.add(&parsed, self.line.start(), input, head)?;
        self.line.advance(parsed.len);
        self.stage = Stage::FieldLines;
        Ok(Progress::Complete)
    }

    /// Adds the field line that starts there.
    #[inline(always)]
    fn add(
        &mut self,
        parsed: &field_line::FieldLineParts,
        start: usize,
        input: &[u8],
        head: &mut RequestHead,
    ) -> Result<(), Rejection> {
        let at = |offset: usize| (start + offset) as u32;
        head.fields.push(FieldLine {
            name: Span { start: at(0), len: parsed.name_end as u32 },
            value: Span { start: at(parsed.value_start), len: (parsed.value_end - parsed.value_start) as u32 },
            known: parsed.known,
        });
        if BEARING >> parsed.known as u64 & 1 == 0 { Ok(()) } else { self.note_last(input, head) }
    }

    /// What the first byte of a line in the field section already rules out.
    fn begin_field_line(&self, line: &[u8], limits: &Limits, head: &RequestHead) -> Result<(), Stop> {
        match line.first() {
            None | Some(b'\r') => Ok(()),
            // obs-fold = OWS CRLF RWS
            Some(&byte) if grammar::is_ows(byte) => match self.stage {
                Stage::FieldLines => Err(Stop::Broken(Rule::LineFolding, 0)),
                _ => Err(Stop::Broken(Rule::SpaceBeforeFields, 0)),
            },
            Some(_) if head.fields.len() >= limits.fields as usize => Err(Stop::Broken(Rule::TooManyFields, 0)),
            Some(_) => Ok(()),
        }
    }

    /// Looks into the last field, which bears upon the message itself.
    fn note_last(&mut self, input: &[u8], head: &mut RequestHead) -> Result<(), Rejection> {
        match head.fields.last().map(|field| (field.known, field.value)) {
            Some((FieldName::Host, _)) => note_host(input, head),
            Some((FieldName::Connection, value)) => {
                self.connection.add(value.of(input));
                Ok(())
            }
            _ => self.note_rare(input, head),
        }
    }

    /// Apart, because nearly every request has the two fields above and none of these.
    #[inline(never)]
    fn note_rare(&mut self, input: &[u8], head: &RequestHead) -> Result<(), Rejection> {
        let Some(field) = head.fields.last() else { return Ok(()) };
        match field.known {
            FieldName::ContentLength => self.framing.note_content_length(field, input),
            FieldName::TransferEncoding => {
                self.framing.note_transfer_encoding(field);
                Ok(())
            }
            // RFC 9110 section 10.1.1: an expectation in an HTTP/1.0 request is ignored.
            FieldName::Expect if head.version == Version::Http11 => self.note_expect(field, input),
            _ => Ok(()),
        }
    }

    // Expect = #expectation; the only one defined is 100-continue, without parameters
    fn note_expect(&mut self, field: &FieldLine, input: &[u8]) -> Result<(), Rejection> {
        for expectation in list::elements(field.value.of(input)) {
            if expectation.bytes.eq_ignore_ascii_case(b"100-continue") {
                self.expects_continue = true;
            } else if !expectation.bytes.is_empty() {
                let at = field.value.start + expectation.at as u32;
                return Err(Rejection::new(Rule::ExpectationUnknown, at));
            }
        }
        Ok(())
    }

    /// What can be said only once the whole head is there.
    fn conclude(&mut self, input: &[u8], limits: &Limits, head: &mut RequestHead) -> Result<Progress, Rejection> {
        let end = self.line.start();
        if head.host.is_none() && head.version == Version::Http11 {
            return Err(Rejection::new(Rule::HostMissing, end as u32 - 2)); // where it could have stood last
        }
        head.framing = self.framing.decide(head.version, &head.fields, input, limits.content)?;
        head.persistence = self.connection.persistence(head.version);
        if head.method == Method::Connect {
            // What follows may be meant for the tunnel (RFC 9110 section 9.3.6) and must not be read as a request.
            head.persistence = Persistence::Close;
        }
        head.expects_continue = self.expects_continue && !matches!(head.framing, Framing::None | Framing::Length(0));
        head.len = end as u32;
        *self = HeadParser::new();
        Ok(Progress::Complete)
    }
}

// Host = uri-host [ ":" port ]
fn note_host(input: &[u8], head: &mut RequestHead) -> Result<(), Rejection> {
    let Some(&field) = head.fields.last() else { return Ok(()) };
    if head.host.is_some() {
        return Err(Rejection::new(Rule::HostRepeated, field.name.start));
    }
    // RFC 9112 section 3.2: empty if the target URI has no authority.
    if !field.value.is_empty()
        && let Err(offset) = authority::host_len(field.value.of(input))
    {
        return Err(Rejection::new(Rule::HostMalformed, field.value.start + offset as u32));
    }
    head.host = Some(field.value);
    Ok(())
}

#[cfg(test)]
mod tests;
