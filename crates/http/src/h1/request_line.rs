//! The request-line, RFC 9112 section 3, and what arrives in its place: empty lines, HTTP/0.9, TLS.
//!
//! ```text
//! request-line = method SP request-target SP HTTP-version
//! ```

use super::line::{self, Scanned, Stop};
use crate::grammar::TCHAR;
use crate::scan::{self, window};
use crate::{Method, Rule, Span, Version};

/// Where the parts of a request-line are, as offsets into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestLine {
    pub(super) method: Span,
    pub(super) target: Span,
    pub(super) version: Version,
    /// Bytes of the line with its CRLF.
    pub(super) len: usize,
}

/// The usual request-line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UsualLine {
    pub(super) method: Method,
    /// Bytes of the method.
    pub(super) method_len: usize,
    /// Where the target in origin-form ends.
    pub(super) target_end: usize,
    /// Where its first `?` is; its end if it has none.
    pub(super) path_end: usize,
    /// Bytes of the line with its CRLF.
    pub(super) len: usize,
}

/// Compared as one number.
const GET: u32 = u32::from_le_bytes(*b"GET ");
const POST: u32 = u32::from_le_bytes(*b"POST");

/// Parses the line that `input` starts with, if it is GET or POST with a target in origin-form and HTTP/1.1, and all there: the fast
/// way through nearly every request-line. [`parse`] deals with the others.
#[inline]
pub(super) fn parse_usual(input: &[u8]) -> Option<UsualLine> {
    let (method, method_len) = match input.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))? {
        GET => (Method::Get, 3),
        POST if input.get(4) == Some(&b' ') => (Method::Post, 4),
        _ => return None,
    };
    if input.get(method_len + 1) != Some(&b'/') {
        return None;
    }
    let target_start = method_len + 1;
    let window = input.get(target_start..)?.first_chunk()?;
    let (outside, queries) = (window::outside_target(window), window::equal(window, b'?'));
    let (target_end, path_end) = if outside == 0 {
        let end = scan::target_end(input, target_start + 32);
        let path_len = scan::find(b'?', input.get(target_start..end)?);
        (end, path_len.map_or(end, |len| target_start + len))
    } else {
        let len = outside.trailing_zeros();
        (target_start + len as usize, target_start + queries.trailing_zeros().min(len) as usize)
    };
    // Two comparisons instead of eleven.
    let behind = input.get(target_end..)?.first_chunk::<11>()?;
    let is_usual = behind.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
        == Some(u64::from_le_bytes(*b" HTTP/1."))
        && behind.last_chunk().map(|bytes| u32::from_le_bytes(*bytes)) == Some(u32::from_le_bytes(*b".1\r\n"));
    is_usual.then_some(UsualLine { method, method_len, target_end, path_end, len: target_end + 11 })
}

/// Parses the line that `input` starts with.
#[inline]
pub(super) fn parse(input: &[u8], scanned: &mut Scanned) -> Result<RequestLine, Stop> {
    let method_end = match scanned.token_end {
        0 => scan::end_of(TCHAR, input, scanned.clean),
        known => known,
    };
    if method_end == 0 || input.get(method_end) != Some(&b' ') {
        scanned.clean = method_end;
        return Err(method_fault(input, method_end));
    }
    let target_start = method_end + 1;
    let target_end = match scanned.target_end {
        0 => scan::target_end(input, scanned.clean.max(target_start)),
        known => known,
    };
    if target_end == target_start || input.get(target_end) != Some(&b' ') {
        *scanned = Scanned { token_end: method_end, target_end: 0, clean: target_end };
        return Err(target_fault(input, target_start, target_end));
    }
    let (version, len) = match version(input, target_end + 1, scanned.clean) {
        Ok(found) => found,
        Err(stop) => {
            *scanned = Scanned { token_end: method_end, target_end, clean: input.len() };
            return Err(stop);
        }
    };
    Ok(RequestLine {
        method: Span { start: 0, len: method_end as u32 },
        target: Span { start: target_start as u32, len: (target_end - target_start) as u32 },
        version,
        len,
    })
}

// method = token
#[cold]
fn method_fault(input: &[u8], at: usize) -> Stop {
    match input {
        // A TLS record: content type handshake (0x16), then the major version 3.
        [0x16] => Stop::More,
        [0x16, 0x03, ..] => Stop::Broken(Rule::TlsHello, 0),
        _ if input.get(at) == Some(&b'\r') => line::fault(input, at, Rule::RequestLineShort),
        _ => line::fault(input, at, Rule::MethodNotToken),
    }
}

#[cold]
fn target_fault(input: &[u8], start: usize, at: usize) -> Stop {
    let rule = match input.get(at) {
        Some(b'\r') if at == start => Rule::RequestLineShort,
        Some(b'\r') => Rule::Http09,
        Some(b' ') => Rule::RequestLineSpace,
        _ => Rule::TargetByte,
    };
    line::fault(input, at, rule)
}

// HTTP-version = HTTP-name "/" DIGIT "." DIGIT
// HTTP-name    = %s"HTTP"
#[inline]
fn version(input: &[u8], start: usize, clean: usize) -> Result<(Version, usize), Stop> {
    match input.get(start..).and_then(|rest| rest.first_chunk::<10>()) {
        Some(b"HTTP/1.1\r\n") => Ok((Version::Http11, start + 10)),
        _ => other_version(input, start, clean),
    }
}

fn other_version(input: &[u8], start: usize, clean: usize) -> Result<(Version, usize), Stop> {
    for (index, expected) in b"HTTP/0.0".iter().enumerate() {
        let at = start + index;
        let Some(byte) = input.get(at) else {
            return Err(Stop::More);
        };
        let fits = if *expected == b'0' { byte.is_ascii_digit() } else { byte == expected };
        if !fits {
            return Err(version_fault(input, start, at, clean));
        }
    }
    let version_end = start + 8;
    let len = match input.get(version_end) {
        None | Some(b'\r' | b'\n') => line::end(input, version_end, Rule::VersionMalformed)?,
        Some(b' ') => return Err(Stop::Broken(Rule::RequestLineSpace, version_end)),
        Some(_) => return Err(version_fault(input, start, version_end, clean)),
    };
    match (input[start + 5], input[start + 7]) {
        (b'1', b'0') => Ok((Version::Http10, len)),
        // RFC 9110 section 6.2: a higher minor version is processed as the highest one we conform to.
        (b'1', _) => Ok((Version::Http11, len)),
        _ => Err(Stop::Broken(Rule::VersionUnsupported, start + 5)),
    }
}

/// Most malformed versions are no versions: a target with a space in it. That shows by another space in the rest of the line,
/// which is looked for from `clean` on.
#[cold]
fn version_fault(input: &[u8], start: usize, at: usize, clean: usize) -> Stop {
    let is_telling = |byte: &u8| matches!(byte, b' ' | b'\r' | b'\n');
    // A CR at the very end of what was scanned told nothing yet.
    let from = clean.saturating_sub(1).max(at);
    match input[from..].iter().position(is_telling) {
        None => Stop::More,
        Some(offset) if input[from + offset] == b' ' => Stop::Broken(Rule::RequestLineSpace, start - 1),
        Some(offset) => match line::fault(input, from + offset, Rule::VersionMalformed) {
            Stop::Broken(Rule::VersionMalformed, _) => Stop::Broken(Rule::VersionMalformed, at),
            stop => stop,
        },
    }
}

#[cfg(test)]
mod tests;
