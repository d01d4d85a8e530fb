//! Any bytes as the start of a connection: what is accepted keeps the promises of a parsed head.
#![no_main]

use brickwork_http::h1::{Framing, HeadParser, Progress, RequestHead};
use brickwork_http::{Limits, Span, annotate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (limits, mut head) = (Limits::default(), RequestHead::default());
    match HeadParser::new().parse(data, &limits, &mut head) {
        Ok(Progress::Complete) => check(data, &head, &limits),
        Ok(Progress::Partial) => assert!(data.len() < limits.head as usize + 2),
        Err(rejection) => assert!(rejection.at as usize <= data.len()),
    }
    if let Ok(Some(annotation)) = annotate(data, "http", &limits) {
        let covered: u32 = annotation.parts.iter().map(|part| part.span.len).sum();
        assert_eq!(covered, annotation.len);
    }
});

fn check(data: &[u8], head: &RequestHead, limits: &Limits) {
    let text =
        |span: Span| data.get(span.start as usize..(span.start + span.len) as usize).expect("a span of the head");
    assert!(data[..head.len as usize].ends_with(b"\r\n\r\n"));
    assert!(head.len <= limits.head && head.fields.len() <= limits.fields as usize);
    assert!(!text(head.method_span).is_empty() && !text(head.target.raw).is_empty());
    let is_value = |byte: &u8| matches!(byte, b'\t' | 0x20..=0x7e | 0x80..);
    for field in &head.fields {
        assert!(!text(field.name).is_empty() && text(field.name).iter().all(u8::is_ascii_graphic));
        assert!(text(field.value).iter().all(is_value));
        assert!(!text(field.value).starts_with(b" ") && !text(field.value).ends_with(b" "));
    }
    let has = |name: &[u8]| head.fields.iter().filter(|field| text(field.name).eq_ignore_ascii_case(name)).count();
    let (lengths, codings) = (has(b"content-length"), has(b"transfer-encoding"));
    match head.framing {
        Framing::None => assert_eq!((lengths, codings), (0, 0)),
        Framing::Length(length) => assert!((lengths, codings) == (1, 0) && length <= limits.content),
        Framing::Chunked => assert!(lengths == 0 && codings > 0),
    }
    assert!(has(b"host") <= 1);
}
