//! Any bytes as chunked content: the same at every split, never more than the limit, and what is decoded encodes to the same.
#![no_main]

use brickwork_http::h1::{BodyReader, Framing, Step};
use brickwork_http::{Limits, Rule};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits {
    request_line: 8190,
    fields: 100,
    field_line: 60,
    head: 65536,
    content: 1000,
    chunk_line: 64,
    trailer_section: 200,
};

fuzz_target!(|data: &[u8]| {
    let whole = decode(data, data.len().max(1));
    for size in [1, 2, 3, 7, 31] {
        assert_eq!(decode(data, size), whole);
    }
    let Ok(Some((content, taken))) = whole else { return };
    assert!(taken <= data.len() && content.len() as u64 <= LIMITS.content);
    let mut encoded = Vec::new();
    for chunk in content.chunks(100) {
        encoded.extend_from_slice(format!("{:X};a=\"b\"\r\n", chunk.len()).as_bytes());
        encoded.extend_from_slice(chunk);
        encoded.extend_from_slice(b"\r\n");
    }
    encoded.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(decode(&encoded, 13), Ok(Some((content, encoded.len()))));
});

/// The content and the bytes it took; None if they end early; or the rule and the byte.
type Decoded = Result<Option<(Vec<u8>, usize)>, (Rule, usize)>;

fn decode(data: &[u8], size: usize) -> Decoded {
    let mut reader = BodyReader::new(Framing::Chunked);
    let (mut content, mut start, mut end) = (Vec::new(), 0, 0);
    loop {
        let input = &data[start..end];
        match reader.step(input, &LIMITS) {
            Ok(Step::Content { skip, len }) => {
                content.extend_from_slice(&input[skip..skip + len]);
                start += skip + len;
            }
            Ok(Step::Complete { skip }) => return Ok(Some((content, start + skip))),
            Ok(Step::Partial { skip }) => {
                start += skip;
                if end == data.len() {
                    return Ok(None);
                }
                end = (end + size).min(data.len());
            }
            Err(rejection) => return Err((rejection.rule, start + reader.element_start() + rejection.at as usize)),
        }
    }
}
