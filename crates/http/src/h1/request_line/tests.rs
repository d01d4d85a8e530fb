//! Each part of a request-line is found, and each fault is named at its byte.

use super::*;
use Stop::{Broken, More};

fn parse_new(input: &[u8]) -> Result<RequestLine, Stop> {
    parse(input, &mut Scanned::default())
}

#[test]
fn parts_are_found() {
    let rows: [(&str, &str, &str, Version); 8] = [
        ("GET / HTTP/1.1\r\n", "GET", "/", Version::Http11),
        ("GET / HTTP/1.0\r\n", "GET", "/", Version::Http10),
        ("GET / HTTP/1.2\r\n", "GET", "/", Version::Http11),
        ("GET / HTTP/1.9\r\n", "GET", "/", Version::Http11),
        ("get /a HTTP/1.1\r\n", "get", "/a", Version::Http11),
        ("M-SEARCH * HTTP/1.1\r\n", "M-SEARCH", "*", Version::Http11),
        ("GET /a[b]{c}|d^e\\f`g%h HTTP/1.1\r\n", "GET", "/a[b]{c}|d^e\\f`g%h", Version::Http11),
        ("!#$%&'*+-.^_`|~ x HTTP/1.1\r\nmore", "!#$%&'*+-.^_`|~", "x", Version::Http11),
    ];
    for (input, method, target, version) in rows {
        let line = parse_new(input.as_bytes()).expect(input);
        assert_eq!(line.method.of(input.as_bytes()), method.as_bytes());
        assert_eq!(line.target.of(input.as_bytes()), target.as_bytes());
        assert_eq!(line.version, version, "{input}");
        assert_eq!(line.len, input.find('\n').expect("a line") + 1);
    }
}

#[test]
fn every_prefix_of_a_good_line_needs_more() {
    for input in ["GET /a?b HTTP/1.1\r\n", "OPTIONS * HTTP/1.0\r\n", "X y HTTP/1.7\r\n"] {
        for end in 0..input.len() {
            assert_eq!(parse_new(&input.as_bytes()[..end]), Err(More), "{:?}", &input[..end]);
        }
    }
}

#[test]
fn faults_are_named_at_their_byte() {
    let rows: [(&[u8], Rule, usize); 32] = [
        (b"\x16\x03\x01\x02\x00\x01", Rule::TlsHello, 0),
        (b"\x16\x02", Rule::MethodNotToken, 0),
        (b" GET / HTTP/1.1\r\n", Rule::MethodNotToken, 0),
        (b"G\x00T / HTTP/1.1\r\n", Rule::MethodNotToken, 1),
        (b"G(T / HTTP/1.1\r\n", Rule::MethodNotToken, 1),
        (b"GET\t/ HTTP/1.1\r\n", Rule::MethodNotToken, 3),
        (b"G\xc3T / HTTP/1.1\r\n", Rule::MethodNotToken, 1),
        (b"GET\r\n", Rule::RequestLineShort, 3),
        (b"GET \r\n", Rule::RequestLineShort, 4),
        (b"GET\n", Rule::BareLf, 3),
        (b"GET\rX", Rule::BareCr, 3),
        (b"\n", Rule::BareLf, 0),
        (b"\rGET", Rule::BareCr, 0),
        (b"GET /\r\n", Rule::Http09, 5),
        (b"GET /\n", Rule::BareLf, 5),
        (b"GET /\rX", Rule::BareCr, 5),
        (b"GET  / HTTP/1.1\r\n", Rule::RequestLineSpace, 4),
        (b"GET /a b HTTP/1.1\r\n", Rule::RequestLineSpace, 6),
        (b"GET /  HTTP/1.1\r\n", Rule::RequestLineSpace, 5),
        (b"GET / HTTP/1.1 \r\n", Rule::RequestLineSpace, 14),
        (b"GET /\x00 HTTP/1.1\r\n", Rule::TargetByte, 5),
        (b"GET /#a HTTP/1.1\r\n", Rule::TargetByte, 5),
        (b"GET /\"a HTTP/1.1\r\n", Rule::TargetByte, 5),
        (b"GET /\x7f HTTP/1.1\r\n", Rule::TargetByte, 5),
        (b"GET /\xc3\xa9 HTTP/1.1\r\n", Rule::TargetByte, 5),
        (b"GET / http/1.1\r\n", Rule::VersionMalformed, 6),
        (b"GET / HTTP/1.1x\r\n", Rule::VersionMalformed, 14),
        (b"GET / HTTP/1.10\r\n", Rule::VersionMalformed, 14),
        (b"GET / HTTP/11\r\n", Rule::VersionMalformed, 12),
        (b"GET / HTTP/2.0\r\n", Rule::VersionUnsupported, 11),
        (b"GET / HTTP/1.1\n", Rule::BareLf, 14),
        (b"GET / HTTP/1.1\rX", Rule::BareCr, 14),
    ];
    for (input, rule, at) in rows {
        assert_eq!(parse_new(input), Err(Broken(rule, at)), "{}", input.escape_ascii());
    }
}
