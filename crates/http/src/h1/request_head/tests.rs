//! Whole heads: what they say together, and the limits.

use super::*;

fn parse(input: &[u8]) -> Result<RequestHead, Rejection> {
    parse_within(input, &Limits::default())
}

fn parse_within(input: &[u8], limits: &Limits) -> Result<RequestHead, Rejection> {
    let mut head = RequestHead::default();
    match HeadParser::new().parse(input, limits, &mut head)? {
        Progress::Complete => Ok(head),
        Progress::Partial => panic!("partial: {}", input.escape_ascii()),
    }
}

fn rejection(rule: Rule, at: u32) -> Rejection {
    Rejection { rule, at }
}

#[test]
fn a_head_is_read_whole() {
    let input =
        b"\r\nPOST /a?b HTTP/1.1\r\nHost: x:1\r\nCONTENT-length: 3\r\nX-Own:\tv \r\nExpect: 100-Continue\r\n\r\nabcGET";
    let head = parse(input).expect("a head");
    assert_eq!((head.method, head.method_span.of(input)), (Method::Post, b"POST".as_slice()));
    assert_eq!(head.target.path.of(input), b"/a");
    assert_eq!(head.target.query.map(|query| query.of(input)), Some(b"b".as_slice()));
    assert_eq!((head.version, head.framing), (Version::Http11, Framing::Length(3)));
    assert_eq!((head.persistence, head.expects_continue), (Persistence::Persistent, true));
    assert_eq!(head.host.map(|host| host.of(input)), Some(b"x:1".as_slice()));
    assert_eq!(input[head.len as usize..], *b"abcGET");
    let fields: Vec<_> =
        head.fields.iter().map(|field| (field.known, field.name.of(input), field.value.of(input))).collect();
    assert_eq!(
        fields,
        [
            (FieldName::Host, b"Host".as_slice(), b"x:1".as_slice()),
            (FieldName::ContentLength, b"CONTENT-length", b"3"),
            (FieldName::Other, b"X-Own", b"v"),
            (FieldName::Expect, b"Expect", b"100-Continue"),
        ]
    );
}

#[test]
fn a_parser_and_a_head_serve_one_request_after_the_other() {
    let input = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\nGET /b HTTP/1.0\r\n\r\n";
    let (mut parser, mut head) = (HeadParser::new(), RequestHead::default());
    assert_eq!(parser.parse(input, &Limits::default(), &mut head), Ok(Progress::Complete));
    assert_eq!((head.persistence, head.framing), (Persistence::Close, Framing::Length(0)));
    let rest = &input[head.len as usize..];
    assert_eq!(parser.parse(rest, &Limits::default(), &mut head), Ok(Progress::Complete));
    assert_eq!((head.persistence, head.framing, head.version), (Persistence::Close, Framing::None, Version::Http10));
    assert_eq!((head.host, head.fields.len()), (None, 0));
}

