//! How long the rest of a message takes: building a response head, and taking content out of the chunked coding.

use std::hint::black_box;

use brickwork_http::h1::{BodyReader, Framing, ResponseHead, ResponseLength, Step};
use brickwork_http::{Limits, Method, Version};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const FIELDS: [(&[u8], &[u8]); 8] = [
    (b"Content-Type", b"text/html; charset=utf-8"),
    (b"Content-Length", b"5120"),
    (b"X-Frame-Options", b"DENY"),
    (b"Vary", b"Cookie, Accept-Language"),
    (b"Content-Language", b"en"),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Referrer-Policy", b"same-origin"),
    (b"Set-Cookie", b"csrftoken=0123456789abcdef0123456789abcdef; Path=/; SameSite=Lax"),
];

fn response_head(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("response_head");
    for count in [1, 3, 8] {
        group.bench_with_input(BenchmarkId::new("fields", count), &FIELDS[..count], |bencher, fields| {
            let mut head = ResponseHead::new();
            bencher.iter(|| {
                head.start(black_box(200), black_box(b"OK")).expect("a status");
                for (name, value) in black_box(fields) {
                    head.field(name, value).expect("a field");
                }
                let (request, length) = ((Method::Get, Version::Http11), ResponseLength::Known(5120));
                black_box(head.finish(request, length, true, b"Fri, 20 Nov 2026 19:54:03 GMT", b"brickwork"));
                black_box(head.as_bytes());
            });
        });
    }
    group.finish();
}

fn chunked(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("chunked");
    for size in [16, 1024, 65536] {
        let message = encoded(64 * 1024, size);
        group.throughput(Throughput::Bytes(64 * 1024));
        group.bench_with_input(BenchmarkId::new("64 KiB in chunks of", size), &message, |bencher, message| {
            bencher.iter(|| assert_eq!(decoded(black_box(message)), 64 * 1024));
        });
    }
    group.finish();
}

fn encoded(len: usize, size: usize) -> Vec<u8> {
    let chunk = [format!("{size:x}\r\n").into_bytes(), vec![b'x'; size], b"\r\n".to_vec()].concat();
    [chunk.repeat(len / size), b"0\r\n\r\n".to_vec()].concat()
}

/// Bytes of content: they stay where they are.
fn decoded(message: &[u8]) -> usize {
    let (mut reader, limits, mut at, mut content) = (BodyReader::new(Framing::Chunked), Limits::default(), 0, 0);
    loop {
        match reader.step(&message[at..], &limits) {
            Ok(Step::Content { skip, len }) => (at, content) = (at + skip + len, content + len),
            Ok(Step::Complete { .. }) => return content,
            other => panic!("{other:?}"),
        }
    }
}

criterion_group!(benches, response_head, chunked);
criterion_main!(benches);
