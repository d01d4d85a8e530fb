//! Where in a message a rejection points, by line and byte, for a report. Off the hot path: it re-reads the bytes still in the
//! buffer. How a report looks is decided elsewhere.

use crate::{Rejection, Rule, Span};

/// What a rejection's offset counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The head, from its first byte.
    Head,
    /// A chunk line.
    ChunkLine,
    /// Content, or the place where the CRLF behind a chunk's data ought to be.
    Content,
    /// The trailer section.
    TrailerSection,
}

/// A rejection, placed in the lines of the piece it is about (head, chunk line or trailer section).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The rule that was broken.
    pub rule: Rule,
    /// Which line of the piece, from 1.
    pub line: u32,
    /// That line in `bytes`, with its line end if it has one.
    pub line_span: Span,
    /// Which byte of the line, from 1.
    pub column: u32,
    /// The byte; none where it is missing.
    pub byte: Option<u8>,
}

/// Places a rejection in the bytes it was made from: `bytes` starts where the rejection's offset counts from.
#[must_use]
pub fn diagnose(bytes: &[u8], rejection: Rejection) -> Diagnosis {
    let at = (rejection.at as usize).min(bytes.len());
    let before = &bytes[..at];
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |lf| lf + 1);
    let line_end = bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |lf| at + lf + 1);
    let lines_before = before.iter().filter(|&&byte| byte == b'\n').count();
    Diagnosis {
        rule: rejection.rule,
        line: lines_before as u32 + 1,
        line_span: Span { start: line_start as u32, len: (line_end - line_start) as u32 },
        column: (at - line_start) as u32 + 1,
        byte: bytes.get(at).copied(),
    }
}

#[cfg(test)]
mod tests;
