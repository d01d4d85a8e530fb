//! What was made of a connection's bytes, for people.

use std::fmt::Write;

use brickwork_command::escape_text;
use brickwork_server::http::h1::Persistence;
use brickwork_server::http::{Annotation, Part, Piece, Rejection, Span};
use brickwork_server::redaction::escape_bytes;

use super::{Checked, environ};
use crate::report::{Excerpt, Shown};

/// Everything: each message taken apart, then the report if one was refused.
pub(super) fn in_full(checked: &Checked<'_>) -> String {
    let mut text = String::new();
    for (index, (bytes, annotation)) in checked.accepted.iter().enumerate() {
        let _ = writeln!(
            text,
            "accepted: {} request #{}, {} bytes",
            escape_text(checked.source),
            index + 1,
            annotation.len
        );
        message(bytes, annotation, &mut text);
        text.push('\n');
    }
    match &checked.refused {
        Some(report) => text.push_str(&report.text()),
        None if checked.accepted.is_empty() => {
            let _ = writeln!(text, "error: {}: no request in these bytes", escape_text(checked.source));
        }
        None => {}
    }
    if checked.unread > 0 {
        let _ = writeln!(text, "{} bytes behind the last request of the connection are not read", checked.unread);
    }
    text
}

/// One line of a folder's table.
pub(super) fn in_a_line(checked: &Checked<'_>, width: usize, text: &mut String) {
    let source = escape_text(checked.source);
    let _ = match (&checked.refused, checked.accepted.len()) {
        (Some(report), _) => {
            let rule = report.rejection.rule;
            writeln!(text, "refused   {source:width$}  {} {} {}", rule.code(), rule.status(), rule.title())
        }
        (None, 0) => writeln!(text, "refused   {source:width$}  no request in these bytes"),
        (None, 1) => writeln!(text, "accepted  {source:width$}"),
        (None, count) => writeln!(text, "accepted  {source:width$}  {count} requests"),
    };
}

fn message(bytes: &[u8], annotation: &Annotation, text: &mut String) {
    let mut within = "";
    for part in &annotation.parts {
        let is_new = part.within != within || begins_anew(bytes, part);
        within = part.within;
        let shown_within = if is_new { within } else { "" };
        let (start, production) = (part.span.start, part.production);
        let _ = writeln!(text, "  {start:>6}  {shown_within:<15}  {production:<17}  {}", shown(part.span.of(bytes)));
    }
    let decision = annotation.framing;
    let _ = writeln!(text, "  framing: RFC 9112 section 6.3 step {}: {}", decision.step, decision.reason);
    let content: u64 = annotation.content.iter().map(|span| u64::from(span.len)).sum();
    let _ = writeln!(text, "  content: {content} bytes");
    let persistence = match annotation.head.persistence {
        Persistence::Persistent => "may carry another request",
        Persistence::Close => "closes after the response",
    };
    let _ = writeln!(text, "  connection: {persistence}");
    for &(rule, at) in &annotation.tolerated {
        let _ = writeln!(text, "  tolerated: {} {}: {}", rule.code(), rule.title(), rule.help());
        let excerpt = Excerpt { bytes, piece: Piece::Head, rejection: Rejection { rule, at }, label: "here" };
        for line in excerpt.render(Shown::Line).lines() {
            let _ = writeln!(text, "    {line}");
        }
    }
    let _ = writeln!(text, "  environ, and what the connection adds:");
    for (key, value) in environ::environ(bytes, annotation) {
        let _ = writeln!(text, "    {:<24}  '{}'", escape_text(&key), escape_bytes(&value));
    }
}

/// Whether a part begins a field line or a chunk of its own, behind another one.
fn begins_anew(bytes: &[u8], part: &Part) -> bool {
    let is_first = part.span.start == 0 || Span { start: part.span.start - 1, len: 1 }.of(bytes) == b"\n";
    is_first && matches!(part.production, "field-name" | "chunk-size")
}

/// Bytes of a part, escaped; content that is long is cut.
fn shown(bytes: &[u8]) -> String {
    const LONGEST: usize = 100;
    match bytes.get(..LONGEST) {
        Some(start) if bytes.len() > LONGEST => format!("'{}'... ({} bytes)", escape_bytes(start), bytes.len()),
        _ => format!("'{}'", escape_bytes(bytes)),
    }
}
