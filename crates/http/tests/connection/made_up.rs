//! Bytes that look like requests, good and bad.

use brickwork_http::Limits;
use proptest::prelude::*;

/// Tight enough that small inputs run into every one of them.
pub(crate) const TIGHT: Limits =
    Limits { request_line: 40, fields: 4, field_line: 40, head: 150, content: 40, chunk_line: 20, trailer_section: 30 };

/// Requests put together from pieces, and fixtures with a few bytes changed.
pub(crate) fn made_up() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![pieced(), mutated()]
}

/// What requests are made of, good and bad.
const PIECES: [&str; 60] = [
    "GET",
    "POST",
    "CONNECT",
    "OPTIONS",
    " ",
    " ",
    "\t",
    "/",
    "*",
    "/a?b",
    "http://a:1/x",
    "a:1",
    "\"",
    "#",
    "%zz",
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/1.7",
    "HTTP/2.0",
    "http/1.1",
    "\r\n",
    "\r\n",
    "\r\n",
    "\r",
    "\n",
    "\0",
    "\u{e9}",
    "Host: a\r\n",
    "Host: a\r\n",
    "host: b c\r\n",
    "Host",
    ":",
    ": ",
    "Content-Length: 3\r\n",
    "Content-Length: 30\r\n",
    "content-length: +3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Expect: 100-continue\r\n",
    "Expect: x\r\n",
    "A: b\r\n",
    " folded\r\n",
    "A : b\r\n",
    "A b: c\r\n",
    "abc",
    "3\r\nabc\r\n",
    "0\r\n\r\n",
    "0\r\nA: b\r\n\r\n",
    "3;x=\"y\"\r\n",
    "3 ; x\r\n",
    "fffffffffffffffff\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "\u{16}\u{3}",
    "0",
];

fn pieced() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(&PIECES[..]), 1..16).prop_map(|pieces| pieces.concat().into_bytes())
}

/// A fixture with a few bytes changed, cut out or put in.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let small: Vec<Vec<u8>> = super::fixtures("accept")
        .into_iter()
        .chain(super::fixtures("reject"))
        .map(|(_, bytes)| bytes)
        .filter(|bytes| bytes.len() < 1000)
        .collect();
    let edit = (any::<prop::sample::Index>(), 0..3u8, prop::sample::select(b"\r\n \t:;,=\"\0\x7f\xff0aZ/".as_slice()));
    (prop::sample::select(small), prop::collection::vec(edit, 0..4)).prop_map(|(mut bytes, edits)| {
        for (index, kind, byte) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = index.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}
