//! Finds where a production ends. Every function looks at each byte once, from `from` on, and answers with the offset of the
//! first byte that does not belong (the length of the input if all do).

use crate::grammar::{Class, FIELD_VALUE, is_ows};

/// The end of the run of bytes of one class.
#[inline(always)]
pub(crate) fn end_of(class: Class, input: &[u8], from: usize) -> usize {
    let rest = input.get(from..).unwrap_or(&[]);
    from + rest.iter().position(|&byte| !class.has(byte)).unwrap_or(rest.len())
}

/// The offset of the first such byte among the first 32.
#[inline(always)]
pub(crate) fn find_near(wanted: u8, input: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    for (index, bytes) in input.as_chunks::<8>().0.iter().take(4).enumerate() {
        let differing = u64::from_le_bytes(*bytes) ^ (ONES * wanted as u64);
        let found = differing.wrapping_sub(ONES) & !differing & (ONES * 0x80);
        if found != 0 {
            return Some(index * 8 + (found.trailing_zeros() / 8) as usize);
        }
    }
    None
}

/// The end of OWS (also BWS).
#[inline(always)]
pub(crate) fn ows_end(input: &[u8], from: usize) -> usize {
    let rest = input.get(from..).unwrap_or(&[]);
    from + rest.iter().position(|&byte| !is_ows(byte)).unwrap_or(rest.len())
}

/// The end of *( field-vchar / SP / HTAB ): the longest run in a head, so eight bytes at a time.
#[inline(always)]
pub(crate) fn field_value_end(input: &[u8], from: usize) -> usize {
    let mut at = from;
    // Most values are longer than a word; of those, whole blocks are looked at with the widest registers there are.
    while let Some(block) = input.get(at..).and_then(|rest| rest.first_chunk::<32>()) {
        let has_control = block.iter().fold(false, |found, &byte| found | (byte < 0x20) | (byte == 0x7f));
        if has_control {
            break;
        }
        at += 32;
    }
    while let Some(&chunk) = input.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let stops = control_bytes(u64::from_le_bytes(chunk));
        if stops == 0 {
            at += 8;
            continue;
        }
        at += (stops.trailing_zeros() / 8) as usize;
        if !FIELD_VALUE.has(input[at]) {
            return at;
        }
        at += 1; // HTAB, the one control byte that a value may have
    }
    end_of(FIELD_VALUE, input, at)
}

/// The high bit of every byte below 0x20 or equal to 0x7f. Bytes above the lowest such byte may be marked without being one,
/// on account of borrows, so only the lowest mark counts; without any such byte there is no mark.
#[inline(always)]
const fn control_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let below_space = word.wrapping_sub(ONES * 0x20) & !word;
    let without_del = word ^ (ONES * 0x7f);
    let del = without_del.wrapping_sub(ONES) & !without_del;
    (below_space | del) & HIGH
}

#[cfg(test)]
mod tests;
