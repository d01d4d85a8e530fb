//! How long a request head takes to parse, beside httparse and picohttpparser, on three sizes that occur.
//!
//! Those find the parts; this parser also recognises the names of fields, checks Host, frames the content and decides persistence. All
//! are built as they come: httparse looks for AVX2 at run time, picohttpparser without its SSE4.2, which not every processor has.

mod requests;

use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr;

use brickwork_http::Limits;
use brickwork_http::h1::{HeadParser, Progress, RequestHead};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use crate::requests::{BROWSER, SMALL, with_cookies};

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
