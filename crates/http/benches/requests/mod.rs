//! The requests that benchmarks take: of the parser here, of the environ in `crates/wsgi/benches/environ.rs`.
//!
//! Not those of `bench/instructions`, whose recorded counts belong to bytes of their own.

/// The least that HTTP/1.1 asks for: load generators, health checks.
pub(crate) const SMALL: &[u8] = b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n";

/// What a browser sends when it opens a page.
pub(crate) const BROWSER: &[u8] = b"GET /guestbook/entries?page=2&order=newest HTTP/1.1\r\n\
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
pub(crate) fn with_cookies() -> Vec<u8> {
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
