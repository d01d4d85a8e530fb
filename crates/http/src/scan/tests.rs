//! Eight bytes at a time find the same end as one byte at a time.

use super::*;
use crate::grammar::TCHAR;

#[test]
fn a_value_ends_at_the_same_byte_at_every_offset_of_every_byte() {
    for byte in 0..=255u8 {
        for length in 0..40 {
            for position in 0..length {
                let mut input = alloc::vec![b'a'; length];
                input[position] = byte;
                let expected = if FIELD_VALUE.has(byte) { length } else { position };
                assert_eq!(field_value_end(&input, 0), expected, "{byte:#x} at {position} of {length}");
            }
        }
    }
}

#[test]
fn a_value_ends_at_its_first_control_byte_whatever_surrounds_it() {
    let mut seed = 1u32;
    for _ in 0..20_000 {
        let mut input = [0; 24];
        for byte in &mut input {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let interesting = [0x00, 0x09, 0x1f, 0x20, 0x7e, 0x7f, 0x80, 0xff, b'a', b'b', b'c', 0xe9];
            *byte = interesting[(seed >> 16) as usize % interesting.len()];
        }
        assert_eq!(field_value_end(&input, 0), end_of(FIELD_VALUE, &input, 0), "{}", input.escape_ascii());
    }
}

#[test]
fn nothing_is_found_past_the_end() {
    assert_eq!(end_of(TCHAR, b"abc", 3), 3);
    assert_eq!(ows_end(b" \t a", 0), 3);
    assert_eq!(field_value_end(b"", 0), 0);
}
