//! The line that an exchange leaves in the access log.

use std::io::Write;
use std::net::IpAddr;
use std::time::SystemTime;

use brickwork_http::{FieldName, Version};

use crate::{Exchange, Peer};

/// What a line says, borrowed from the exchange.
#[derive(Debug)]
pub(crate) struct AccessLine<'a> {
    exchange: &'a Exchange,
    at: SystemTime,
}

impl<'a> AccessLine<'a> {
    pub(crate) fn new(exchange: &'a Exchange, at: SystemTime) -> AccessLine<'a> {
        AccessLine { exchange, at }
    }

    /// Address and, if known, port.
    fn client(&self) -> Option<(IpAddr, Option<u16>)> {
        match self.exchange.peer() {
            _ if self.exchange.forwarded.client.is_some() => self.exchange.forwarded.client,
            Peer::Tcp { remote, .. } => Some((remote.ip(), Some(remote.port()))),
            Peer::Unix { .. } => None,
        }
    }

    /// The request line's three parts; None for a request that could not be parsed.
    fn request_line(&self) -> Option<(&'a [u8], &'a [u8], &'static str)> {
        let request = self.exchange.request();
        if request.head.len == 0 {
            return None;
        }
        let version = match request.head.version {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
        };
        Some((request.text(request.head.method_span), request.text(request.head.target.raw), version))
    }

    fn field(&self, name: FieldName) -> Option<&'a [u8]> {
        let request = self.exchange.request();
        let field = request.head.fields.iter().find(|field| field.known == name)?;
        Some(request.text(field.value))
    }

    /// Seconds since the head was complete.
    fn duration(&self) -> Option<f64> {
        Some(self.exchange.began?.elapsed().as_secs_f64())
    }

    /// Apache's combined format.
    pub(crate) fn combined(&self, out: &mut Vec<u8>, time: &mut ClfTime) {
        match self.client() {
            Some((client, _)) => push(out, format_args!("{client}")),
            None => out.push(b'-'),
        }
        out.extend_from_slice(b" - - [");
        out.extend_from_slice(time.of(self.at));
        out.extend_from_slice(b"] \"");
        match self.request_line() {
            Some((method, target, version)) => {
                push_escaped(out, method);
                out.push(b' ');
                push_escaped(out, target);
                push(out, format_args!(" {version}"));
            }
            None => out.push(b'-'),
        }
        push(out, format_args!("\" {} ", self.exchange.response.status_code()));
        match self.exchange.progress.content_sent {
            0 => out.push(b'-'),
            sent => push(out, format_args!("{sent}")),
        }
        for name in [FieldName::Referer, FieldName::UserAgent] {
            out.extend_from_slice(b" \"");
            push_escaped(out, self.field(name).unwrap_or(b"-"));
            out.push(b'"');
        }
        out.push(b'\n');
    }

    /// One JSON object. Bytes outside ASCII are read as Latin-1, as the application sees them.
    pub(crate) fn json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"time\":\"");
        push_iso_time(out, self.at);
        out.push(b'"');
        if let Some((client, port)) = self.client() {
            push(out, format_args!(",\"client\":\"{client}\""));
            if let Some(port) = port {
                push(out, format_args!(",\"client_port\":{port}"));
            }
        }
        if let Some((method, target, version)) = self.request_line() {
            push_json(out, "method", method);
            push_json(out, "target", target);
            push(out, format_args!(",\"version\":\"{version}\""));
        }
        push(out, format_args!(",\"status\":{}", self.exchange.response.status_code()));
        push(out, format_args!(",\"bytes\":{}", self.exchange.progress.content_sent));
        if let Some(seconds) = self.duration() {
            push(out, format_args!(",\"duration_ms\":{:.3}", seconds * 1000.0));
        }
        for (key, name) in [("referer", FieldName::Referer), ("user_agent", FieldName::UserAgent)] {
            if let Some(value) = self.field(name) {
                push_json(out, key, value);
            }
        }
        out.extend_from_slice(b"}\n");
    }
}

/// Appends formatted text; writing to a `Vec` cannot fail.
fn push(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

/// Client bytes in a text log: quotes and backslashes escaped, everything unprintable as `\xNN` (a log is an attack surface).
fn push_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x20..=0x7e => out.push(byte),
            _ => push(out, format_args!("\\x{byte:02x}")),
        }
    }
}

fn push_json(out: &mut Vec<u8>, key: &str, bytes: &[u8]) {
    push(out, format_args!(",\"{key}\":\""));
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x20..=0x7e => out.push(byte),
            _ => push(out, format_args!("\\u{byte:04x}")),
        }
    }
    out.push(b'"');
}

/// Calendar parts of a time in UTC: year, month 1 to 12, day, hour, minute, second, milliseconds.
fn civil(at: SystemTime) -> (i64, usize, u64, u64, u64, u64, u32) {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // Days are counted from 0000-03-01, so that the leap day is the last of its year; 146,097 days are 400 years.
    let from_march = days + 719_468;
    let (era, day_of_era) = (from_march / 146_097, from_march % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = (year_of_era + era * 400) as i64 + i64::from(month <= 2);
    (year, month as usize, day, second / 3600, second / 60 % 60, second % 60, since.subsec_millis())
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `20/Nov/2026:19:54:03 +0000`, written anew only when the second changes.
#[derive(Debug, Default)]
pub(crate) struct ClfTime {
    /// Since 1970; with an empty text, of no time.
    second: u64,
    text: Vec<u8>,
}

impl ClfTime {
    fn of(&mut self, at: SystemTime) -> &[u8] {
        let second = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        if self.text.is_empty() || second != self.second {
            let (year, month, day, hour, minute, seconds, _) = civil(at);
            let month = MONTHS.get(month - 1).copied().unwrap_or("-");
            self.second = second;
            self.text.clear();
            let parts = format_args!("{day:02}/{month}/{year}:{hour:02}:{minute:02}:{seconds:02} +0000");
            push(&mut self.text, parts);
        }
        &self.text
    }
}

/// `2026-11-20T19:54:03.123Z`
fn push_iso_time(out: &mut Vec<u8>, at: SystemTime) {
    let (year, month, day, hour, minute, second, millis) = civil(at);
    push(out, format_args!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn writes_times_in_both_formats() {
        // Seconds as `date -u +%s` gives them.
        let table = [
            (0, "01/Jan/1970:00:00:00 +0000", "1970-01-01T00:00:00.000Z"),
            (951_782_400, "29/Feb/2000:00:00:00 +0000", "2000-02-29T00:00:00.000Z"),
            (1_795_204_443, "20/Nov/2026:19:54:03 +0000", "2026-11-20T19:54:03.000Z"),
            (4_107_542_399, "28/Feb/2100:23:59:59 +0000", "2100-02-28T23:59:59.000Z"),
        ];
        let mut time = ClfTime::default();
        for (seconds, clf, iso) in table {
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(String::from_utf8_lossy(time.of(at)), clf);
            assert_eq!(String::from_utf8_lossy(time.of(at + Duration::from_millis(999))), clf);
            assert_eq!(text(|out| push_iso_time(out, at)), iso);
        }
    }

    #[test]
    fn client_bytes_cannot_break_out_of_a_line() {
        assert_eq!(text(|out| push_escaped(out, b"a\"b\\c\r\n\x1b[0m\xff")), r#"a\"b\\c\x0d\x0a\x1b[0m\xff"#);
        assert_eq!(text(|out| push_json(out, "k", b"a\"b\\\n\xe9")), r#","k":"a\"b\\\u000a\u00e9""#);
    }
}
