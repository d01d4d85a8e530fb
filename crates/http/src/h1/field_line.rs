//! One field line, RFC 9112 section 5; the same in the head and in a trailer section. The empty line that ends a section and
//! lines that begin with whitespace are the section's business.
//!
//! ```text
//! field-line = field-name ":" OWS field-value OWS
//! ```

use super::line::{self, Scanned, Stop};
use crate::grammar::{TCHAR, is_ows};
use crate::scan::window;
use crate::{FieldName, Rule, scan};

/// Where the parts of a field line are, as offsets into it. The name starts the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FieldLineParts {
    pub(super) known: FieldName,
    pub(super) name_end: usize,
    pub(super) value_start: usize,
    pub(super) value_end: usize,
    /// Bytes of the line with its CRLF.
    pub(super) len: usize,
}

/// Parses the line that starts there, if it is all there and all right. Nearly every line is, and this is the fast way through it;
/// [`parse`] says what is wrong with, or missing of, the others.
#[inline(always)]
pub(super) fn parse_whole(input: &[u8], start: usize) -> Option<FieldLineParts> {
    let line = input.get(start..)?;
    // One look at the first 32 bytes shows where nearly every name ends, and where most lines do.
    let colons = scan::marks(input, start, |window| window::equal(window, b':'))?;
    let controls = scan::marks(input, start, window::controls)?;
    let name_end = colons.trailing_zeros();
    let behind_name = controls & u32::MAX.checked_shl(name_end)?;
    let name_end = name_end as usize;
    let known = FieldName::of_line(line, name_end);
    // Known names are tokens: their bytes need no further look.
    if known == FieldName::Other && (name_end == 0 || !scan::is_all(TCHAR, line.get(..name_end)?)) {
        return None;
    }
    let mut line_end = match behind_name {
        0 => scan::field_value_end(line, 32),
        _ => behind_name.trailing_zeros() as usize,
    };
    if line.get(line_end) == Some(&b'\t') {
        line_end = scan::field_value_end(line, line_end);
    }
    let is_ended = matches!(line.get(line_end..), Some([b'\r', b'\n', ..]));
    is_ended.then(|| parts(line, name_end, line_end, known))
}

/// Parses the line that `input` starts with.
#[inline]
pub(super) fn parse(input: &[u8], scanned: &mut Scanned) -> Result<FieldLineParts, Stop> {
    let name_end = match scanned.token_end {
        0 => scan::end_of(TCHAR, input, scanned.clean),
        known => known,
    };
    if name_end == 0 || input.get(name_end) != Some(&b':') {
        scanned.clean = name_end;
        return Err(name_fault(input, name_end));
    }
    let line_end = scan::field_value_end(input, scanned.clean.max(name_end + 1));
    match line::end(input, line_end, Rule::FieldValueControl) {
        Ok(_) => Ok(parts(input, name_end, line_end, FieldName::of(&input[..name_end]))),
        Err(stop) => {
            *scanned = Scanned { token_end: name_end, clean: line_end, ..Scanned::default() };
            Err(stop)
        }
    }
}

/// The parts of a line whose name ends at one and whose CRLF begins at another offset. The bytes of OWS are bytes of a value, too:
/// found with it, and trimmed here.
#[inline(always)]
fn parts(input: &[u8], name_end: usize, line_end: usize, known: FieldName) -> FieldLineParts {
    let (mut value_start, mut value_end) = (name_end + 1, line_end);
    while value_start < value_end && is_ows(input[value_start]) {
        value_start += 1;
    }
    while value_end > value_start && is_ows(input[value_end - 1]) {
        value_end -= 1;
    }
    FieldLineParts { known, name_end, value_start, value_end, len: line_end + 2 }
}

// field-name = token
#[cold]
fn name_fault(input: &[u8], at: usize) -> Stop {
    match input.get(at) {
        Some(b':') => Stop::Broken(Rule::FieldNameEmpty, at),
        Some(b'\r') => line::fault(input, at, Rule::FieldLineNoColon),
        Some(b' ' | b'\t') => match input.get(at + 1) {
            None => Stop::More,
            Some(b':' | b' ' | b'\t') => Stop::Broken(Rule::SpaceBeforeColon, at),
            Some(_) => Stop::Broken(Rule::SpaceInFieldName, at),
        },
        _ => line::fault(input, at, Rule::FieldNameByte),
    }
}

#[cfg(test)]
mod tests;