#[test]
fn content_is_framed_by_the_numbered_steps() {
    let rows: [(&str, Result<Framing, (Rule, &str)>); 24] = [
        ("", Ok(Framing::None)),
        ("Content-Length: 0\r\n", Ok(Framing::Length(0))),
        ("Content-Length: 0005\r\n", Ok(Framing::Length(5))),
        ("Content-Length: \t5 \r\n", Ok(Framing::Length(5))),
        ("Transfer-Encoding: chunked\r\n", Ok(Framing::Chunked)),
        ("Transfer-Encoding: Chunked \r\n", Ok(Framing::Chunked)),
        ("Content-Length:\r\n", Err((Rule::ContentLengthDigits, "\r\n"))),
        ("Content-Length: +5\r\n", Err((Rule::ContentLengthDigits, "+"))),
        ("Content-Length: 0x5\r\n", Err((Rule::ContentLengthDigits, "x"))),
        ("Content-Length: 5 5\r\n", Err((Rule::ContentLengthDigits, " 5\r"))),
        ("Content-Length: 5, 5\r\n", Err((Rule::ContentLengthList, ","))),
        ("Content-Length: 18446744073709551616\r\n", Err((Rule::ContentLengthOverflow, "1844"))),
        ("Content-Length: 1073741825\r\n", Err((Rule::ContentTooLarge, "1073"))),
        ("Content-Length: 5\r\ncontent-length: 5\r\n", Err((Rule::ContentLengthRepeated, "content-l"))),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Err((Rule::TransferEncodingWithLength, "chunked"))),
        ("Transfer-Encoding:\r\n", Err((Rule::TransferEncodingMalformed, "\r\n"))),
        ("Transfer-Encoding: chunked,\r\n", Err((Rule::TransferEncodingMalformed, "\r\n"))),
        ("Transfer-Encoding: chunked;a=b\r\n", Err((Rule::TransferEncodingMalformed, "chunked;"))),
        ("Transfer-Encoding: \"chunked\"\r\n", Err((Rule::TransferEncodingMalformed, "\"chunked"))),
        ("Transfer-Encoding: xchunked\r\n", Err((Rule::ChunkedNotFinal, "xchunked"))),
        ("Transfer-Encoding: chunked, gzip\r\n", Err((Rule::ChunkedNotFinal, "gzip"))),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", Err((Rule::ChunkedNotFinal, "identity"))),
        ("Transfer-Encoding: chunked, CHUNKED\r\n", Err((Rule::ChunkedTwice, "CHUNKED"))),
        ("Transfer-Encoding: gzip;q=1, chunked\r\n", Err((Rule::TransferCodingUnknown, "gzip"))),
    ];
    for (fields, expected) in rows {
        let input = alloc::format!("POST / HTTP/1.1\r\nhost: a\r\n{fields}\r\n");
        let found = parse(input.as_bytes()).map(|head| head.framing);
        let offset = |marker: &str| match marker {
            "\r\n" => (input.len() - 4) as u32,
            _ => input.find(marker).expect("the marker") as u32,
        };
        assert_eq!(found, expected.map_err(|(rule, marker)| rejection(rule, offset(marker))), "{fields}");
    }
    let http10 = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n";
    assert_eq!(parse(http10).map(|head| head.framing), Err(rejection(Rule::TransferEncodingHttp10, 36)));
}

#[test]
fn host_is_one_valid_line_for_every_form_of_target() {
    let rows: [(&str, Result<Option<&str>, (Rule, u32)>); 16] = [
        ("GET / HTTP/1.1\r\nHost: a.example:80\r\n\r\n", Ok(Some("a.example:80"))),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", Ok(None)),
        ("GET / HTTP/1.0\r\n\r\n", Ok(None)),
        ("GET / HTTP/1.0\r\nHost: a\r\n\r\n", Ok(Some("a"))),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", Ok(Some("a"))),
        ("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", Ok(Some("b"))),
        ("CONNECT b:1 HTTP/1.1\r\nHost: a\r\n\r\n", Ok(Some("b:1"))),
        ("GET / HTTP/1.1\r\n\r\n", Err((Rule::HostMissing, 16))),
        ("OPTIONS * HTTP/1.1\r\nA: b\r\n\r\n", Err((Rule::HostMissing, 26))),
        ("GET http://b/ HTTP/1.1\r\n\r\n", Err((Rule::HostMissing, 24))),
        ("CONNECT b:1 HTTP/1.1\r\n\r\n", Err((Rule::HostMissing, 22))),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Err((Rule::HostRepeated, 25))),
        ("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", Err((Rule::HostRepeated, 25))),
        ("GET http://b/ HTTP/1.1\r\nHost: a b\r\n\r\n", Err((Rule::HostMalformed, 31))),
        ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", Err((Rule::HostMalformed, 23))),
        ("GET / HTTP/1.1\r\nHost: :80\r\n\r\n", Err((Rule::HostMalformed, 22))),
    ];
    for (input, expected) in rows {
        let found = parse(input.as_bytes())
            .map(|head| head.authority().map(|span| core::str::from_utf8(span.of(input.as_bytes())).expect("ASCII")));
        assert_eq!(found, expected.map_err(|(rule, at)| rejection(rule, at)), "{input}");
    }
}

