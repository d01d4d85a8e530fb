//! However the bytes are split, the server sees the same requests, refuses by the same rule, and at the same byte.

mod connection;

use brickwork_http::Limits;
use connection::{fixtures, read};
use proptest::prelude::*;

/// Tight enough that small inputs run into every one of them.
const TIGHT: Limits =
    Limits { request_line: 40, fields: 4, field_line: 40, head: 150, content: 40, chunk_line: 20, trailer_section: 30 };

#[test]
fn a_fixture_is_the_same_byte_by_byte_and_at_every_single_cut() {
    for (name, bytes) in fixtures("accept").into_iter().chain(fixtures("reject")) {
        for limits in [Limits::default(), TIGHT] {
            let whole = read(&bytes, &[], &limits);
            let all: Vec<usize> = (1..bytes.len()).collect();
            assert_eq!(read(&bytes, &all, &limits), whole, "{name} byte by byte");
            // Fixtures that break a limit are long and dull in the middle.
            for cut in (1..bytes.len()).filter(|&cut| cut < 400 || cut + 100 > bytes.len()) {
                assert_eq!(read(&bytes, &[cut], &limits), whole, "{name} cut at {cut}");
            }
        }
    }
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
    let small: Vec<Vec<u8>> = fixtures("accept")
        .into_iter()
        .chain(fixtures("reject"))
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_any_bytes_is_the_same(
        bytes in prop_oneof![pieced(), mutated()],
        cuts in prop::collection::btree_set(0..400usize, 0..12),
        is_tight in any::<bool>(),
    ) {
        let limits = if is_tight { TIGHT } else { Limits::default() };
        let cuts: Vec<usize> = cuts.into_iter().collect();
        let whole = read(&bytes, &[], &limits);
        prop_assert_eq!(&read(&bytes, &cuts, &limits), &whole);
        let all: Vec<usize> = (1..bytes.len()).collect();
        prop_assert_eq!(&read(&bytes, &all, &limits), &whole);
    }
}
