//! Chunk lines by their grammar, to the byte.

use super::*;
use Stop::{Broken, More};

#[test]
fn sizes_are_read_and_extensions_ignored() {
    let rows: [(&[u8], u64); 13] = [
        (b"0\r\n", 0),
        (b"000\r\n", 0),
        (b"5\r\n", 5),
        (b"aF\r\n", 0xaf),
        (b"00000000000000000000000000000005\r\n", 5),
        (b"ffffffffffffffff\r\n", u64::MAX),
        (b"5;a\r\n", 5),
        (b"5;a=b\r\n", 5),
        (b"5 ; a = b ; c\r\n", 5),
        (b"5\t;\ta\t=\t\"\"\r\n", 5),
        (b"5;a=\"b;\\\" c\";d\r\n", 5),
        (b"5;a=\"\xe9\"\r\n", 5),
        (b"5;a;b;c=d\r\n", 5),
    ];
    for (input, size) in rows {
        let line = parse_line(input, u64::MAX).unwrap_or_else(|stop| panic!("{} {stop:?}", input.escape_ascii()));
        assert_eq!(line, ChunkLine { size, len: input.len() }, "{}", input.escape_ascii());
        for end in 0..input.len() {
            assert_eq!(parse_line(&input[..end], u64::MAX), Err(More), "{}", input[..end].escape_ascii());
        }
    }
}

#[test]
fn faults_are_named_at_their_byte() {
    let rows: [(&[u8], Rule, usize); 29] = [
        (b"\r\n", Rule::ChunkSizeDigits, 0),
        (b";a\r\n", Rule::ChunkSizeDigits, 0),
        (b" 5\r\n", Rule::ChunkSizeDigits, 0),
        (b"+5\r\n", Rule::ChunkSizeDigits, 0),
        (b"-5\r\n", Rule::ChunkSizeDigits, 0),
        (b"0x5\r\n", Rule::ChunkSizeDigits, 1),
        (b"5_0\r\n", Rule::ChunkSizeDigits, 1),
        (b"g\r\n", Rule::ChunkSizeDigits, 0),
        (b"10000000000000000\r\n", Rule::ChunkSizeOverflow, 0),
        (b"ffffffffffffffffff\r\n", Rule::ChunkSizeOverflow, 0),
        (b"65\r\n", Rule::ContentTooLarge, 0),
        (b"5\n", Rule::BareLf, 1),
        (b"\n", Rule::BareLf, 0),
        (b"5\rX", Rule::BareCr, 1),
        (b"5 \r\n", Rule::ChunkExtension, 2),
        (b"5 a\r\n", Rule::ChunkExtension, 2),
        (b"5;\r\n", Rule::ChunkExtension, 2),
        (b"5;;\r\n", Rule::ChunkExtension, 2),
        (b"5;a=\r\n", Rule::ChunkExtension, 4),
        (b"5;a=b=c\r\n", Rule::ChunkExtension, 5),
        (b"5;a \r\n", Rule::ChunkExtension, 4),
        (b"5;a b\r\n", Rule::ChunkExtension, 4),
        (b"5;a=\"b\r\n\"\r\n", Rule::ChunkExtension, 6),
        (b"5;a=\"b\\\x00\"\r\n", Rule::ChunkExtension, 7),
        (b"5;a=\"b\"c\r\n", Rule::ChunkExtension, 7),
        (b"5;a\n", Rule::BareLf, 3),
        (b"5;a\rX\r\n", Rule::BareCr, 3),
        (b"5;a=\"b\nc\"\r\n", Rule::BareLf, 6),
        (b"5;a=\x00\r\n", Rule::ChunkExtension, 4),
    ];
    for (input, rule, at) in rows {
        assert_eq!(parse_line(input, 100), Err(Broken(rule, at)), "{}", input.escape_ascii());
    }
}
