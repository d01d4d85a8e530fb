//! Makes bytes and text harmless in a log: what a client sends must not start a line, move a cursor or colour a
//! terminal. And hides what a log must not know: credentials and cookies.

use std::fmt::Write;

/// Bytes from the network: printable ASCII as it is, everything else as an escape. The backslash too, so that nothing
/// is ambiguous.
pub(crate) fn escape_bytes(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace("\\'", "'").replace("\\\"", "\"")
}

/// Text of our own or of the application: readable in any language, but no control characters, no line ends, and
/// nothing that turns the direction of writing.
pub(crate) fn escape_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\0'..='\x1f' | '\x7f'..='\u{9f}' if (character as u32) < 0x100 => {
                let _ = write!(escaped, "\\x{:02x}", character as u32);
            }
            // Line and paragraph separators, and the controls of bidirectional text.
            '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                let _ = write!(escaped, "\\u{:04x}", character as u32);
            }
            printable => escaped.push(printable),
        }
    }
    escaped
}

/// Appends a JSON string (RFC 8259 section 7), ASCII only where a log viewer could trip.
pub(crate) fn push_json_string(line: &mut String, text: &str) {
    line.push('"');
    for character in text.chars() {
        match character {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(line, "\\u{:04x}", character as u32);
            }
            printable => line.push(printable),
        }
    }
    line.push('"');
}

/// Splits a head into its lines, without their line ends, and hides the values of [`SECRET_FIELDS`].
///
/// Works on heads that were refused, too, so it is no parser: any line whose first word is such a name loses the rest,
/// whatever stands between, and so do the lines that continue it.
pub(super) fn redacted_lines(head: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let mut is_secret = false;
    let lines = head.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.map(move |line| {
        let is_continued = matches!(line.first(), Some(b' ' | b'\t'));
        let name_starts = line.iter().position(|&byte| is_name_byte(byte)).unwrap_or(line.len());
        let name_ends = line[name_starts..].iter().position(|&byte| !is_name_byte(byte));
        let name_ends = name_starts + name_ends.unwrap_or(line.len() - name_starts);
        let has_secret_name = SECRET_FIELDS.iter().any(|name| line[name_starts..name_ends].eq_ignore_ascii_case(name));
        if has_secret_name {
            is_secret = true;
            let rest = &line[name_ends..];
            let separator = rest.iter().take_while(|byte| b": \t".contains(byte)).count();
            let hidden: &[u8] = if separator == rest.len() { b"" } else { REDACTED };
            return [&line[..name_ends + separator], hidden].concat();
        }
        is_secret &= is_continued;
        if is_secret { [b" ", REDACTED].concat() } else { line.to_vec() }
    })
}

const REDACTED: &[u8] = b"[redacted]";

/// Fields whose values let their bearer in.
const SECRET_FIELDS: [&[u8]; 4] = [b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"];

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn text_stays_readable_and_on_its_line() {
        let rows = [
            ("größe 日本", "größe 日本"),
            ("one\ntwo\rthree\tfour", "one\\ntwo\\rthree\\tfour"),
            ("\u{1b}[2J\u{0}\u{7f}\u{9b}", "\\x1b[2J\\x00\\x7f\\x9b"),
            ("a\u{202e}b\u{2028}c", "a\\u202eb\\u2028c"),
            ("C:\\temp", "C:\\temp"),
        ];
        for (text, escaped) in rows {
            assert_eq!(escape_text(text), escaped);
        }
    }

    #[test]
    fn json_strings_are_escaped() {
        let mut line = String::new();
        push_json_string(&mut line, "a\"b\\c\nd\u{1}e\u{7f}é");
        assert_eq!(line, "\"a\\\"b\\\\c\\nd\\u0001e\\u007fé\"");
    }

    #[test]
    fn credentials_are_hidden_however_they_are_written() {
        let rows: [(&[u8], &[&str]); 10] = [
            (b"Authorization: Basic c2VjcmV0", &["Authorization: [redacted]"]),
            (b"AUTHORIZATION:c2VjcmV0", &["AUTHORIZATION:[redacted]"]),
            (b"Proxy-Authorization: x", &["Proxy-Authorization: [redacted]"]),
            (b"cookie: a=1; b=2", &["cookie: [redacted]"]),
            (b"Set-Cookie: a=1", &["Set-Cookie: [redacted]"]),
            (b"Authorization : x\r\nHost: a", &["Authorization : [redacted]", "Host: a"]),
            (b"Authorization x", &["Authorization [redacted]"]),
            (b"\x00Cookie\x0b: x", &["\0Cookie[redacted]"]),
            (b"Cookie: a\r\n b\r\n\tc\r\nHost: h", &["Cookie: [redacted]", " [redacted]", " [redacted]", "Host: h"]),
            (b"Cookie:\r\nX-Cookie-Law: yes", &["Cookie:", "X-Cookie-Law: yes"]),
        ];
        for (head, lines) in rows {
            let redacted: Vec<Vec<u8>> = redacted_lines(head).collect();
            let expected: Vec<Vec<u8>> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
            assert_eq!(redacted, expected, "{}", escape_bytes(head));
        }
    }
}
