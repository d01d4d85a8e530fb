//! What an application gives becomes a well-formed head with one framing, or a fault that names the byte.

use super::*;
use Method::{Connect, Get, Head};
use ResponseLength::{Known, Unknown};
use Version::{Http10, Http11};
use alloc::string::String;

const DATE: &[u8] = b"Sun, 06 Nov 1994 08:49:37 GMT";

/// The head and body for a status and fields; Date and the status line taken off.
fn build(
    status: u16,
    fields: &[(&str, &str)],
    request: (Method, Version),
    length: ResponseLength,
) -> (String, ResponseBody) {
    let mut head = ResponseHead::new();
    head.start(status, b"").expect("a status");
    for (name, value) in fields {
        head.field(name.as_bytes(), value.as_bytes()).expect(name);
    }
    let body = head.finish(request, length, true, DATE, b"");
    let text = String::from_utf8(head.as_bytes().to_vec()).expect("ASCII");
    let prefix = alloc::format!("HTTP/1.1 {status} \r\n");
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let rest = text.strip_prefix(prefix.as_str()).expect("a status line").replace(date, "");
    (rest.strip_suffix("\r\n").expect("an empty line").into(), body)
}

#[test]
fn a_head_is_written_in_order_with_what_the_server_adds() {
    let mut head = ResponseHead::new();
    assert!(!head.is_started());
    head.start(404, b"Not \xe9here").expect("a status");
    assert_eq!((head.is_started(), head.status_code()), (true, 404));
    assert_eq!(head.field(b"X-A", b"b\xff\tc"), Ok(FieldFate::Sent));
    assert_eq!(head.field(b"X-A", b""), Ok(FieldFate::Sent));
    let body = head.finish((Get, Http11), Known(3), true, DATE, b"brickwork");
    assert_eq!(
        head.as_bytes(),
        b"HTTP/1.1 404 Not \xe9here\r\nX-A: b\xff\tc\r\nX-A: \r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
          Server: brickwork\r\nContent-Length: 3\r\n\r\n"
            .as_slice()
    );
    assert_eq!((body.owed(), body.closes(), body.is_bodyless()), (Some(3), false, false));
}

#[test]
fn date_and_server_of_the_application_hold() {
    let mut head = ResponseHead::new();
    head.start(200, b"OK").expect("a status");
    head.field(b"date", b"then").expect("a field");
    head.field(b"SERVER", b"mine").expect("a field");
    head.finish((Get, Http11), Known(0), true, DATE, b"ours");
    assert_eq!(head.as_bytes(), b"HTTP/1.1 200 OK\r\ndate: then\r\nSERVER: mine\r\nContent-Length: 0\r\n\r\n");
}

