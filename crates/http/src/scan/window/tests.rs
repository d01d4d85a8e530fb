//! What is marked are the bytes of the grammar's classes, wherever they stand and whatever stands beside them.

use super::{Window, portable};
use crate::grammar::{FIELD_VALUE, TARGET};

/// Every byte at every place, among neighbours that are marked or not.
fn each_window(check: impl Fn(&Window, usize, u8)) {
    for neighbour in [b'a', 0x00, 0x1f, b' ', 0x7f, 0x80, 0xff] {
        for at in 0..32 {
            for byte in 0..=255 {
                let mut window = [neighbour; 32];
                window[at] = byte;
                check(&window, at, byte);
            }
        }
    }
}

fn has(bits: u32, at: usize) -> bool {
    bits >> at & 1 == 1
}

#[test]
fn controls_are_what_no_field_value_has_and_the_tab() {
    each_window(|window, at, byte| {
        let bits = super::controls(window);
        assert_eq!(has(bits, at), !FIELD_VALUE.has(byte) || byte == b'\t', "{byte:#x} at {at}");
        assert_eq!(bits, portable::controls(window));
    });
}

#[test]
fn the_bytes_outside_a_target_are_those_of_the_class() {
    each_window(|window, at, byte| {
        let bits = super::outside_target(window);
        assert_eq!(has(bits, at), !TARGET.has(byte), "{byte:#x} at {at}");
        assert_eq!(bits, portable::outside_target(window));
    });
}

#[test]
fn equal_bytes_are_found_one_by_one() {
    each_window(|window, at, byte| {
        assert!(has(super::equal(window, byte), at));
        for wanted in [b':', b'?', 0x00, 0xff] {
            assert_eq!(super::equal(window, wanted), portable::equal(window, wanted));
        }
    });
}

#[test]
fn bytes_are_the_same_but_for_the_ignored_bits() {
    let (known, ignored) = ([b'a'; 32], [0x20; 32]);
    each_window(|window, at, byte| {
        let bits = super::same(window, &known, &ignored);
        assert_eq!(has(bits, at), byte | 0x20 == b'a', "{byte:#x} at {at}");
        assert_eq!(bits, portable::same(window, &known, &ignored));
        assert_eq!(super::same_in_half(window, &known, &ignored), bits & 0xffff);
        assert_eq!(portable::same_in_half(window, &known, &ignored), bits & 0xffff);
    });
}
