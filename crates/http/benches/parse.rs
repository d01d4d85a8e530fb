//! How long a request head takes to parse, beside httparse and picohttpparser, on three sizes that occur.
//!
//! Those find the parts; this parser also recognises the names of fields, checks Host, frames the content and decides persistence. All
//! are built as they come: httparse looks for AVX2 at run time, picohttpparser without its SSE4.2, which not every processor has.

use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr;

use brickwork_http::Limits;
use brickwork_http::h1::{HeadParser, Progress, RequestHead};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// The least that HTTP/1.1 asks for: load generators, health checks.
const SMALL: &[u8] = b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n";

/// What a browser sends when it opens a page.
const BROWSER: &[u8] = b"GET /guestbook/entries?page=2&order=newest HTTP/1.1\r\n\
    Host: www.example.org\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
    Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Referer: https://www.example.org/guestbook/entries?page=1\r\n\
    DNT: 1\r\n\
    Connection: keep-alive\r\n\
    Cookie: session=7f6f1d3c6a6d4f2e9a40; theme=dark; l=\r\n\
    Upgrade-Insecure-Requests: 1\r\n\
    Sec-Fetch-Dest: document\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Sec-Fetch-User: ?1\r\n\
    Priority: u=0, i\r\n\
    \r\n";

/// The same with, besides, the cookies of a shop that measures everything, about 2 KB.
fn with_cookies() -> Vec<u8> {
    let mut request = BROWSER[..BROWSER.len() - 2].to_vec();
    request.extend_from_slice(b"Cookie: session=0123456789abcdef0123456789abcdef");
    for number in 0..22 {
        request.extend_from_slice(
            format!("; _tracker_{number}=GA1.2.1234567890.1700000000; c{number}=a%20b.c-d_e~f").as_bytes(),
        );
    }
    request.extend_from_slice(b"\r\n\r\n");
    request
}

fn parse(criterion: &mut Criterion) {
    let cookies = with_cookies();
    let limits = Limits::default();
    let mut group = criterion.benchmark_group("parse");
    for (name, request) in [("small", SMALL), ("browser", BROWSER), ("cookies", &cookies)] {
        group.throughput(Throughput::Bytes(request.len() as u64));
        group.bench_with_input(BenchmarkId::new("brickwork", name), request, |bencher, request| {
            let mut head = RequestHead::default();
            bencher.iter(|| {
                let progress = HeadParser::new().parse(black_box(request), &limits, &mut head);
                assert_eq!(progress, Ok(Progress::Complete));
                black_box(&head);
            });
        });
        group.bench_with_input(BenchmarkId::new("picohttpparser", name), request, |bencher, request| {
            bencher.iter(|| picohttpparser(black_box(request)));
        });
        group.bench_with_input(BenchmarkId::new("httparse", name), request, |bencher, request| {
            bencher.iter(|| {
                let mut fields = [const { MaybeUninit::uninit() }; 100];
                let mut head = httparse::Request::new(&mut []);
                let status = head.parse_with_uninit_headers(black_box(request), &mut fields);
                assert!(status.is_ok_and(|status| status.is_complete()));
                black_box(&head);
            });
        });
    }
    group.finish();
}

fn picohttpparser(request: &[u8]) {
    let mut fields = [const { MaybeUninit::<picohttpparser_sys::phr_header>::uninit() }; 100];
    let (mut method, mut target) = (ptr::null(), ptr::null());
    let (mut method_len, mut target_len, mut minor_version, mut count) = (0, 0, 0, fields.len());
    // SAFETY: every pointer is to something that lives until the call returns, and comes with its length.
    let len = unsafe {
        picohttpparser_sys::phr_parse_request(
            request.as_ptr().cast(),
            request.len(),
            &mut method,
            &mut method_len,
            &mut target,
            &mut target_len,
            &mut minor_version,
            fields.as_mut_ptr().cast(),
            &mut count,
            0,
        )
    };
    assert_eq!(usize::try_from(len), Ok(request.len()));
    black_box((&fields, method, target, count));
}

criterion_group!(benches, parse);
criterion_main!(benches);
