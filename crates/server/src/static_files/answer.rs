//! How answers are put together.

use brickwork_http::h1::ResponseHead;
use brickwork_http::reason_phrase;

use super::served_path::encode_segment;
use crate::{Content, RequestView};

/// Begins a response head.
pub(super) fn start(head: &mut ResponseHead, status_code: u16) {
    // The reason phrases of the table are within the grammar.
    let _ = head.start(status_code, reason_phrase(status_code).as_bytes());
}

/// Adds a field whose name and value are within the grammar: written here, or checked when the server was set up.
pub(super) fn put(head: &mut ResponseHead, name: &str, value: &str) {
    let _ = head.field(name.as_bytes(), value.as_bytes());
}

/// An answer that only names its status.
pub(super) fn refuse(head: &mut ResponseHead, status_code: u16) -> Vec<Content> {
    start(head, status_code);
    put(head, "Content-Type", "text/plain; charset=utf-8");
    vec![Content::Owned(format!("{status_code} {}\n", reason_phrase(status_code)).into_bytes())]
}

/// To a method that is not for files (405), and to OPTIONS (204).
pub(super) fn allow(head: &mut ResponseHead, status_code: u16) -> Vec<Content> {
    let content = if status_code == 204 {
        start(head, 204);
        Vec::new()
    } else {
        refuse(head, status_code)
    };
    put(head, "Allow", "GET, HEAD, OPTIONS");
    content
}

/// To the directory that was asked for without the "/" at its end, against which its relative links are resolved.
///
/// The reference is relative to the request's own path (RFC 3986 section 5.2): whatever stands in that path, `//host`
/// at its start included, the target has the same scheme and host, and it is right behind a proxy that takes a prefix
/// away.
pub(super) fn redirect(request: RequestView<'_>, name: &[u8], head: &mut ResponseHead) -> Vec<Content> {
    let mut location = String::from("./");
    encode_segment(name, &mut location);
    location.push('/');
    let mut location = location.into_bytes();
    if let Some(query) = request.head.target.query {
        location.push(b'?');
        location.extend_from_slice(request.text(query));
    }
    let content = refuse(head, 301);
    let _ = head.field(b"Location", &location);
    // A browser would keep it for good otherwise, and the next server on this port may have a file of this name.
    put(head, "Cache-Control", "no-cache");
    content
}
