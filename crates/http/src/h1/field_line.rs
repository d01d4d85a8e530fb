//! One field line, RFC 9112 section 5; the same in the head and in a trailer section. The empty line that ends a section and
//! lines that begin with whitespace are the section's business.
//!
//! ```text
//! field-line = field-name ":" OWS field-value OWS
//! ```

use super::line::{self, Scanned, Stop};
use crate::grammar::TCHAR;
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

/// Parses the line that `line` starts with, if it is all there and all right, and `line` has 32 bytes. Nearly every line is and has, and
/// this is the fast way through it.
#[inline(always)]
pub(super) fn parse_whole(line: &[u8]) -> Option<FieldLineParts> {
    let window = line.first_chunk()?;
    // One look shows where nearly every name ends, and where most lines do. The one does not wait for the other: a control byte in
    // front of the colon is no token's.
    let colons = window::equal(window, b':');
    let name_end = colons.trailing_zeros() as usize;
    let line_end = match window::controls(window) {
        0 => long_value_end(line, 32),
        controls => controls.trailing_zeros() as usize, // perhaps HTAB, which is rare
    };
    if colons == 0 || !is_ended(line, line_end) {
        return None;
    }
    let known = FieldName::of_window(window, name_end);
    finished(line, name_end, line_end, known)
}

/// As [`parse_whole`], of a line that starts in the last 32 bytes.
#[inline(always)]
pub(super) fn parse_last(input: &[u8], start: usize) -> Option<FieldLineParts> {
    let line = input.get(start..)?;
    if line.first() == Some(&b'\r') {
        return None; // the section ends
    }
    let (window, passed) = scan::window_at(input, start)?;
    let (colons, controls) = (window::equal(window, b':') >> passed, window::controls(window) >> passed);
    let (name_end, line_end) = (colons.trailing_zeros() as usize, controls.trailing_zeros() as usize);
    if colons == 0 || !is_ended(line, line_end) {
        return None;
    }
    let known = FieldName::of(line.get(..name_end)?);
    finished(line, name_end, line_end, known)
}

/// Whether CRLF is there.
#[inline(always)]
fn is_ended(line: &[u8], line_end: usize) -> bool {
    line_end + 2 <= line.len() && line[line_end..line_end + 2] == *b"\r\n"
}

/// The parts of a line, if its name is one. Known names are tokens: their bytes need no further look.
#[inline(always)]
fn finished(line: &[u8], name_end: usize, line_end: usize, known: FieldName) -> Option<FieldLineParts> {
    if known == FieldName::Other && !is_token(line, name_end) {
        return None;
    }
    // Nearly every sender puts one space in front of the value, and none behind it.
    let value_start = name_end + 2;
    let is_usual = value_start < line_end
        && line_end <= line.len()
        && line[name_end + 1] == b' '
        && !is_blank(line[value_start])
        && !is_blank(line[line_end - 1]);
    if is_usual {
        return Some(FieldLineParts { known, name_end, value_start, value_end: line_end, len: line_end + 2 });
    }
    (name_end < line_end).then(|| parts(line, name_end, line_end, known))
}

/// Not inlined, so that what the short lines are looked at with stays in registers.
#[inline(never)]
fn long_value_end(line: &[u8], from: usize) -> usize {
    scan::field_value_end(line, from)
}

#[inline(never)]
fn is_token(input: &[u8], end: usize) -> bool {
    end > 0 && input.get(..end).is_some_and(|name| TCHAR.has_all(name))
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
#[inline]
fn parts(line: &[u8], name_end: usize, line_end: usize, known: FieldName) -> FieldLineParts {
    let (value_start, value_end) = trimmed(line, name_end + 1, line_end);
    FieldLineParts { known, name_end, value_start, value_end, len: line_end + 2 }
}

/// Where a value is without the blanks around it.
fn trimmed(line: &[u8], start: usize, end: usize) -> (usize, usize) {
    let value = line.get(start..end).unwrap_or(&[]);
    let leading = value.iter().take_while(|&&byte| is_blank(byte)).count();
    let trailing = value[leading..].iter().rev().take_while(|&&byte| is_blank(byte)).count();
    (start + leading, end - trailing)
}

/// Whether it is SP or HTAB, of the bytes that a value may have.
#[inline(always)]
const fn is_blank(byte: u8) -> bool {
    byte <= b' '
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
