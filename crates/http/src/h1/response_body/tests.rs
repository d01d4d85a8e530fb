//! Every way of delimiting keeps its books.

use super::*;

#[test]
fn chunk_lines_are_hexadecimal_without_leading_zeros() {
    for (size, line) in [(1, "1"), (15, "f"), (16, "10"), (0x1234_abcd, "1234abcd"), (u64::MAX, "ffffffffffffffff")] {
        let mut out = Vec::new();
        let admitted = ResponseBody::new(Delimiting::Chunked, false).admit(size, &mut out);
        assert_eq!(admitted, Admitted { take: size, overrun: false });
        assert_eq!(out, alloc::format!("{line}\r\n").into_bytes());
    }
}

#[test]
fn an_empty_block_never_ends_chunked_content() {
    let mut out = Vec::new();
    let mut body = ResponseBody::new(Delimiting::Chunked, false);
    assert_eq!(body.admit(0, &mut out).take, 0);
    assert!(out.is_empty());
    assert_eq!(body.finish(), Ok(b"0\r\n\r\n".as_slice()));
}

#[test]
fn an_overrun_is_cut_and_told_once() {
    let mut out = Vec::new();
    let mut body = ResponseBody::new(Delimiting::Length(5), false);
    assert_eq!(body.admit(3, &mut out), Admitted { take: 3, overrun: false });
    assert_eq!(body.owed(), Some(2));
    assert_eq!(body.admit(3, &mut out), Admitted { take: 2, overrun: true });
    assert_eq!(body.admit(3, &mut out), Admitted { take: 0, overrun: false });
    assert_eq!(body.finish(), Ok(b"".as_slice()));
    assert!(out.is_empty() && !body.closes());
}

#[test]
fn a_shortfall_closes_the_connection() {
    let mut body = ResponseBody::new(Delimiting::Length(5), false);
    body.admit(3, &mut Vec::new());
    assert_eq!(body.finish(), Err(Fault { rule: Rule::ContentShort, at: 0 }));
    assert!(body.closes());
}

#[test]
fn a_response_without_content_takes_none() {
    let mut out = Vec::new();
    let mut body = ResponseBody::new(Delimiting::Bodyless, false);
    assert_eq!(body.admit(3, &mut out), Admitted { take: 0, overrun: false });
    assert_eq!((body.finish(), body.block_end()), (Ok(b"".as_slice()), b"".as_slice()));
}

#[test]
fn only_the_end_of_the_connection_ends_close_delimited_content() {
    let rows = [
        (Delimiting::Bodyless, false),
        (Delimiting::Chunked, false),
        (Delimiting::Length(0), false),
        (Delimiting::Close, true),
    ];
    for (delimiting, expected) in rows {
        assert_eq!(ResponseBody::new(delimiting, true).is_close_delimited(), expected, "{delimiting:?}");
    }
    let mut body = ResponseBody::new(Delimiting::Close, true);
    assert_eq!(body.admit(7, &mut Vec::new()), Admitted { take: 7, overrun: false });
    assert_eq!((body.finish(), body.block_end(), body.owed()), (Ok(b"".as_slice()), b"".as_slice(), None));
}
