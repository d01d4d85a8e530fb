//! Content comes out of its framing at any split, and nothing behind the message is touched.

use super::*;
use alloc::vec::Vec;

/// Feeds `input` in pieces of `piece` bytes; the content, and how many bytes the message took, or the rejection and where in the
/// input it points.
fn read(framing: Framing, input: &[u8], piece: usize, limits: &Limits) -> Result<(Vec<u8>, usize), (Rule, usize)> {
    let mut reader = BodyReader::new(framing);
    let (mut content, mut start, mut end) = (Vec::new(), 0, 0);
    loop {
        let buffer = &input[start..end];
        match reader.step(buffer, limits) {
            Ok(Step::Content { skip, len }) => {
                content.extend_from_slice(&buffer[skip..skip + len]);
                start += skip + len;
            }
            Ok(Step::Complete { skip }) => return Ok((content, start + skip)),
            Ok(Step::Partial { skip }) => {
                start += skip;
                assert!(end < input.len(), "cut off");
                end = (end + piece).min(input.len());
            }
            Err(rejection) => return Err((rejection.rule, start + reader.element_start() + rejection.at as usize)),
        }
    }
}

#[test]
fn content_is_read_at_any_split() {
    let rows: [(Framing, &[u8], &[u8]); 7] = [
        (Framing::None, b"GET", b""),
        (Framing::Length(0), b"GET", b""),
        (Framing::Length(5), b"helloGET", b"hello"),
        (Framing::Chunked, b"0\r\n\r\nGET", b""),
        (Framing::Chunked, b"5\r\nhello\r\n1;a=b\r\n!\r\n00\r\n\r\nGET", b"hello!"),
        (Framing::Chunked, b"2\r\n\r\n\r\n0\r\n\r\nGET", b"\r\n"),
        (Framing::Chunked, b"1\r\na\r\n0\r\nA: b\r\nContent-Length: 9\r\n\r\nGET", b"a"),
    ];
    for (framing, input, content) in rows {
        let taken = input.len() - b"GET".len();
        for piece in 1..=input.len() {
            let outcome = read(framing, input, piece, &Limits::default());
            assert_eq!(outcome, Ok((content.to_vec(), taken)), "{} by {piece}", input.escape_ascii());
        }
    }
}

#[test]
fn faults_are_named_at_their_byte_at_any_split() {
    let limits = Limits { content: 8, chunk_line: 8, trailer_section: 16, field_line: 12, ..Limits::default() };
    let rows: [(&[u8], Rule, usize); 13] = [
        (b"zz\r\n", Rule::ChunkSizeDigits, 0),
        (b"1\r\naX\n0\r\n\r\n", Rule::ChunkDataEnd, 4),
        (b"1\r\na\rX0\r\n\r\n", Rule::ChunkDataEnd, 5),
        (b"1\r\na\n0\r\n\r\n", Rule::ChunkDataEnd, 4),
        (b"9\r\n123456789\r\n", Rule::ContentTooLarge, 0),
        (b"7\r\n1234567\r\n2\r\n", Rule::ContentTooLarge, 12),
        (b"1;a=bcde\r\na\r\n1;a=bcdef\r\n", Rule::ChunkLineTooLong, 21),
        (b"0\r\nA : b\r\n\r\n", Rule::SpaceBeforeColon, 4),
        (b"0\r\nA: b\r\n c\r\n\r\n", Rule::LineFolding, 9),
        (b"0\r\n A: b\r\n\r\n", Rule::LineFolding, 3),
        (b"0\r\nA: b\nB: c\r\n\r\n", Rule::BareLf, 7),
        (b"0\r\nA: b\r\nB: cdefgh\r\n\r\n", Rule::TrailerSectionTooLarge, 19),
        (b"0\r\nA: bcdefghijkl\r\n\r\n", Rule::FieldLineTooLong, 15),
    ];
    for (input, rule, at) in rows {
        for piece in 1..=input.len() {
            let outcome = read(Framing::Chunked, input, piece, &limits);
            assert_eq!(outcome, Err((rule, at)), "{} by {piece}", input.escape_ascii());
        }
    }
}

#[test]
fn the_reader_says_what_is_left() {
    let limits = Limits::default();
    let mut reader = BodyReader::new(Framing::Length(3));
    assert_eq!((reader.remaining(), reader.is_complete()), (Some(3), false));
    assert_eq!(reader.step(b"ab", &limits), Ok(Step::Content { skip: 0, len: 2 }));
    assert_eq!(reader.remaining(), Some(1));
    assert_eq!(reader.step(b"", &limits), Ok(Step::Partial { skip: 0 }));
    assert_eq!(reader.step(b"cd", &limits), Ok(Step::Content { skip: 0, len: 1 }));
    assert_eq!((reader.remaining(), reader.is_complete()), (Some(0), true));
    assert_eq!(reader.step(b"d", &limits), Ok(Step::Complete { skip: 0 }));
    assert_eq!(BodyReader::new(Framing::Chunked).remaining(), None);
}

#[test]
fn content_received_past_the_reader_is_counted_within_its_length() {
    let limits = Limits::default();
    let mut reader = BodyReader::new(Framing::Length(5));
    reader.skip_content(2);
    assert_eq!((reader.remaining(), reader.is_complete()), (Some(3), false));
    assert_eq!(reader.step(b"abGET", &limits), Ok(Step::Content { skip: 0, len: 3 }));
    let mut reader = BodyReader::new(Framing::Length(5));
    reader.skip_content(0);
    reader.skip_content(5);
    assert_eq!((reader.remaining(), reader.is_complete()), (Some(0), true));
    let mut reader = BodyReader::new(Framing::Length(5));
    reader.skip_content(6);
    assert_eq!(reader.step(b"GET", &limits), Ok(Step::Complete { skip: 0 }), "more than there is ends it");
    for framing in [Framing::None, Framing::Length(0), Framing::Chunked] {
        let mut reader = BodyReader::new(framing);
        reader.skip_content(3);
        assert_eq!(
            reader.remaining(),
            BodyReader::new(framing).remaining(),
            "{framing:?} has no length to count against"
        );
    }
}
