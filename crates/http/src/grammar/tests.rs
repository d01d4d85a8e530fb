//! The classes hold exactly the bytes of their productions.

use super::*;

fn bytes_of(class: Class) -> alloc::vec::Vec<u8> {
    (0..=255).filter(|&byte| class.has(byte)).collect()
}

#[test]
fn tchar_is_vchar_without_delimiters() {
    let delimiters = b"\"(),/:;<=>?@[\\]{}";
    let expected: alloc::vec::Vec<u8> = (0x21..=0x7e).filter(|byte| !delimiters.contains(byte)).collect();
    assert_eq!(bytes_of(TCHAR), expected);
}

#[test]
fn a_target_has_what_browsers_send_raw_and_nothing_that_delimits() {
    for &byte in b"[]{}|^\\`%/?:@!$&'()*+,;=-._~aZ09" {
        assert!(TARGET.has(byte), "{:?}", byte as char);
    }
    for byte in (0..=0x20).chain(*b"\"#<>").chain(0x7f..=0xff) {
        assert!(!TARGET.has(byte), "{byte:#x}");
    }
}

#[test]
fn a_field_value_has_no_control_byte_but_htab() {
    for byte in 0..=255u8 {
        assert_eq!(FIELD_VALUE.has(byte), byte == b'\t' || !byte.is_ascii_control(), "{byte:#x}");
    }
}

#[test]
fn qdtext_leaves_out_quote_and_backslash() {
    for byte in 0..=255u8 {
        assert_eq!(QDTEXT.has(byte), FIELD_VALUE.has(byte) && byte != b'"' && byte != b'\\', "{byte:#x}");
    }
}

#[test]
fn a_decimal_is_digits_only_and_never_wraps() {
    let rows: [(&[u8], Result<u64, DecimalFault>); 9] = [
        (b"0", Ok(0)),
        (b"007", Ok(7)),
        (b"18446744073709551615", Ok(u64::MAX)),
        (b"18446744073709551616", Err(DecimalFault::Overflow)),
        (b"99999999999999999999999999", Err(DecimalFault::Overflow)),
        (b"", Err(DecimalFault::NotDigit(0))),
        (b"+5", Err(DecimalFault::NotDigit(0))),
        (b"5 ", Err(DecimalFault::NotDigit(1))),
        (b"1_0", Err(DecimalFault::NotDigit(1))),
    ];
    for (digits, expected) in rows {
        assert_eq!(decimal(digits), expected, "{}", digits.escape_ascii());
    }
}
