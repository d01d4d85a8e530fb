//! Every rule that refuses has its report in `snapshots`, made from its fixtures; and no report gives a secret away.

use std::collections::BTreeMap;
use std::path::Path;

use brickwork_server::http::{Limits, Rule, RuleKind};

use super::*;
use crate::check_request::check;

const SOURCE: &str = "203.0.113.9:51514";

fn reports() -> BTreeMap<&'static str, Vec<String>> {
    let mut reports: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../http/fixtures/reject");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let bytes = std::fs::read(file).unwrap();
        let report = check(&bytes, SOURCE, &Limits::default()).refused.unwrap();
        reports.entry(report.rejection.rule.code()).or_default().push(report.text());
    }
    // These are broken by time.
    for (rule, piece, bytes) in [
        (Rule::HeadDeadline, Piece::Head, b"GET / HTTP/1.1\r\nHost: a.ex".as_slice()),
        (Rule::ContentDeadline, Piece::ChunkLine, b"1"),
        (Rule::ContentDeadline, Piece::Content, b"password=secret"),
    ] {
        let rejection = Rejection { rule, at: bytes.len() as u32 };
        let report = Report { bytes, piece, rejection, source: SOURCE.into(), request_number: 1 };
        reports.entry(rule.code()).or_default().push(report.text());
    }
    reports
}

#[test]
fn every_rule_that_refuses_has_its_report() {
    let reports = reports();
    for rule in Rule::all().filter(|rule| rule.kind() == RuleKind::Reject) {
        let texts = reports.get(rule.code()).unwrap_or_else(|| panic!("{} has no fixture", rule.code()));
        insta::assert_snapshot!(rule.code(), texts.join("\n"));
    }
}

#[test]
fn there_is_no_report_of_a_rule_that_has_gone() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/rejection/snapshots");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let code = name.rsplit("__").next().unwrap().trim_end_matches(".snap");
        assert_eq!(Rule::from_code(code).map(Rule::kind), Some(RuleKind::Reject), "{name}");
    }
}

#[test]
fn every_report_is_printable_ascii_of_bounded_width() {
    for text in reports().into_values().flatten() {
        assert!(text.bytes().all(|byte| byte == b'\n' || (0x20..0x7f).contains(&byte)), "{text}");
        let excerpt = text.lines().filter(|line| !line.trim_start().starts_with("="));
        assert!(excerpt.map(str::len).max() < Some(200), "{text}");
    }
}

fn refused(bytes: &[u8]) -> (String, String) {
    let checked = check(bytes, SOURCE, &Limits::default());
    let report = checked.refused.unwrap();
    (report.text(), report.json())
}

#[test]
fn a_secret_is_not_told_even_where_the_fault_is_in_it() {
    let rows: [(&[u8], &str); 6] = [
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic sec\x00ret\r\n\r\n",
            "3 | Authorization: [redacted]\\r\\n\n  |                ^^^^^^^^^^ a control byte\n",
        ),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nCookie : secret\r\n\r\n",
            "3 | Cookie : [redacted]\\r\\n\n  |       ^ whitespace",
        ),
        (b"GET / HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n secret\r\n\r\n", "4 |  [redacted]\\r\\n\n  | ^ continues"),
        (
            b"GET / HTTP/1.1\r\nCookie: a=secret\nHost: a\r\n\r\n",
            "2 | Cookie: [redacted]\\n\n  |                   ^^ LF without CR\n",
        ),
        (b"GET http://u:secret@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "1 | GET http://[redacted]@a/ HTTP/1.1"),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nasecret=secret\r\n",
            "  | s\n  | ^ CRLF is expected",
        ),
    ];
    for (bytes, excerpt) in rows {
        let (text, json) = refused(bytes);
        assert!(text.contains(excerpt), "{text}\nwanted:\n{excerpt}");
        for told in [text, json] {
            assert!(!told.contains("secret") && !told.contains("ret\\r"), "{told}");
        }
    }
}

#[test]
fn a_long_line_is_cut_around_the_mark() {
    let bytes = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\x01{}\r\n\r\n", "b".repeat(300), "c".repeat(300));
    let (text, _) = refused(bytes.as_bytes());
    let (b, c) = ("b".repeat(60), "c".repeat(40));
    assert!(text.contains(&format!("3 | ...{b}\\x01{c}...\n  | {:63}^^^^ a control byte\n", "")), "{text}");
}

#[test]
fn the_line_and_the_object_say_the_same() {
    let bytes = b"GET / HTTP/1.1\r\nHost: a\r\nA b: \"c\"\r\n\r\n";
    let checked = check(bytes, SOURCE, &Limits::default());
    let report = checked.refused.unwrap();
    let line = "BW0107 field-name contains a space: request #1 of 203.0.113.9:51514 refused with 400 at line 3, byte 2";
    assert_eq!(report.line(), line);
    let json = report.json();
    assert!(json.starts_with("{\"rule\":\"BW0107\",\"title\":\"field-name contains a space\","), "{json}");
    let end = "\"source\":\"203.0.113.9:51514\",\"piece\":\"head\",\"text\":\"A b: \\\"c\\\"\",\"status\":400,\"request\":1,\
               \"line\":3,\"byte\":2,\"offset\":26}";
    assert!(json.ends_with(end), "{json}");
}
