//! Runs one path of brickwork-http so many times: `brickwork-instructions PATH COUNT`. Without arguments: the paths'
//! names. `brickwork-instructions serve ACCEPTED REFUSED` has a server answer so many requests of each kind.
//!
//! Measures nothing itself: count.py runs it twice under callgrind, with different counts, and takes the difference.

mod served;

use std::hint::black_box;
use std::process::ExitCode;

use brickwork_http::h1::{BodyReader, Framing, HeadParser, Progress, RequestHead, ResponseHead, ResponseLength, Step};
use brickwork_http::{Limits, Method, Version};

type Path = (&'static str, fn(u32));

const PATHS: &[Path] = &[
    ("parse a request of 41 bytes", |count| parse(SMALL, count)),
    ("parse a browser's request", |count| parse(BROWSER, count)),
    ("parse a request with 2 KB of cookies", |count| parse(&cookies(), count)),
    ("write a response head", response_head),
    ("read chunked content", chunked),
];

const SMALL: &[u8] = b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n";

const BROWSER: &[u8] = b"GET /catalogue/shelves?page=3&order=title HTTP/1.1\r\n\
Host: www.example.com\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n\
Accept-Encoding: gzip, deflate, br, zstd\r\n\
Referer: https://www.example.com/catalogue/shelves?page=2&order=title\r\n\
DNT: 1\r\n\
Connection: keep-alive\r\n\
Cookie: session=7f6f1d3c6a6d4f2e9a402b9d1c9ad2e1; theme=dark\r\n\
Upgrade-Insecure-Requests: 1\r\n\
Sec-Fetch-Dest: document\r\n\
Sec-Fetch-Mode: navigate\r\n\
Sec-Fetch-Site: same-origin\r\n\
Sec-Fetch-User: ?1\r\n\
Priority: u=0, i\r\n\r\n";

/// The browser's request with four cookies of 512 bytes instead of its own.
fn cookies() -> Vec<u8> {
    let values: Vec<String> = (0..4).map(|number| format!("part{number}={}", "0123456789abcdef".repeat(32))).collect();
    let text = String::from_utf8_lossy(BROWSER);
    let own = "session=7f6f1d3c6a6d4f2e9a402b9d1c9ad2e1; theme=dark";
    text.replace(own, &values.join("; ")).into_bytes()
}

fn parse(request: &[u8], count: u32) {
    let (mut parser, mut head, limits) = (HeadParser::new(), RequestHead::default(), Limits::default());
    for _ in 0..count {
        let progress = parser.parse(black_box(request), &limits, &mut head);
        assert!(matches!(progress, Ok(Progress::Complete)), "{progress:?}");
        black_box(&head);
    }
}

fn response_head(count: u32) {
    let mut head = ResponseHead::new();
    for _ in 0..count {
        head.start(black_box(200), black_box(b"OK")).expect("a good status line");
        for (name, value) in
            [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "5120"), ("X-Frame-Options", "DENY")]
        {
            head.field(black_box(name.as_bytes()), black_box(value.as_bytes())).expect("a good field");
        }
        let request = (Method::Get, Version::Http11);
        let date = b"Fri, 20 Nov 2026 19:54:03 GMT";
        black_box(head.finish(request, ResponseLength::Known(5120), true, black_box(date), b"brickwork"));
        black_box(head.as_bytes());
    }
}

/// Four chunks of different sizes, one with an extension, and a trailer.
fn chunked(count: u32) {
    let mut message = Vec::new();
    for (line, size) in [("5", 0x5), ("40;name=value", 0x40), ("400", 0x400), ("1000", 0x1000)] {
        message.extend_from_slice(line.as_bytes());
        message.extend_from_slice(b"\r\n");
        message.resize(message.len() + size, b'x');
        message.extend_from_slice(b"\r\n");
    }
    message.extend_from_slice(b"0\r\nX-Checksum: 0123456789abcdef\r\n\r\n");
    let limits = Limits::default();
    for _ in 0..count {
        let (mut reader, mut at) = (BodyReader::new(Framing::Chunked), 0);
        loop {
            match reader.step(black_box(&message[at..]), &limits) {
                Ok(Step::Content { skip, len }) => at += skip + len,
                Ok(Step::Complete { skip }) => break assert_eq!(at + skip, message.len()),
                other => panic!("{other:?}"),
            }
        }
        black_box(at);
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        PATHS.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    };
    let mut number = || arguments.next().and_then(|word| word.parse().ok());
    let (count, refused) = (number(), number());
    match (name.as_str(), PATHS.iter().find(|(path, _)| *path == name), count) {
        ("serve", _, Some(count)) => served::serve(count, refused.unwrap_or(0)).expect("a connection with ourselves"),
        (_, Some((_, run)), Some(count)) => run(count),
        _ => {
            eprintln!(
                "usage: brickwork-instructions PATH COUNT\n       brickwork-instructions serve ACCEPTED [REFUSED]"
            );
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