#[test]
fn a_response_is_framed_by_the_numbered_steps() {
    const FIVE: &[(&str, &str)] = &[("Content-Length", "5")];
    const LENGTH: &str = "Content-Length: 5\r\n";
    const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
    const CLOSE: &str = "Connection: close\r\n";
    const KEEP: &str = "Connection: keep-alive\r\n";
    let rows: [(u16, &[(&str, &str)], (Method, Version), ResponseLength, &[&str], Delimiting, bool); 19] = [
        (200, &[], (Get, Http11), Known(5), &[LENGTH], Delimiting::Length(5), false),
        (200, FIVE, (Get, Http11), Unknown, &[LENGTH], Delimiting::Length(5), false),
        (200, FIVE, (Get, Http11), Known(9), &[LENGTH], Delimiting::Length(5), false),
        (200, &[], (Get, Http11), Unknown, &[CHUNKED], Delimiting::Chunked, false),
        (200, &[], (Get, Http10), Known(5), &[LENGTH, KEEP], Delimiting::Length(5), false),
        (200, FIVE, (Get, Http10), Unknown, &[LENGTH, KEEP], Delimiting::Length(5), false),
        (200, &[], (Get, Http10), Unknown, &[CLOSE], Delimiting::Close, true),
        (200, &[], (Head, Http11), Unknown, &[], Delimiting::Bodyless, false),
        (200, &[], (Head, Http11), Known(5), &[LENGTH], Delimiting::Bodyless, false),
        (200, &[], (Head, Http11), Known(0), &[], Delimiting::Bodyless, false),
        (200, FIVE, (Head, Http10), Known(0), &[LENGTH, KEEP], Delimiting::Bodyless, false),
        (204, FIVE, (Get, Http11), Known(5), &[], Delimiting::Bodyless, false),
        (204, &[], (Get, Http11), Unknown, &[], Delimiting::Bodyless, false),
        (205, FIVE, (Get, Http11), Unknown, &["Content-Length: 0\r\n"], Delimiting::Bodyless, false),
        (304, FIVE, (Get, Http11), Known(0), &[LENGTH], Delimiting::Bodyless, false),
        (304, &[], (Get, Http11), Known(0), &[], Delimiting::Bodyless, false),
        (200, FIVE, (Connect, Http11), Unknown, &[CLOSE], Delimiting::Bodyless, true),
        (501, &[], (Connect, Http11), Known(5), &[LENGTH], Delimiting::Length(5), false),
        (200, &[("Connection", "close")], (Get, Http11), Unknown, &[CHUNKED, CLOSE], Delimiting::Chunked, true),
    ];
    for (status, fields, request, length, expected, delimiting, closes) in rows {
        let (text, body) = build(status, fields, request, length);
        let expected_body = ResponseBody::new(delimiting, closes);
        assert_eq!(text, expected.concat(), "{status} {request:?} {length:?}");
        assert_eq!(alloc::format!("{body:?}"), alloc::format!("{expected_body:?}"), "{status} {request:?} {length:?}");
    }
}

#[test]
fn a_connection_that_must_close_says_so() {
    let mut head = ResponseHead::new();
    head.start(200, b"OK").expect("a status");
    let body = head.finish((Get, Http11), Known(0), false, DATE, b"");
    assert!(body.closes());
    assert!(head.as_bytes().ends_with(b"Connection: close\r\n\r\n"));
    head.start(200, b"OK").expect("a status");
    head.set_close();
    assert!(head.finish((Get, Http10), Known(0), true, DATE, b"").closes());
}

#[test]
fn hop_by_hop_fields_are_left_out() {
    let rows = [
        ("Connection", "close", FieldFate::Honoured),
        ("connection", "Keep-Alive", FieldFate::Honoured),
        ("Connection", "Upgrade, close", FieldFate::Dropped(Rule::HopByHopField)),
        ("Upgrade", "h2c", FieldFate::Dropped(Rule::HopByHopField)),
        ("Transfer-Encoding", "chunked", FieldFate::Dropped(Rule::ResponseTransferEncoding)),
        ("Keep-Alive", "timeout=5", FieldFate::Dropped(Rule::HopByHopField)),
        ("TE", "trailers", FieldFate::Dropped(Rule::HopByHopField)),
        ("Trailer", "X-A", FieldFate::Dropped(Rule::HopByHopField)),
        ("Proxy-Authenticate", "Basic", FieldFate::Dropped(Rule::HopByHopField)),
        ("Proxy-Connection", "close", FieldFate::Dropped(Rule::HopByHopField)),
    ];
    for (name, value, fate) in rows {
        let mut head = ResponseHead::new();
        head.start(200, b"OK").expect("a status");
        assert_eq!(head.field(name.as_bytes(), value.as_bytes()), Ok(fate), "{name}");
        assert_eq!(head.as_bytes(), b"HTTP/1.1 200 OK\r\n", "{name}");
        assert_eq!(head.wants_close(), name.eq_ignore_ascii_case("connection") && value.contains("close"), "{name}");
    }
}

