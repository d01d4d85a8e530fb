//! A report of any bytes, with the mark anywhere, is printable text of bounded width.
#![no_main]

// The command's own crate embeds Python; its reports need none of it.
#[allow(dead_code, unused_imports)]
#[path = "../../crates/brickwork/src/report/mod.rs"]
mod report;

use brickwork_http::{Limits, Piece, Rejection, Rule, annotate};
use libfuzzer_sys::fuzz_target;
use report::Report;

fuzz_target!(|input: (u16, u16, u8, &[u8])| {
    let (rule, at, piece, bytes) = input;
    if let Err(refused) = annotate(bytes, "http", &Limits::default()) {
        let bytes = &bytes[refused.piece_start as usize..];
        check(Report {
            bytes,
            piece: refused.piece,
            rejection: refused.rejection,
            source: "a".into(),
            request_number: 1,
        });
    }
    let rules: Vec<Rule> = Rule::all().collect();
    let rejection = Rejection { rule: rules[rule as usize % rules.len()], at: u32::from(at) };
    let piece = [Piece::Head, Piece::ChunkLine, Piece::Content, Piece::TrailerSection][piece as usize % 4];
    check(Report { bytes, piece, rejection, source: String::from_utf8_lossy(bytes).into_owned(), request_number: 7 });
});

fn check(report: Report<'_>) {
    let (text, line, json) = (report.text(), report.line(), report.json());
    assert!(text.lines().count() <= 7);
    for excerpt in text.lines().filter(|line| line.contains(" | ")) {
        // A source of any length stands in the line with the arrow.
        assert!(excerpt.contains("-->") || excerpt.len() < 700, "{excerpt}");
    }
    let is_plain = |text: &str| !text.chars().any(|character| character.is_control() && character != '\n');
    assert!(is_plain(&text) && is_plain(&line) && is_plain(&json));
    assert!(!line.contains('\n') && !json.contains('\n'));
}
