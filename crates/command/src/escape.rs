//! Makes text harmless in a log: what a client sends must not start a line, move a cursor or colour a
//! terminal.

use std::fmt::Write;

/// Text of our own or of the application: readable in any language, but no control characters, no line ends, and
/// nothing that turns the direction of writing.
pub fn escape_text(text: &str) -> String {
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
pub fn push_json_string(line: &mut String, text: &str) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
