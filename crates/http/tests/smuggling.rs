//! Of every smuggling attempt exactly the requests are seen that must be, alone and behind a good request, however it is cut.

mod connection;

use brickwork_http::Limits;
use connection::{read, smuggling::attempts};

#[test]
fn a_smuggled_request_is_never_seen() {
    const GOOD: &[u8] = b"GET /good HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut wrong = Vec::new();
    for attempt in attempts() {
        for (before, behind) in [(b"".as_slice(), "alone"), (GOOD, "behind a good request")] {
            let bytes = [before, &attempt.bytes].concat();
            let every_byte: Vec<usize> = (1..bytes.len()).collect();
            for cuts in [Vec::new(), every_byte] {
                let outcome = read(&bytes, &cuts, &Limits::default());
                let seen = outcome.requests.iter().map(|request| String::from_utf8_lossy(&request.target).into_owned());
                let found = (seen.collect::<Vec<_>>(), outcome.rejection.map(|(rule, _)| rule.code()));
                let good = (!before.is_empty()).then(|| String::from("/good")).into_iter();
                let expected = (good.chain(attempt.seen.iter().cloned()).collect(), attempt.refused_by);
                if found != expected {
                    wrong.push(format!("{} {behind}: {found:?}, expected {expected:?}", attempt.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
