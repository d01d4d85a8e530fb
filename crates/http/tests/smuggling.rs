//! Of every smuggling attempt exactly the requests are seen that must be, alone and behind a good request, however it is cut.

mod connection;

use brickwork_http::Limits;
use connection::read;

/// A row of `fixtures/smuggling.txt`, which says what its columns are.
struct Attempt {
    name: String,
    seen: Vec<String>,
    refused_by: Option<&'static str>,
    bytes: Vec<u8>,
}

fn attempts() -> Vec<Attempt> {
    let table = include_str!("../fixtures/smuggling.txt");
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(attempt).collect()
}

fn attempt(line: &str) -> Attempt {
    let columns: Vec<&str> = line.splitn(5, " | ").collect();
    let [family, what, seen, refused_by, bytes] = columns[..] else { panic!("five columns: {line}") };
    let rule = || brickwork_http::Rule::from_code(refused_by).expect(line).code();
    Attempt {
        name: format!("{family}: {what}"),
        seen: seen.split(' ').filter(|&target| target != "-").map(String::from).collect(),
        refused_by: (refused_by != "ok").then(rule),
        bytes: unescaped(bytes),
    }
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match (byte, if byte == b'\\' { rest.next() } else { None }) {
            (b'\\', Some(b'r')) => b'\r',
            (b'\\', Some(b'n')) => b'\n',
            (b'\\', Some(b't')) => b'\t',
            (b'\\', Some(b'\\')) => b'\\',
            (b'\\', Some(b'x')) => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                u8::from_str_radix(str::from_utf8(&digits).expect("ASCII"), 16).expect("two digits")
            }
            (b'\\', other) => panic!("an escape of {other:?} in {text}"),
            (plain, _) => plain,
        });
    }
    bytes
}

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
