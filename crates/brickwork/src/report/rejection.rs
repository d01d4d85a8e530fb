//! Why a request was refused: the rule, the place, the grammar and what is done about it, like a compiler's error. A function of the
//! bytes and the rejection alone.
//!
//! ```text
//! error[BW0107]: field-name contains a space
//!  --> 203.0.113.9:51514 request #3, line 4, byte 8
//!   |
//! 4 | Content Length: 50\r\n
//!   |        ^ not a tchar
//!   = rule: RFC 9110 section 5.1: field-name = token
//!   = help: rejected with 400 and the connection closed, because a lenient peer could frame this message differently.
//! ```

use std::fmt::Write;

use brickwork_command::{escape_text, push_json_string};
use brickwork_server::RejectionNotice;
use brickwork_server::http::{Piece, Rejection};
use brickwork_server::redaction::escape_bytes;

use super::excerpt::{Excerpt, Shown};
use super::peer_name;
use super::redact::redacted_lines;

/// A refused request.
#[derive(Clone, Debug)]
pub(crate) struct Report<'a> {
    /// The bytes that the rejection's offset counts in.
    pub(crate) bytes: &'a [u8],
    /// Which of the message's bytes they are.
    pub(crate) piece: Piece,
    pub(crate) rejection: Rejection,
    /// Who sent it: an address, or the name of a file.
    pub(crate) source: String,
    /// Which request of the connection, from 1.
    pub(crate) request_number: u32,
}

impl<'a> Report<'a> {
    /// Of what the server tells.
    pub(crate) fn of(notice: &RejectionNotice<'a>) -> Report<'a> {
        Report {
            bytes: notice.bytes,
            piece: notice.piece,
            rejection: notice.rejection,
            source: peer_name(notice.peer),
            request_number: notice.request_number,
        }
    }

    /// In one line.
    pub(crate) fn line(&self) -> String {
        let rule = self.rejection.rule;
        let (code, title, status) = (rule.code(), rule.title(), rule.status());
        let (number, source) = (self.request_number, escape_text(&self.source));
        format!("{code} {title}: request #{number} of {source} refused with {status} at {}", self.place())
    }

    /// In full.
    pub(crate) fn text(&self) -> String {
        let rule = self.rejection.rule;
        let mut text = format!("error[{}]: {}\n", rule.code(), rule.title());
        let (source, number) = (escape_text(&self.source), self.request_number);
        let gutter = self.excerpt().gutter();
        let _ = writeln!(text, "{:gutter$}--> {source} request #{number}, {}", "", self.place());
        text.push_str(&self.excerpt().render(Shown::Line));
        let grammar = if rule.abnf().is_empty() { String::new() } else { format!(": {}", rule.abnf()) };
        let _ = writeln!(text, "{:gutter$} = rule: {}{grammar}", "", rule.section());
        let _ = writeln!(text, "{:gutter$} = help: {}", "", rule.help());
        text
    }

    /// As a JSON object.
    pub(crate) fn json(&self) -> String {
        let (rule, place) = (self.rejection.rule, self.excerpt().place());
        let mut json = String::from("{");
        for (key, value) in [
            ("rule", rule.code()),
            ("title", rule.title()),
            ("section", rule.section()),
            ("abnf", rule.abnf()),
            ("label", rule.label()),
            ("help", rule.help()),
            ("source", &self.source),
            ("piece", self.piece_name()),
            ("text", &self.line_text()),
        ] {
            push_json_string(&mut json, key);
            json.push(':');
            push_json_string(&mut json, value);
            json.push(',');
        }
        let (status, number, offset) = (rule.status(), self.request_number, self.rejection.at);
        let (line, byte) = (place.line, place.column);
        let _ = write!(
            json,
            "\"status\":{status},\"request\":{number},\"line\":{line},\"byte\":{byte},\"offset\":{offset}}}"
        );
        json
    }

    fn excerpt(&self) -> Excerpt<'_> {
        Excerpt { bytes: self.bytes, piece: self.piece, rejection: self.rejection, label: self.rejection.rule.label() }
    }

    /// The line in question, escaped and without its secrets.
    fn line_text(&self) -> String {
        let line = (self.excerpt().place().line - 1) as usize;
        if self.piece == Piece::Content {
            return String::new();
        }
        redacted_lines(self.bytes).nth(line).map_or(String::new(), |line| escape_bytes(&line))
    }

    fn piece_name(&self) -> &'static str {
        match self.piece {
            Piece::Head => "head",
            Piece::ChunkLine => "chunk line",
            Piece::Content => "content",
            Piece::TrailerSection => "trailer section",
        }
    }

    fn place(&self) -> String {
        let place = self.excerpt().place();
        match self.piece {
            Piece::Head => format!("line {}, byte {}", place.line, place.column),
            Piece::TrailerSection => format!("trailer section, line {}, byte {}", place.line, place.column),
            Piece::ChunkLine => format!("chunk line, byte {}", place.column),
            Piece::Content => String::from("its content"),
        }
    }
}

#[cfg(test)]
mod tests;