#[test]
fn an_expectation_counts_only_where_content_follows_in_http_1_1() {
    let rows: [(&str, &str, Result<bool, Rule>); 9] = [
        ("1.1", "Content-Length: 1\r\nExpect: 100-continue\r\n", Ok(true)),
        ("1.1", "Expect: 100-CONTINUE\r\nTransfer-Encoding: chunked\r\n", Ok(true)),
        ("1.1", "Content-Length: 1\r\nExpect: 100-continue, 100-continue,\r\n", Ok(true)),
        ("1.1", "Content-Length: 0\r\nExpect: 100-continue\r\n", Ok(false)),
        ("1.1", "Expect: 100-continue\r\n", Ok(false)),
        ("1.0", "Content-Length: 1\r\nExpect: 100-continue\r\n", Ok(false)),
        ("1.0", "Content-Length: 1\r\nExpect: else\r\n", Ok(false)),
        ("1.1", "Content-Length: 1\r\nExpect: 100-continue;a=b\r\n", Err(Rule::ExpectationUnknown)),
        ("1.1", "Content-Length: 1\r\nExpect: 100-continue, else\r\n", Err(Rule::ExpectationUnknown)),
    ];
    for (version, fields, expected) in rows {
        let input = alloc::format!("PUT / HTTP/{version}\r\nHost: a\r\n{fields}\r\n");
        let found = parse(input.as_bytes()).map(|head| head.expects_continue).map_err(|rejection| rejection.rule);
        assert_eq!(found, expected, "{fields}");
    }
}

#[test]
fn a_connect_request_is_not_for_an_origin_server_and_the_last_of_its_connection() {
    let head = parse(b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nConnection: keep-alive\r\n\r\n").expect("a head");
    assert_eq!(head.persistence, Persistence::Close);
    assert_eq!(head.check_origin(b"", "http"), Err(rejection(Rule::ConnectMethod, 0)));
}

#[test]
fn limits_hold_to_the_byte() {
    let limits = Limits { request_line: 14, fields: 2, field_line: 7, head: 36, ..Limits::default() };
    let rows: [(&str, Option<(Rule, u32)>); 10] = [
        ("GET / HTTP/1.1\r\nHost: a\r\nB: cdef\r\n\r\n", None),
        ("GET /a HTTP/1.1\r\nHost: a\r\n\r\n", Some((Rule::RequestLineTooLong, 14))),
        ("GET / HTTP/1.1\r\nHost: ab\r\n\r\n", Some((Rule::FieldLineTooLong, 23))),
        ("GET / HTTP/1.1\r\nA:b\r\nHost: a\r\nC:d\r\n\r\n", Some((Rule::TooManyFields, 30))),
        ("GET / HTTP/1.1\r\nA:b\r\nHost: a\r\n C:d\r\n\r\n", Some((Rule::LineFolding, 30))),
        ("\r\nGET / HTTP/1.1\r\nHost: a\r\nB: cdef\r\n\r\n", Some((Rule::HeadTooLarge, 36))),
        ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nB: cdef\r\n\r\n", Some((Rule::HeadTooLarge, 36))),
        ("\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Some((Rule::LeadingEmptyLines, 4))),
        ("GET /\x01aaaaaaaaaaaaaaaaaaaaaaaaaa", Some((Rule::TargetByte, 5))),
        ("GET /aaaaaaaaaaaaaaaaaaaaaaaaa\x01", Some((Rule::RequestLineTooLong, 14))),
    ];
    for (input, expected) in rows {
        let found = parse_within(input.as_bytes(), &limits).err();
        assert_eq!(found, expected.map(|(rule, at)| rejection(rule, at)), "{input:?}");
    }
}

#[test]
fn a_fault_in_a_line_without_end_is_found_early() {
    let (mut parser, mut head) = (HeadParser::new(), RequestHead::default());
    assert_eq!(parser.parse(b"\x16", &Limits::default(), &mut head), Ok(Progress::Partial));
    assert_eq!(parser.parse(b"\x16\x03", &Limits::default(), &mut head), Err(rejection(Rule::TlsHello, 0)));
}

#[test]
fn a_target_with_another_scheme_is_misdirected() {
    let rows = [
        ("GET / HTTP/1.1", "http", true),
        ("GET http://a/ HTTP/1.1", "http", true),
        ("GET HTTP://a/ HTTP/1.1", "http", true),
        ("GET https://a/ HTTP/1.1", "http", false),
        ("GET https://a/ HTTP/1.1", "https", true),
        ("GET http://a/ HTTP/1.1", "https", false),
        ("GET httpx://a/ HTTP/1.1", "http", false),
        ("OPTIONS * HTTP/1.1", "https", true),
    ];
    for (request_line, scheme, is_right) in rows {
        let input = alloc::format!("{request_line}\r\nHost: a\r\n\r\n");
        let head = parse(input.as_bytes()).expect("a head");
        let expected = if is_right { Ok(()) } else { Err(rejection(Rule::MisdirectedScheme, 4)) };
        assert_eq!(head.check_origin(input.as_bytes(), scheme), expected, "{request_line} over {scheme}");
    }
}
