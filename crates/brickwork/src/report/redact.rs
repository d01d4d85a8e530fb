//! Hides what a log must not know: credentials and cookies. Works on heads that were refused, too, so it is no parser: a line that
//! begins with such a name loses the rest, whatever stands between, and so do the lines that continue it.

use std::ops::Range;

use brickwork_server::redaction::{REDACTED, userinfo};

/// Fields whose values let their bearer in.
const SECRET_FIELDS: [&[u8]; 4] = [b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"];

/// Splits a head into its lines, without their line ends, and hides the secrets in them.
pub(super) fn redacted_lines(head: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let mut secrets = Secrets::default();
    head.split(|&byte| byte == b'\n').map(move |line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match secrets.hidden_part(line) {
            Some(hidden) => [&line[..hidden.start], REDACTED.as_bytes(), &line[hidden.end..]].concat(),
            None => line.to_vec(),
        }
    })
}

/// Looks at one line after the other.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// Whether the lines in hand belong to a secret field.
    is_secret: bool,
}

impl Secrets {
    /// The part of the next line, which comes without its line end, that must not be shown.
    pub(super) fn hidden_part(&mut self, line: &[u8]) -> Option<Range<usize>> {
        if self.is_secret && matches!(line.first(), Some(b' ' | b'\t')) {
            return Some(1..line.len());
        }
        let secret = secret_value(line);
        self.is_secret = secret.is_some();
        match secret {
            Some(start) => Some(start..line.len()).filter(|hidden| !hidden.is_empty()),
            None => userinfo(line),
        }
    }
}

/// Where the value of a secret field starts. A bare CR begins a line for some recipients, so it does here.
fn secret_value(line: &[u8]) -> Option<usize> {
    let mut start = 0;
    for part in line.split(|&byte| byte == b'\r') {
        let name_start = start + part.iter().position(|&byte| is_name_byte(byte)).unwrap_or(part.len());
        let name_len = line[name_start..].iter().take_while(|&&byte| is_name_byte(byte)).count();
        let name_end = name_start + name_len;
        if SECRET_FIELDS.iter().any(|name| line[name_start..name_end].eq_ignore_ascii_case(name)) {
            let separator = line[name_end..].iter().take_while(|byte| b": \t".contains(byte)).count();
            return Some(name_end + separator);
        }
        start += part.len() + 1;
    }
    None
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_however_they_are_written() {
        let rows: [(&[u8], &[&str]); 14] = [
            (b"Authorization: Basic c2VjcmV0", &["Authorization: [redacted]"]),
            (b"AUTHORIZATION:c2VjcmV0", &["AUTHORIZATION:[redacted]"]),
            (b"Proxy-Authorization: x", &["Proxy-Authorization: [redacted]"]),
            (b"cookie: a=1; b=2", &["cookie: [redacted]"]),
            (b"Set-Cookie: a=1", &["Set-Cookie: [redacted]"]),
            (b"Authorization : x\r\nHost: a", &["Authorization : [redacted]", "Host: a"]),
            (b"Authorization x", &["Authorization [redacted]"]),
            (b"\x00Cookie\x0b: x", &["\0Cookie[redacted]"]),
            (b"Cookie: a\r\n b\r\n\tc\r\nHost: h", &["Cookie: [redacted]", " [redacted]", "\t[redacted]", "Host: h"]),
            (b"Cookie:\r\nX-Cookie-Law: yes", &["Cookie:", "X-Cookie-Law: yes"]),
            (b"Cookie:\r\n a=1\r\nHost: h", &["Cookie:", " [redacted]", "Host: h"]),
            (b"X: y\rCookie: a=1", &["X: y\rCookie: [redacted]"]),
            (b"GET http://me:pass@a/?q=@ HTTP/1.1", &["GET http://[redacted]@a/?q=@ HTTP/1.1"]),
            (b"Referer: https://a/ http://b@c/", &["Referer: https://a/ http://[redacted]@c/"]),
        ];
        for (head, lines) in rows {
            let redacted: Vec<Vec<u8>> = redacted_lines(head).collect();
            let expected: Vec<Vec<u8>> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
            assert_eq!(redacted, expected, "{}", head.escape_ascii());
        }
    }
}
