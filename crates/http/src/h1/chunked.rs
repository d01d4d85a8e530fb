//! The line in front of a chunk, RFC 9112 section 7.1. Extensions are parsed and ignored.
//!
//! A line that is not complete is parsed anew each time: it is at most some hundred bytes long ([`Limits::chunk_line`]).
//!
//! [`Limits::chunk_line`]: crate::Limits::chunk_line

use super::line::{self, Stop};
use crate::grammar::{FIELD_VALUE, QDTEXT, TCHAR, hex_digit};
use crate::{Rule, scan};

/// A chunk line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkLine {
    /// Bytes of chunk-data; 0 in the last chunk.
    pub(super) size: u64,
    /// Bytes of the line with its CRLF.
    pub(super) len: usize,
}

/// Parses the line that `input` starts with. A chunk larger than `allowance` breaks the content limit.
///
/// ```text
/// chunk      = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
/// last-chunk = 1*("0") [ chunk-ext ] CRLF
/// ```
pub(super) fn parse_line(input: &[u8], allowance: u64) -> Result<ChunkLine, Stop> {
    let (size, size_end) = chunk_size(input)?;
    let size = size.ok_or(Stop::Broken(Rule::ChunkSizeOverflow, 0))?;
    if size > allowance {
        return Err(Stop::Broken(Rule::ContentTooLarge, 0));
    }
    let len = match input[size_end] {
        b'\r' => line::end(input, size_end, Rule::ChunkSizeDigits)?,
        b';' | b' ' | b'\t' => chunk_extensions(input, size_end)?,
        _ => return Err(line::fault(input, size_end, Rule::ChunkSizeDigits)),
    };
    Ok(ChunkLine { size, len })
}

/// The size (none if it has more than 64 bits) and the offset of the byte behind it, which is there.
///
/// ```text
/// chunk-size = 1*HEXDIG
/// ```
fn chunk_size(input: &[u8]) -> Result<(Option<u64>, usize), Stop> {
    let mut size = Some(0u64);
    for (at, &byte) in input.iter().enumerate() {
        match hex_digit(byte) {
            Some(digit) => size = size.and_then(|size| size.checked_mul(16)).map(|size| size | u64::from(digit)),
            None if at == 0 => return Err(line::fault(input, 0, Rule::ChunkSizeDigits)),
            None => return Ok((size, at)),
        }
    }
    Err(Stop::More)
}

/// The extensions from `at` on, and the end of the line.
///
/// ```text
/// chunk-ext      = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
/// chunk-ext-name = token
/// chunk-ext-val  = token / quoted-string
/// ```
fn chunk_extensions(input: &[u8], mut at: usize) -> Result<usize, Stop> {
    loop {
        let semicolon = scan::ows_end(input, at);
        if semicolon == at && input.get(at) == Some(&b'\r') {
            return line::end(input, at, Rule::ChunkExtension);
        }
        if input.get(semicolon) != Some(&b';') {
            return Err(line::fault(input, semicolon, Rule::ChunkExtension));
        }
        at = token(input, scan::ows_end(input, semicolon + 1))?;
        let equals = scan::ows_end(input, at);
        if input.get(equals) == Some(&b'=') {
            let value = scan::ows_end(input, equals + 1);
            at = if input.get(value) == Some(&b'"') { quoted_string(input, value)? } else { token(input, value)? };
        }
    }
}

fn token(input: &[u8], start: usize) -> Result<usize, Stop> {
    match scan::end_of(TCHAR, input, start) {
        end if end == start => Err(line::fault(input, start, Rule::ChunkExtension)),
        end => Ok(end),
    }
}

/// ```text
/// quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE
/// quoted-pair   = "\" ( HTAB / SP / VCHAR / obs-text )
/// ```
fn quoted_string(input: &[u8], start: usize) -> Result<usize, Stop> {
    let mut at = start + 1;
    loop {
        at = scan::end_of(QDTEXT, input, at);
        match input.get(at..) {
            Some([b'"', ..]) => return Ok(at + 1),
            Some([b'\\', escaped, ..]) if FIELD_VALUE.has(*escaped) => at += 2,
            Some([b'\\', ..]) => return Err(line::fault(input, at + 1, Rule::ChunkExtension)),
            _ => return Err(line::fault(input, at, Rule::ChunkExtension)),
        }
    }
}

#[cfg(test)]
mod tests;
