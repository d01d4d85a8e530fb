//! Finds where a production ends. Every function looks at each byte once, from `from` on, and answers with the offset of the
//! first byte that does not belong (the length of the input if all do).

use crate::grammar::{Class, FIELD_VALUE, TARGET, is_ows};
use window::Window;

pub(crate) mod window;

/// The end of the run of bytes of one class.
#[inline(always)]
pub(crate) fn end_of(class: Class, input: &[u8], from: usize) -> usize {
    let rest = input.get(from..).unwrap_or(&[]);
    from + rest.iter().position(|&byte| !class.has(byte)).unwrap_or(rest.len())
}

/// The 32 bytes from `at` on; where there are fewer, the last 32, and how many of them stand in front of `at`. None if there are not
/// even 32 bytes in all, or none from `at` on.
#[inline(always)]
pub(crate) fn window_at(input: &[u8], at: usize) -> Option<(&Window, u32)> {
    let rest = input.get(at..)?;
    match rest.first_chunk() {
        Some(window) => Some((window, 0)),
        None if rest.is_empty() => None,
        None => input.last_chunk().map(|window| (window, (32 - rest.len()) as u32)),
    }
}

/// The end of a run of bytes of one class, where `look` marks those that are not of it, and perhaps some that are.
#[inline(always)]
fn run_end(class: Class, input: &[u8], from: usize, look: impl Fn(&Window) -> u32) -> usize {
    let mut at = from;
    while let Some(window) = input.get(at..).and_then(|rest| rest.first_chunk()) {
        match look(window) {
            0 => at += 32,
            marks => {
                at += marks.trailing_zeros() as usize;
                if !class.has(input[at]) {
                    return at;
                }
                at += 1;
            }
        }
    }
    match window_at(input, at).map(|(window, passed)| look(window) >> passed) {
        Some(0) => input.len(),
        Some(marks) => end_of(class, input, at + marks.trailing_zeros() as usize),
        None if class.has_all(input.get(at..).unwrap_or(&[])) => input.len().max(at),
        None => end_of(class, input, at),
    }
}

/// The offset of the first such byte.
#[inline(always)]
pub(crate) fn find(wanted: u8, input: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some((window, passed)) = window_at(input, at) {
        let marks = window::equal(window, wanted) >> passed;
        if marks != 0 {
            return Some(at + marks.trailing_zeros() as usize);
        }
        at += 32 - passed as usize;
    }
    input.get(at..)?.iter().position(|&byte| byte == wanted).map(|offset| at + offset)
}

/// The end of a request-target.
#[inline(always)]
pub(crate) fn target_end(input: &[u8], from: usize) -> usize {
    run_end(TARGET, input, from, window::outside_target)
}

/// The end of OWS (also BWS).
#[inline(always)]
pub(crate) fn ows_end(input: &[u8], from: usize) -> usize {
    let rest = input.get(from..).unwrap_or(&[]);
    from + rest.iter().position(|&byte| !is_ows(byte)).unwrap_or(rest.len())
}

/// The end of *( field-vchar / SP / HTAB ): the longest run in a head. HTAB is the one control byte that a value may have.
#[inline(always)]
pub(crate) fn field_value_end(input: &[u8], from: usize) -> usize {
    run_end(FIELD_VALUE, input, from, window::controls)
}

#[cfg(test)]
mod tests;
