//! What a log may show of a request: bytes escaped, because a log is an attack surface, and without what lets its bearer in.
//!
//! Here is what holds for method and target, which every record about a request shows. Whoever shows more, such as field lines, has to
//! hide more.

use std::ops::Range;

/// What stands in the place of what is hidden.
pub const REDACTED: &str = "[redacted]";

/// A request-target, or a line that ends with one, as a log may show it: escaped, without user and password, and with the names of its
/// query but not the values.
#[must_use]
pub fn shown_target(line: &[u8]) -> String {
    let line = match userinfo(line) {
        Some(hidden) => [&line[..hidden.start], REDACTED.as_bytes(), &line[hidden.end..]].concat(),
        None => line.to_vec(),
    };
    let Some(query) = line.iter().position(|&byte| byte == b'?') else { return escape_bytes(&line) };
    let parts = line[query + 1..].split(|&byte| byte == b'&').map(|part| match part.iter().position(|&b| b == b'=') {
        Some(equals) => format!("{}={REDACTED}", escape_bytes(&part[..equals])),
        // Without a name it is a value.
        None if part.is_empty() => String::new(),
        None => REDACTED.into(),
    });
    format!("{}?{}", escape_bytes(&line[..query]), parts.collect::<Vec<String>>().join("&"))
}

/// The user:password of the first URI that has one, in a request-target or in a value such as that of Referer.
#[must_use]
pub fn userinfo(line: &[u8]) -> Option<Range<usize>> {
    let mut from = 0;
    while let Some(found) = line[from..].windows(3).position(|three| three == b"://") {
        let start = from + found + 3;
        let len = line[start..].iter().take_while(|byte| !b"/? \t".contains(byte)).count();
        if let Some(end) = line[start..start + len].iter().rposition(|&byte| byte == b'@')
            && end > 0
        {
            return Some(start..start + end);
        }
        from = start;
    }
    None
}

/// Bytes from the network: printable ASCII as it is, everything else as an escape. The backslash too, so that nothing
/// is ambiguous.
#[must_use]
pub fn escape_bytes(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace("\\'", "'").replace("\\\"", "\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_keeps_its_path_and_the_names_of_its_query() {
        let rows: [(&[u8], &str); 6] = [
            (b"GET /a", "GET /a"),
            (b"GET /a?", "GET /a?"),
            (b"GET /a?b=c&d=e=f&&g", "GET /a?b=[redacted]&d=[redacted]&&[redacted]"),
            (b"GET /a?secret", "GET /a?[redacted]"),
            (b"GET http://me:pass@h/a?b=c", "GET http://[redacted]@h/a?b=[redacted]"),
            (b"GET /\xff\x1b?\n=", "GET /\\xff\\x1b?\\n=[redacted]"),
        ];
        for (line, shown) in rows {
            assert_eq!(shown_target(line), shown);
        }
    }

    #[test]
    fn bytes_come_out_as_printable_ascii() {
        let rows: [(&[u8], &str); 6] = [
            (b"GET / HTTP/1.1", "GET / HTTP/1.1"),
            (b"a\r\nb\tc", "a\\r\\nb\\tc"),
            (b"\x00\x1b[31m\x7f", "\\x00\\x1b[31m\\x7f"),
            (b"caf\xc3\xa9", "caf\\xc3\\xa9"),
            (b"a\\x00", "a\\\\x00"),
            (b"it's \"so\"", "it's \"so\""),
        ];
        for (bytes, text) in rows {
            assert_eq!(escape_bytes(bytes), text);
        }
        let all: Vec<u8> = (0..=255).collect();
        assert!(escape_bytes(&all).bytes().all(|byte| (0x20..0x7f).contains(&byte)));
    }
}
