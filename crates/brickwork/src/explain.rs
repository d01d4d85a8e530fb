//! `brickwork explain`: a rule of the table with examples, all rules in a list, or the reference page of them.

use std::fmt::Write;

use brickwork_server::http::{Limits, Piece, Rejection, Rule, RuleKind, annotate};
use brickwork_server::redaction::escape_bytes;

use crate::report::{Excerpt, Shown};

mod examples;

use examples::{EXAMPLES, Example, Wrong};

/// Every rule in a line.
pub(crate) fn list() -> String {
    let mut text = String::new();
    for rule in Rule::all() {
        let _ = writeln!(text, "{}  {:<10} {}", rule.code(), outcome(rule), rule.title());
    }
    text.push_str("\nbrickwork explain CODE says more about one of them.\n");
    text
}

/// One rule in full; none if there is no such code.
pub(crate) fn one(code: &str) -> Option<String> {
    let rule = Rule::from_code(code)?;
    let mut text = format!("{} ({}): {}\n\n", rule.code(), outcome(rule), rule.title());
    let _ = writeln!(text, "{}", rule.section());
    if !rule.abnf().is_empty() {
        let _ = writeln!(text, "    {}", rule.abnf());
    }
    let _ = writeln!(text, "\n{}", sentence(rule.help()));
    for (heading, example) in shown(rule) {
        let _ = writeln!(text, "\n{heading}:");
        for line in example.lines() {
            let _ = writeln!(text, "    {line}");
        }
    }
    Some(text)
}

/// The reference page, docs/reference/rules.md.
pub(crate) fn markdown() -> String {
    let mut text = String::from(PAGE_HEAD);
    let mut part = "";
    for rule in Rule::all() {
        let code = rule.code();
        if code[..4] != *part {
            part = &code[..4];
            let _ = writeln!(text, "\n## {}", part_title(part));
        }
        let _ = writeln!(text, "\n### {code}: {}\n", rule.title());
        let _ = writeln!(text, "{}. {}", outcome_in_words(rule), rule.section());
        if !rule.abnf().is_empty() {
            let _ = writeln!(text, "\n    {}", rule.abnf());
        }
        let _ = writeln!(text, "\n{}", sentence(rule.help()));
        for (heading, example) in shown(rule) {
            let _ = writeln!(text, "\n{heading}:\n\n```text\n{}\n```", example.trim_end());
        }
    }
    text
}

const PAGE_HEAD: &str = "\
<!-- Made by `brickwork explain --markdown`; a test holds it against the table of rules. -->
# Rules

Every rule that a request or a response can break. A rule that refuses has a status; the connection closes with that answer. A rule
that tolerates says how the request is read. A rule about responses says what becomes of what the application gave.
[Strictness](../concepts/strictness.md) says why. `brickwork explain CODE` prints one of them, `brickwork check-request FILE` applies them.
";

fn part_title(part: &str) -> &'static str {
    match part {
        "BW00" => "Request-line and line ends",
        "BW01" => "Field lines",
        "BW02" => "Host",
        "BW03" => "Framing",
        "BW04" => "Chunked content",
        "BW05" => "Limits and deadlines",
        "BW06" => "Expectations and connection",
        _ => "Responses",
    }
}

fn outcome(rule: Rule) -> String {
    match rule.kind() {
        RuleKind::Reject => rule.status().to_string(),
        RuleKind::Tolerate => String::from("tolerated"),
        RuleKind::Respond => String::from("response"),
    }
}

fn outcome_in_words(rule: Rule) -> String {
    match rule.kind() {
        RuleKind::Reject => format!("Refused with {}", rule.status()),
        RuleKind::Tolerate => String::from("Tolerated"),
        RuleKind::Respond => String::from("About a response"),
    }
}

fn sentence(help: &str) -> String {
    let mut letters = help.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// The examples of a rule, each with its heading.
fn shown(rule: Rule) -> Vec<(&'static str, String)> {
    let Some(example) = EXAMPLES.iter().find(|example| example.rule == rule) else { return Vec::new() };
    let right = |example: &Example| lines(example.right);
    match example.wrong {
        Wrong::Request(bytes) => vec![("Wrong", wrong(rule, bytes)), ("Right", right(example))],
        Wrong::Tolerated(bytes) => vec![("Accepted", tolerated(rule, bytes))],
        Wrong::Response(line) => {
            vec![("Wrong", line.into()), ("Right", String::from_utf8_lossy(example.right).into_owned())]
        }
        Wrong::Nothing => vec![("Right", right(example))],
    }
}

/// A request as escaped lines.
fn lines(bytes: &[u8]) -> String {
    bytes.split_inclusive(|&byte| byte == b'\n').map(|line| escape_bytes(line) + "\n").collect()
}

/// As many lines as explain a rule that depends on the ones before it.
const CONTEXT: Shown = Shown::LinesBefore(4);

/// The refused request, with the mark.
fn wrong(rule: Rule, bytes: &[u8]) -> String {
    match annotate(bytes, "http", &Limits::default()) {
        Err(refused) if refused.rejection.rule == rule => {
            let start = refused.piece_start as usize;
            let piece = bytes.get(start..).unwrap_or(&[]);
            let excerpt =
                Excerpt { bytes: piece, piece: refused.piece, rejection: refused.rejection, label: rule.label() };
            let before = if start > 0 { lines(&bytes[..start]) } else { String::new() };
            before + &excerpt.render(CONTEXT)
        }
        // A test sees to it that this does not happen.
        _ => lines(bytes),
    }
}

/// The accepted request, with a mark at what is tolerated.
fn tolerated(rule: Rule, bytes: &[u8]) -> String {
    let Ok(Some(annotation)) = annotate(bytes, "http", &Limits::default()) else { return lines(bytes) };
    let at = annotation.tolerated.iter().find(|(found, _)| *found == rule).map_or(0, |(_, at)| *at);
    Excerpt { bytes, piece: Piece::Head, rejection: Rejection { rule, at }, label: "accepted" }.render(CONTEXT)
}

#[cfg(test)]
mod tests;
