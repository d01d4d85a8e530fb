//! Elements come with their place, empty ones included.

use super::*;
use alloc::vec::Vec;

#[test]
fn elements_are_trimmed_and_placed() {
    let rows: [(&[u8], &[(usize, &[u8])]); 5] = [
        (b"", &[(0, b"")]),
        (b"close", &[(0, b"close")]),
        (b"a, \tb ,c", &[(0, b"a"), (4, b"b"), (7, b"c")]),
        (b",a,", &[(0, b""), (1, b"a"), (3, b"")]),
        (b"a ,  ,b", &[(0, b"a"), (5, b""), (6, b"b")]),
    ];
    for (value, expected) in rows {
        let found: Vec<(usize, &[u8])> = elements(value).map(|element| (element.at, element.bytes)).collect();
        assert_eq!(found, expected, "{}", value.escape_ascii());
    }
}
