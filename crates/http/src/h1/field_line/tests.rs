//! Name and value are found without the whitespace around the value, and each fault is named at its byte.

use super::*;
use Stop::{Broken, More};

fn parse_new(input: &[u8]) -> Result<FieldLineParts, Stop> {
    parse(input, &mut Scanned::default())
}

#[test]
fn name_and_value_are_found() {
    let rows: [(&[u8], &[u8], &[u8]); 9] = [
        (b"Host: a\r\n", b"Host", b"a"),
        (b"Host:a\r\nmore", b"Host", b"a"),
        (b"A: \t b c \t\r\n", b"A", b"b c"),
        (b"A:\r\n", b"A", b""),
        (b"A: \t \r\n", b"A", b""),
        (b"A: b\tc: d\r\n", b"A", b"b\tc: d"),
        (b"A: \xe9\x80\xff\r\n", b"A", b"\xe9\x80\xff"),
        (b"Cookie: a=b; c=\"d\"\r\n", b"Cookie", b"a=b; c=\"d\""),
        (b"x_y!: 1\r\n", b"x_y!", b"1"),
    ];
    for (input, name, value) in rows {
        let parts = parse_new(input).expect("a field line");
        assert_eq!(&input[..parts.name_end], name);
        assert_eq!(&input[parts.value_start..parts.value_end], value);
        assert!(input[..parts.len].ends_with(b"\r\n"));
        for end in 0..parts.len {
            assert_eq!(parse_new(&input[..end]), Err(More), "{}", input[..end].escape_ascii());
        }
    }
}

#[test]
fn faults_are_named_at_their_byte() {
    let rows: [(&[u8], Rule, usize); 19] = [
        (b": a\r\n", Rule::FieldNameEmpty, 0),
        (b"A b: c\r\n", Rule::SpaceInFieldName, 1),
        (b"A b\r\n", Rule::SpaceInFieldName, 1),
        (b"A  b: c\r\n", Rule::SpaceBeforeColon, 1),
        (b"A : c\r\n", Rule::SpaceBeforeColon, 1),
        (b"A\t : c\r\n", Rule::SpaceBeforeColon, 1),
        (b"A\r\n", Rule::FieldLineNoColon, 1),
        (b"A\n", Rule::BareLf, 1),
        (b"A\rB: c\r\n", Rule::BareCr, 1),
        (b"\rA: b\r\n", Rule::BareCr, 0),
        (b"\nA: b\r\n", Rule::BareLf, 0),
        (b"A\x00: b\r\n", Rule::FieldNameByte, 1),
        (b"A(: b\r\n", Rule::FieldNameByte, 1),
        (b"\xc3\xa9: b\r\n", Rule::FieldNameByte, 0),
        (b"A: b\x00c\r\n", Rule::FieldValueControl, 4),
        (b"A: b\x7f\r\n", Rule::FieldValueControl, 4),
        (b"A: \x0bchunked\r\n", Rule::FieldValueControl, 3),
        (b"A: b\nC: d\r\n", Rule::BareLf, 4),
        (b"A: b\rC: d\r\n", Rule::BareCr, 4),
    ];
    for (input, rule, at) in rows {
        assert_eq!(parse_new(input), Err(Broken(rule, at)), "{}", input.escape_ascii());
    }
}
