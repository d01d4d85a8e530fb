//! Every byte of a message has a name, and the name is right.

use super::*;
use alloc::string::String;

fn annotated(bytes: &[u8]) -> Annotation {
    annotate(bytes, "http", &Limits::default()).expect("accepted").expect("a message")
}

/// `production=bytes` for every part, blanks shown as they are.
fn parts(bytes: &[u8]) -> Vec<String> {
    let annotation = annotated(bytes);
    let text = |part: &Part| alloc::format!("{}={}", part.production, part.span.of(bytes).escape_ascii());
    annotation.parts.iter().map(text).collect()
}

#[test]
fn every_span_bears_the_name_of_its_production() {
    assert_eq!(
        parts(b"\r\nPOST /a?b HTTP/1.1\r\nHost: [::1]:8\r\nX-A:\t b \r\nEmpty:\r\nContent-Length: 2\r\n\r\nhi"),
        [
            "CRLF=\\r\\n",
            "method=POST",
            "SP= ",
            "absolute-path=/a",
            "\"?\"=?",
            "query=b",
            "SP= ",
            "HTTP-version=HTTP/1.1",
            "CRLF=\\r\\n",
            "field-name=Host",
            "\":\"=:",
            "OWS= ",
            "uri-host=[::1]",
            "\":\"=:",
            "port=8",
            "CRLF=\\r\\n",
            "field-name=X-A",
            "\":\"=:",
            "OWS=\\t ",
            "field-value=b",
            "OWS= ",
            "CRLF=\\r\\n",
            "field-name=Empty",
            "\":\"=:",
            "CRLF=\\r\\n",
            "field-name=Content-Length",
            "\":\"=:",
            "OWS= ",
            "Content-Length=2",
            "CRLF=\\r\\n",
            "CRLF=\\r\\n",
            "message-body=hi",
        ]
    );
}

#[test]
fn chunks_and_trailers_are_taken_apart() {
    let input = b"PUT http://a:1/x HTTP/1.1\r\nHost: a:1\r\nTransfer-Encoding: chunked\r\n\r\n\
                  3;n=v\r\nabc\r\n1\r\n\r\r\n0\r\nX-T: t\r\n\r\nGET";
    let found = parts(input);
    let target = ["scheme=http", "\"://\"=://", "uri-host=a", "\":\"=:", "port=1", "path-abempty=/x"];
    assert_eq!(found[2..8], target);
    let chunks = [
        "chunk-size=3",
        "chunk-ext=;n=v",
        "CRLF=\\r\\n",
        "chunk-data=abc",
        "CRLF=\\r\\n",
        "chunk-size=1",
        "CRLF=\\r\\n",
        "chunk-data=\\r",
        "CRLF=\\r\\n",
        "chunk-size=0",
        "CRLF=\\r\\n",
        "field-name=X-T",
        "\":\"=:",
        "OWS= ",
        "field-value=t",
        "CRLF=\\r\\n",
        "CRLF=\\r\\n",
    ];
    assert_eq!(found[found.len() - chunks.len()..], chunks);
    let annotation = annotated(input);
    assert_eq!(annotation.len as usize, input.len() - 3);
    let content: Vec<&[u8]> = annotation.content.iter().map(|span| span.of(input)).collect();
    assert_eq!(content, [b"abc".as_slice(), b"\r"]);
}

#[test]
fn the_decision_names_its_step() {
    let rows = [
        ("", Framing::None, 7),
        ("Content-Length: 0\r\n", Framing::Length(0), 6),
        ("Content-Length: 2\r\n", Framing::Length(2), 6),
        ("Transfer-Encoding: chunked\r\n", Framing::Chunked, 4),
    ];
    for (fields, framing, step) in rows {
        let input = alloc::format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n0\r\n\r\n");
        let found = annotated(input.as_bytes()).framing;
        assert_eq!((found.framing, found.step), (framing, step), "{fields}");
    }
}

#[test]
fn what_is_tolerated_is_told_with_its_place() {
    let rows: [(&str, &[(Rule, u32)]); 7] = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &[]),
        ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", &[(Rule::LeadingEmptyLineIgnored, 0)]),
        ("GET /%20%zz HTTP/1.5\r\nHost: a\r\n\r\n", &[(Rule::TargetRawByte, 8), (Rule::MinorVersionAboveOne, 19)]),
        ("GET /?[ HTTP/1.1\r\nHost:\r\n\r\n", &[(Rule::TargetRawByte, 6), (Rule::HostEmpty, 18)]),
        ("GET http://[::1]/ HTTP/1.1\r\nHost: a\r\n\r\n", &[(Rule::HostOverridden, 28)]),
        (
            "GET / HTTP/1.0\r\nExpect: x\r\nConnection: a, b c\r\n\r\n",
            &[(Rule::ExpectationHttp10, 16), (Rule::ConnectionOptionMalformed, 42)],
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nA: \u{e9}\r\n\r\n",
            &[(Rule::UpgradeIgnored, 25), (Rule::FieldValueObsText, 42)],
        ),
    ];
    for (input, expected) in rows {
        assert_eq!(annotated(input.as_bytes()).tolerated, expected, "{input}");
    }
}

#[test]
fn what_is_refused_is_placed_in_its_piece() {
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let head = chunked.len() as u32;
    let length = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    let rows = [
        ("", "GET / HTTP/1.1\r\n\r\n", Rule::HostMissing, 16, Piece::Head, 0),
        ("", "GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n", Rule::MisdirectedScheme, 4, Piece::Head, 0),
        ("", "GET / HT", Rule::ContentCutOff, 8, Piece::Head, 0),
        (length, "ab", Rule::ContentCutOff, 0, Piece::Content, length.len() as u32 + 2),
        (chunked, "1\r\na\r\nx", Rule::ChunkSizeDigits, 0, Piece::ChunkLine, head + 6),
        (chunked, "1\r\nab", Rule::ChunkDataEnd, 0, Piece::Content, head + 4),
        (chunked, "1\r\na\r\n0\r\nA : b\r\n", Rule::SpaceBeforeColon, 1, Piece::TrailerSection, head + 9),
        (chunked, "1\r\na\r\n0\r\nA", Rule::ContentCutOff, 1, Piece::TrailerSection, head + 9),
        (chunked, "1\r\na\r\n0", Rule::ContentCutOff, 1, Piece::ChunkLine, head + 6),
    ];
    for (before, rest, rule, at, piece, piece_start) in rows {
        let input = alloc::format!("{before}{rest}");
        let refused = annotate(input.as_bytes(), "http", &Limits::default()).expect_err("refused");
        assert_eq!(refused, Refused { rejection: Rejection { rule, at }, piece, piece_start }, "{input}");
    }
}

#[test]
fn empty_lines_are_no_message() {
    for idle in [b"".as_slice(), b"\r\n", b"\r\n\r\n"] {
        assert!(matches!(annotate(idle, "http", &Limits::default()), Ok(None)));
    }
}