#[test]
fn a_length_is_left_out_where_there_can_be_no_content() {
    let dropped = FieldFate::Dropped(Rule::ResponseLengthForbidden);
    let rows = [
        (204, b"0", dropped),
        (204, b"5", dropped),
        (205, b"0", FieldFate::Sent),
        (205, b"5", dropped),
        (304, b"5", FieldFate::Sent),
        (200, b"5", FieldFate::Sent),
    ];
    for (status, length, fate) in rows {
        let mut head = ResponseHead::new();
        head.start(status, b"").expect("a status");
        assert_eq!(head.field(b"Content-Length", length), Ok(fate), "{status} {length:?}");
    }
}

#[test]
fn nothing_an_application_gives_adds_a_line() {
    let rows: [(&[u8], &[u8], Rule, u32); 11] = [
        (b"", b"a", Rule::ResponseFieldName, 0),
        (b"A b", b"a", Rule::ResponseFieldName, 1),
        (b"A:", b"a", Rule::ResponseFieldName, 1),
        (b"A\r\nB", b"a", Rule::ResponseFieldName, 1),
        (b"\xe9", b"a", Rule::ResponseFieldName, 0),
        (b"A", b"a\r\nB: c", Rule::ResponseFieldValue, 1),
        (b"A", b"a\n", Rule::ResponseFieldValue, 1),
        (b"A", b"\0", Rule::ResponseFieldValue, 0),
        (b"Content-Length", b"-1", Rule::ResponseContentLength, 0),
        (b"Content-Length", b"1, 1", Rule::ResponseContentLength, 1),
        (b"Content-Length", b"99999999999999999999", Rule::ResponseContentLength, 0),
    ];
    for (name, value, rule, at) in rows {
        let mut head = ResponseHead::new();
        head.start(200, b"OK").expect("a status");
        assert_eq!(head.field(name, value), Err(Fault { rule, at }), "{}", name.escape_ascii());
        assert_eq!(head.as_bytes(), b"HTTP/1.1 200 OK\r\n");
    }
}

#[test]
fn content_length_is_given_once() {
    let mut head = ResponseHead::new();
    head.start(200, b"OK").expect("a status");
    assert_eq!(head.field(b"Content-Length", b" 5 "), Ok(FieldFate::Sent));
    assert_eq!(head.content_length(), Some(5));
    let fault = Fault { rule: Rule::ResponseContentLengthRepeated, at: 0 };
    assert_eq!(head.field(b"content-length", b"5"), Err(fault));
}

#[test]
fn a_status_line_has_a_final_status_and_one_line() {
    let rows: [(u16, &[u8], Rule, u32); 7] = [
        (99, b"", Rule::StatusCodeRange, 0),
        (600, b"", Rule::StatusCodeRange, 0),
        (0, b"", Rule::StatusCodeRange, 0),
        (100, b"", Rule::StatusCodeInterim, 0),
        (199, b"", Rule::StatusCodeInterim, 0),
        (200, b"OK\r\nA: b", Rule::ReasonPhraseByte, 2),
        (200, b"\x7f", Rule::ReasonPhraseByte, 0),
    ];
    for (status, phrase, rule, at) in rows {
        let mut head = ResponseHead::new();
        assert_eq!(head.start(status, phrase), Err(Fault { rule, at }), "{status}");
        assert!(!head.is_started());
    }
}

#[test]
fn a_new_start_forgets_the_first() {
    let mut head = ResponseHead::new();
    head.start(200, b"OK").expect("a status");
    head.field(b"Content-Length", b"5").expect("a field");
    head.field(b"Connection", b"close").expect("a field");
    head.field(b"Date", b"then").expect("a field");
    head.start(500, b"Oops").expect("a status");
    assert_eq!((head.content_length(), head.wants_close()), (None, false));
    assert_eq!(head.as_bytes(), b"HTTP/1.1 500 Oops\r\n");
    head.finish((Get, Http11), Known(0), true, DATE, b"");
    assert!(head.as_bytes().windows(5).any(|bytes| bytes == b"Date:"));
}
