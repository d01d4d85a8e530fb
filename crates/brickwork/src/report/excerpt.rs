//! The line of a message that something is said about, with a mark under the bytes that are meant:
//!
//! ```text
//!   |
//! 4 | Content Length: 50\r\n
//!   |        ^ not a tchar
//! ```
//!
//! Every byte is printable, secrets are hidden, and a long line is cut around the mark.

use std::fmt::Write;
use std::ops::Range;

use brickwork_server::http::{Diagnosis, Piece, Rejection, Rule, diagnose};
use brickwork_server::redaction::{REDACTED, escape_bytes};

use super::redact::Secrets;

/// What is marked, in which bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Excerpt<'a> {
    /// The bytes that the offset counts in.
    pub(crate) bytes: &'a [u8],
    pub(crate) piece: Piece,
    /// What is said, and about which byte.
    pub(crate) rejection: Rejection,
    pub(crate) label: &'a str,
}

/// How many lines of the message are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The line with the mark.
    Line,
    /// That line and these before it.
    LinesBefore(u32),
}

/// Characters of a line that are shown before and behind the mark.
const BEFORE: usize = 60;
const BEHIND: usize = 40;

/// What stands for the rest of a line.
const CUT: &str = "...";

impl Excerpt<'_> {
    /// Where the mark is.
    pub(crate) fn place(&self) -> Diagnosis {
        diagnose(self.bytes, self.rejection)
    }

    /// Width of the line number.
    pub(crate) fn gutter(&self) -> usize {
        match self.piece {
            Piece::Head | Piece::TrailerSection => self.place().line.to_string().len(),
            Piece::ChunkLine | Piece::Content => 1,
        }
    }

    /// The lines of the excerpt; none where the bytes are content, which is nobody's business.
    pub(crate) fn render(&self, shown: Shown) -> String {
        let place = self.place();
        let is_content = self.piece == Piece::Content && self.rejection.rule != Rule::ChunkDataEnd;
        if is_content {
            return String::new();
        }
        let first = match shown {
            Shown::Line => place.line,
            Shown::LinesBefore(count) => place.line.saturating_sub(count).max(1),
        };
        let gutter = self.gutter();
        let mut text = format!("{:gutter$} |\n", "");
        let mut secrets = Secrets::default();
        let mut hidden = None;
        for (line, number) in self.bytes.split_inclusive(|&byte| byte == b'\n').zip(1..=place.line) {
            let without_end = line.strip_suffix(b"\n").unwrap_or(line);
            hidden = secrets.hidden_part(without_end.strip_suffix(b"\r").unwrap_or(without_end));
            if (first..place.line).contains(&number) {
                let cells = Cells::of(line, hidden.clone());
                let _ = writeln!(text, "{number:gutter$} | {}", cells.window(0, BEFORE + BEHIND).0);
            }
        }
        self.render_marked(&place, hidden, gutter, &mut text);
        text
    }

    fn render_marked(&self, place: &Diagnosis, hidden: Option<Range<usize>>, gutter: usize, text: &mut String) {
        let at = (place.column - 1) as usize;
        let mut line = place.line_span.of(self.bytes);
        if self.piece == Piece::Content {
            line = &line[..line.len().min(at + 1)]; // what follows is content
        }
        let cells = Cells::of(line, hidden);
        let mark = cells.index_of(at);
        let (shown, before) = cells.window(mark, BEHIND);
        let width = cells.shown.get(mark).map_or(1, |cell| cell.text().len());
        let number = if self.piece == Piece::Head || self.piece == Piece::TrailerSection {
            format!("{:gutter$}", place.line)
        } else {
            " ".repeat(gutter)
        };
        let _ = writeln!(text, "{number} | {shown}");
        let _ = writeln!(text, "{:gutter$} | {:before$}{} {}", "", "", "^".repeat(width), self.label);
    }
}

/// A line as it is shown: a cell for each byte, one for all that is hidden. Only cells in the window are written out: the line may be
/// as long as a head.
struct Cells {
    shown: Vec<Cell>,
    /// Offset in the line of the first byte of each cell.
    starts: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Byte(u8),
    Hidden,
}

impl Cell {
    fn text(self) -> String {
        match self {
            Cell::Byte(byte) => escape_bytes(&[byte]),
            Cell::Hidden => REDACTED.into(),
        }
    }
}

impl Cells {
    fn of(line: &[u8], hidden: Option<Range<usize>>) -> Cells {
        let mut cells = Cells { shown: Vec::new(), starts: Vec::new() };
        for (at, &byte) in line.iter().enumerate() {
            let cell = match &hidden {
                Some(hidden) if at == hidden.start => Cell::Hidden,
                Some(hidden) if hidden.contains(&at) => continue,
                _ => Cell::Byte(byte),
            };
            cells.shown.push(cell);
            cells.starts.push(at);
        }
        cells
    }

    /// Which cell shows the byte at that offset; one past the last for a byte that is not there.
    fn index_of(&self, at: usize) -> usize {
        match self.starts.binary_search(&at) {
            Ok(index) => index,
            Err(next) if next == self.starts.len() && self.is_past(at) => next,
            Err(next) => next - 1,
        }
    }

    /// Whether an offset behind the start of the last cell is behind its end too: only what is hidden is longer than a byte.
    fn is_past(&self, at: usize) -> bool {
        match (self.shown.last(), self.starts.last()) {
            (Some(Cell::Hidden), _) => false,
            (Some(_), Some(start)) => at > *start,
            _ => true,
        }
    }

    /// The line around a cell, and how many characters stand before that cell.
    fn window(&self, mark: usize, behind: usize) -> (String, usize) {
        let end = (mark + 1 + behind).min(self.shown.len());
        let start = mark.saturating_sub(BEFORE);
        let mut text = String::from(if start > 0 { CUT } else { "" });
        let mut before = 0;
        for index in start..end {
            if index == mark {
                before = text.len();
            }
            text.push_str(&self.shown[index].text());
        }
        if mark >= end {
            before = text.len();
        }
        if end < self.shown.len() {
            text.push_str(CUT);
        }
        (text, before)
    }
}
