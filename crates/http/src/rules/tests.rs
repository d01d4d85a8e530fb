//! The table is in order and says something everywhere.

use super::*;

#[test]
fn every_rule_finds_its_own_row() {
    for (index, row) in TABLE.iter().enumerate() {
        assert_eq!(row.rule as usize, index, "{}", row.code);
        assert_eq!(Rule::from_code(row.code), Some(row.rule));
    }
    assert_eq!(Rule::ResponseBrokenOff as usize + 1, TABLE.len());
}

#[test]
fn codes_ascend_and_have_the_documented_shape() {
    for pair in TABLE.windows(2) {
        assert!(pair[0].code < pair[1].code, "{} before {}", pair[0].code, pair[1].code);
    }
    for row in &TABLE {
        let digits = row.code.strip_prefix("BW").expect(row.code);
        assert!(digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()), "{}", row.code);
    }
}

#[test]
fn a_rule_answers_by_its_kind() {
    for row in &TABLE {
        let expected = match row.kind {
            RuleKind::Reject => [400, 408, 413, 414, 417, 421, 431, 501, 505].contains(&row.status),
            RuleKind::Tolerate => row.status == 0,
            RuleKind::Respond => row.status == 500,
        };
        assert!(expected, "{} has status {}", row.code, row.status);
        assert_eq!(row.code[4..].parse::<u32>().expect("digits") >= 50, row.kind == RuleKind::Tolerate, "{}", row.code);
    }
}

#[test]
fn every_row_is_filled_in() {
    for row in &TABLE {
        assert!(row.section.starts_with("RFC "), "{}: {}", row.code, row.section);
        assert!(row.section.contains(" section "), "{}: {}", row.code, row.section);
        assert!(!row.title.is_empty() && !row.title.ends_with('.'), "{}", row.code);
        assert_eq!(row.label.is_empty(), row.kind != RuleKind::Reject, "{}", row.code);
        assert!(row.help.ends_with('.') && row.help.len() > 30, "{}", row.code);
    }
}
