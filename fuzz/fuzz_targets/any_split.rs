//! However the bytes of a connection are cut, the same requests are seen, and the same rule is broken at the same byte.
#![no_main]

#[path = "../../crates/http/tests/connection/mod.rs"]
mod connection;

use brickwork_http::Limits;
use connection::read;
use libfuzzer_sys::fuzz_target;

/// So tight that small inputs meet every limit.
const TIGHT: Limits =
    Limits { request_line: 40, fields: 4, field_line: 40, head: 150, content: 40, chunk_line: 20, trailer_section: 30 };

fuzz_target!(|data: &[u8]| {
    let every_byte: Vec<usize> = (1..data.len()).collect();
    for limits in [Limits::default(), TIGHT] {
        let whole = read(data, &[], &limits);
        assert_eq!(read(data, &every_byte, &limits), whole);
        assert_eq!(read(data, &cuts(data), &limits), whole);
    }
});

/// Some cuts, which depend on nothing but the bytes.
fn cuts(data: &[u8]) -> Vec<usize> {
    let mut state = data
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mut cuts: Vec<usize> = (0..8)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % data.len().max(1)
        })
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    cuts.retain(|&cut| cut > 0);
    cuts
}
