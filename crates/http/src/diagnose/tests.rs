//! A rejection is placed by line and byte, also at the edges.

use super::*;

#[test]
fn a_rejection_is_placed_in_its_line() {
    let bytes = b"GET / HTTP/1.1\r\nHost: a\r\nContent Length: 5\r\n\r\n";
    let rows: [(u32, u32, &[u8], u32, Option<u8>); 5] = [
        (0, 1, b"GET / HTTP/1.1\r\n", 1, Some(b'G')),
        (15, 1, b"GET / HTTP/1.1\r\n", 16, Some(b'\n')),
        (32, 3, b"Content Length: 5\r\n", 8, Some(b' ')),
        (44, 4, b"\r\n", 1, Some(b'\r')),
        (46, 5, b"", 1, None),
    ];
    for (at, line, text, column, byte) in rows {
        let found = diagnose(bytes, Rejection { rule: Rule::SpaceInFieldName, at });
        assert_eq!((found.line, found.column, found.byte), (line, column, byte), "at {at}");
        assert_eq!(found.line_span.of(bytes), text);
    }
}

#[test]
fn an_offset_past_the_end_points_at_the_end() {
    let found = diagnose(b"GET", Rejection { rule: Rule::HeadTooLarge, at: 9 });
    assert_eq!((found.line, found.column, found.byte), (1, 4, None));
    let found = diagnose(b"", Rejection { rule: Rule::HeadTooLarge, at: 0 });
    assert_eq!((found.line, found.column, found.byte), (1, 1, None));
}
