//! One field line, RFC 9112 section 5; the same in the head and in a trailer section. The empty line that ends a section and
//! lines that begin with whitespace are the section's business.
//!
//! ```text
//! field-line = field-name ":" OWS field-value OWS
//! ```

use super::line::{self, Scanned, Stop};
use crate::grammar::{TCHAR, is_ows};
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

/// Parses the line that `input` starts with.
#[inline(always)]
pub(super) fn parse(input: &[u8], scanned: &mut Scanned) -> Result<FieldLineParts, Stop> {
    let (name_end, known) = match known_name(input, scanned) {
        Some(found) => found,
        None => {
            let name_end = name(input, scanned)?;
            (name_end, FieldName::of(&input[..name_end]))
        }
    };
    // The bytes of OWS are bytes of a value, too: found with it, and trimmed once the line is complete.
    let line_end = scan::field_value_end(input, scanned.clean.max(name_end + 1));
    let len = match line::end(input, line_end, Rule::FieldValueControl) {
        Ok(len) => len,
        Err(stop) => {
            *scanned = Scanned { token_end: name_end, clean: line_end, ..Scanned::default() };
            return Err(stop);
        }
    };
    let (mut value_start, mut value_end) = (name_end + 1, line_end);
    while value_start < value_end && is_ows(input[value_start]) {
        value_start += 1;
    }
    while value_end > value_start && is_ows(input[value_end - 1]) {
        value_end -= 1;
    }
    Ok(FieldLineParts { known, name_end, value_start, value_end, len })
}

/// The end of the name that the line begins with, if it is a known one. Those are tokens: their bytes need no further look.
#[inline(always)]
fn known_name(input: &[u8], scanned: &Scanned) -> Option<(usize, FieldName)> {
    let name_end = match scanned.token_end {
        0 if scanned.clean == 0 => scan::find_near(b':', input)?,
        known => known,
    };
    match FieldName::of(input.get(..name_end)?) {
        FieldName::Other => None,
        known => Some((name_end, known)),
    }
}

/// The end of the name that the line begins with.
fn name(input: &[u8], scanned: &mut Scanned) -> Result<usize, Stop> {
    let name_end = match scanned.token_end {
        0 => scan::end_of(TCHAR, input, scanned.clean),
        known => known,
    };
    if name_end == 0 || input.get(name_end) != Some(&b':') {
        scanned.clean = name_end;
        return Err(name_fault(input, name_end));
    }
    Ok(name_end)
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
