//! Takes the content out of a request's message body.

use super::line::{Bound, LineInHand, Stop};
use super::{Framing, chunked, field_line};
use crate::grammar::is_ows;
use crate::{Limits, Piece, Rejection, Rule};

/// What one step of reading found at the start of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `input[skip..skip + len]` is content; discard `skip + len` bytes and call again.
    Content {
        /// Bytes of framing in front of the content.
        skip: usize,
        /// Bytes of content, at least one.
        len: usize,
    },
    /// Discard `skip` bytes; the rest is an unfinished chunk line or trailer section: call again when more has come.
    Partial {
        /// Bytes of framing that are done with.
        skip: usize,
    },
    /// The message is complete; discard `skip` bytes. What follows is the next request.
    Complete {
        /// Bytes of framing that end the message.
        skip: usize,
    },
}

/// Reads a request's content by its framing. The caller discards what a step tells it to.
#[derive(Clone, Debug)]
pub struct BodyReader {
    state: State,
    /// Bytes of content in all chunks so far.
    counted: u64,
    /// Where in the last input the chunk line or trailer section in hand starts.
    element_start: usize,
}

#[derive(Clone, Debug)]
enum State {
    /// So many bytes of content are still to come, more than 0.
    Length(u64),
    ChunkLine,
    /// So many bytes of the chunk are still to come, more than 0.
    ChunkData(u64),
    /// The CRLF behind the chunk-data.
    ChunkDataEnd,
    /// The trailer section; it stays in the input until it is complete.
    Trailers(LineInHand),
    Complete,
}

impl BodyReader {
    /// A reader for content framed so.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::None | Framing::Length(0) => State::Complete,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::ChunkLine,
        };
        BodyReader { state, counted: 0, element_start: 0 }
    }

    /// Looks at the start of `input`: everything received and not yet discarded. Content of chunked framing is counted against
    /// `limits.content`.
    ///
    /// # Errors
    /// The rule that is broken; the offset counts from the start of the chunk line (for a missing CRLF behind chunk-data: from
    /// where it ought to be) or trailer section in hand, which is at [`BodyReader::element_start`].
    pub fn step(&mut self, input: &[u8], limits: &Limits) -> Result<Step, Rejection> {
        let mut skip = 0;
        loop {
            self.element_start = skip;
            let rest = &input[skip..];
            let framing_len = match &mut self.state {
                State::Complete => return Ok(Step::Complete { skip }),
                State::Length(left) | State::ChunkData(left) => {
                    let len = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    if len == 0 {
                        return Ok(Step::Partial { skip });
                    }
                    *left -= len as u64;
                    self.leave_content();
                    return Ok(Step::Content { skip, len });
                }
                State::ChunkLine => self.chunk_line(rest, limits)?,
                State::ChunkDataEnd => self.chunk_data_end(rest)?,
                State::Trailers(line) => {
                    let len = trailer_section(line, rest, limits)?;
                    if len.is_some() {
                        self.state = State::Complete;
                    }
                    len
                }
            };
            match framing_len {
                Some(len) => skip += len,
                None => return Ok(Step::Partial { skip }),
            }
        }
    }

    /// Bytes of content still to come, where the framing says so.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        match self.state {
            State::Length(left) => Some(left),
            State::Complete => Some(0),
            State::ChunkLine | State::ChunkData(_) | State::ChunkDataEnd | State::Trailers(_) => None,
        }
    }

    /// Counts `n` bytes of content that the caller received past this reader, straight to where they belong. Only within
    /// [`remaining`](BodyReader::remaining) bytes; more are not counted.
    pub fn skip_content(&mut self, n: u64) {
        if let State::Length(left) = &mut self.state {
            *left = left.saturating_sub(n);
            self.leave_content();
        }
    }

    /// Whether the message's end was reached.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self.state, State::Complete)
    }

    /// Where in the input last given to [`BodyReader::step`] the chunk line or trailer section starts that a rejection's offset
    /// counts from.
    #[must_use]
    pub fn element_start(&self) -> usize {
        self.element_start
    }

    /// What a rejection's offset counts in, or what was in hand when the bytes ended.
    #[must_use]
    pub fn piece(&self) -> Piece {
        match self.state {
            State::Length(_) | State::ChunkData(_) | State::ChunkDataEnd | State::Complete => Piece::Content,
            State::ChunkLine => Piece::ChunkLine,
            State::Trailers(_) => Piece::TrailerSection,
        }
    }

    /// After the last byte of content or of a chunk, what comes next.
    fn leave_content(&mut self) {
        match self.state {
            State::Length(0) => self.state = State::Complete,
            State::ChunkData(0) => self.state = State::ChunkDataEnd,
            _ => {}
        }
    }

    fn chunk_line(&mut self, input: &[u8], limits: &Limits) -> Result<Option<usize>, Rejection> {
        let full = limits.chunk_line as usize + 2;
        let allowance = limits.content.saturating_sub(self.counted);
        match chunked::parse_line(&input[..input.len().min(full)], allowance) {
            Ok(line) if line.size == 0 => {
                self.state = State::Trailers(LineInHand::new());
                Ok(Some(line.len))
            }
            Ok(line) => {
                self.counted += line.size;
                self.state = State::ChunkData(line.size);
                Ok(Some(line.len))
            }
            Err(Stop::Broken(rule, at)) => Err(Rejection::new(rule, at as u32)),
            Err(Stop::More) if input.len() >= full => Err(Rejection::new(Rule::ChunkLineTooLong, limits.chunk_line)),
            Err(Stop::More) => Ok(None),
        }
    }

    // chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
    fn chunk_data_end(&mut self, input: &[u8]) -> Result<Option<usize>, Rejection> {
        match input {
            [] | [b'\r'] => Ok(None),
            [b'\r', b'\n', ..] => {
                self.state = State::ChunkLine;
                Ok(Some(2))
            }
            [b'\r', ..] => Err(Rejection::new(Rule::ChunkDataEnd, 1)),
            _ => Err(Rejection::new(Rule::ChunkDataEnd, 0)),
        }
    }
}

/// The length of the trailer section and the CRLF behind it, once all is there. Its grammar is checked; the fields are
/// discarded, so that none of them is ever taken for a header field (RFC 9110 section 6.5.1).
///
/// ```text
/// trailer-section = *( field-line CRLF )
/// ```
fn trailer_section(line: &mut LineInHand, input: &[u8], limits: &Limits) -> Result<Option<usize>, Rejection> {
    let bound = Bound {
        line: limits.field_line,
        line_rule: Rule::FieldLineTooLong,
        section: limits.trailer_section,
        section_rule: Rule::TrailerSectionTooLarge,
    };
    loop {
        let window = line.window(input, &bound);
        if window.starts_with(b"\r\n") {
            return Ok(Some(line.start() + 2));
        }
        let parsed = match window.first() {
            Some(&byte) if is_ows(byte) => Err(Stop::Broken(Rule::LineFolding, 0)),
            _ => field_line::parse(window, &mut line.scanned),
        };
        match parsed {
            Ok(field) => line.advance(field.len),
            Err(stop) => return line.wait(stop, input, &bound).map(|()| None),
        }
    }
}

#[cfg(test)]
mod tests;
