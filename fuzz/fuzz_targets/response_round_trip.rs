//! Whatever an application gives, the response on the wire is one message, with the fields and the content that were let through.
#![no_main]

use brickwork_http::h1::{BodyReader, FieldFate, Framing, ResponseHead, ResponseLength, Step};
use brickwork_http::{Limits, Method, Version};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Given<'a> {
    method: u8,
    is_http10: bool,
    is_persistent: bool,
    is_length_known: bool,
    status_code: u16,
    reason: &'a [u8],
    fields: Vec<(Name<'a>, &'a [u8])>,
    content: Vec<&'a [u8]>,
}

#[derive(Arbitrary, Debug)]
enum Name<'a> {
    Any(&'a [u8]),
    ContentLength,
    Connection,
    TransferEncoding,
}

impl Name<'_> {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Name::Any(name) => name,
            Name::ContentLength => b"Content-Length",
            Name::Connection => b"Connection",
            Name::TransferEncoding => b"Transfer-Encoding",
        }
    }
}

fuzz_target!(|given: Given<'_>| {
    let method = [Method::Get, Method::Head, Method::Post, Method::Connect][given.method as usize % 4];
    let version = if given.is_http10 { Version::Http10 } else { Version::Http11 };
    let mut head = ResponseHead::new();
    if head.start(given.status_code, given.reason).is_err() {
        return;
    }
    let mut sent = Vec::new();
    for (name, value) in &given.fields {
        match head.field(name.as_bytes(), value) {
            Ok(FieldFate::Sent) if name.as_bytes().eq_ignore_ascii_case(b"content-length") => {}
            Ok(FieldFate::Sent) => sent.push((name.as_bytes().to_vec(), value.trim_ascii().to_vec())),
            Ok(FieldFate::Honoured | FieldFate::Dropped(_)) => {}
            Err(_) => return, // answered 500 instead
        }
    }
    let total = given.content.iter().map(|block| block.len() as u64).sum();
    let length = if given.is_length_known { ResponseLength::Known(total) } else { ResponseLength::Unknown };
    let mut body = head.finish((method, version), length, given.is_persistent, b"Sun, 06 Nov 1994 08:49:37 GMT", b"s");
    let (mut wire, mut content) = (head.as_bytes().to_vec(), Vec::new());
    for block in &given.content {
        let admitted = body.admit(block.len() as u64, &mut wire);
        let taken = &block[..admitted.take as usize];
        wire.extend_from_slice(taken);
        content.extend_from_slice(taken);
        if !taken.is_empty() {
            wire.extend_from_slice(body.block_end());
        }
    }
    let is_whole = match body.finish() {
        Ok(end) => {
            wire.extend_from_slice(end);
            true
        }
        Err(_) => false,
    };
    let received = receive(&wire, method);
    assert_eq!(received.status_code, given.status_code);
    assert_eq!(received.fields[..sent.len()], sent);
    assert_eq!(received.content, content);
    assert_eq!(received.is_whole, is_whole);
    assert!(received.says_close == body.closes() || given.is_http10 || !is_whole);
    if is_whole && !body.closes() {
        assert!(!received.needs_close, "only the end of the connection ends this response, and it does not end");
    }
});

struct Received {
    status_code: u16,
    fields: Vec<(Vec<u8>, Vec<u8>)>,
    content: Vec<u8>,
    is_whole: bool,
    says_close: bool,
    needs_close: bool,
}

/// The one message that a client finds on the wire.
fn receive(wire: &[u8], method: Method) -> Received {
    let mut fields = vec![httparse::EMPTY_HEADER; 10_000];
    let mut response = httparse::Response::new(&mut fields);
    let Ok(httparse::Status::Complete(head_len)) = response.parse(wire) else {
        panic!("no head: {}", wire.escape_ascii())
    };
    let values = |name: &str| -> Vec<&[u8]> {
        response.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value).collect()
    };
    let (lengths, codings) = (values("content-length"), values("transfer-encoding"));
    assert!(lengths.len() + codings.len() <= 1, "two ends: {}", wire.escape_ascii());
    let status_code = response.code.expect("a status");
    let rest = &wire[head_len..];
    let is_bodyless = method == Method::Head || matches!(status_code, 204 | 304);
    let is_tunnel = method == Method::Connect && (200..300).contains(&status_code);
    let (content, is_whole, needs_close) = if is_bodyless || is_tunnel {
        assert!(rest.is_empty());
        (Vec::new(), true, false)
    } else if let [coding] = codings[..] {
        assert_eq!(coding, b"chunked");
        (dechunk(rest), true, false)
    } else if let [length] = lengths[..] {
        let length: u64 = str::from_utf8(length).expect("digits").parse().expect("a length");
        assert!(rest.len() as u64 <= length);
        (rest.to_vec(), rest.len() as u64 == length, false)
    } else {
        (rest.to_vec(), true, true)
    };
    Received {
        status_code,
        fields: response.headers.iter().map(|field| (field.name.into(), field.value.to_vec())).collect(),
        content,
        is_whole,
        says_close: values("connection").contains(&b"close".as_slice()),
        needs_close,
    }
}

fn dechunk(mut wire: &[u8]) -> Vec<u8> {
    let (mut reader, mut content) = (BodyReader::new(Framing::Chunked), Vec::new());
    loop {
        match reader.step(wire, &Limits::default()).expect("well-formed chunks") {
            Step::Content { skip, len } => {
                content.extend_from_slice(&wire[skip..skip + len]);
                wire = &wire[skip + len..];
            }
            Step::Complete { skip } => {
                assert_eq!(skip, wire.len(), "bytes behind the end");
                return content;
            }
            Step::Partial { .. } => panic!("cut off"),
        }
    }
}
