//! Every rule is explained, and what is said of its examples is so.

use super::*;

#[test]
fn every_rule_has_one_example_in_its_order() {
    let explained: Vec<Rule> = EXAMPLES.iter().map(|example| example.rule).collect();
    assert_eq!(explained, Rule::all().collect::<Vec<Rule>>());
}

#[test]
fn the_wrong_example_breaks_its_rule_and_the_right_one_breaks_none() {
    for example in EXAMPLES {
        let code = example.rule.code();
        let read = |bytes| annotate(bytes, "http", &Limits::default());
        match example.wrong {
            Wrong::Request(bytes) => assert_eq!(read(bytes).unwrap_err().rejection.rule, example.rule, "{code}"),
            Wrong::Tolerated(bytes) => {
                let tolerated = read(bytes).unwrap().unwrap().tolerated;
                assert!(tolerated.iter().any(|(rule, _)| *rule == example.rule), "{code}");
            }
            Wrong::Response(_) => assert_eq!(example.rule.kind(), RuleKind::Respond, "{code}"),
            Wrong::Nothing => assert!(code.starts_with("BW05"), "{code}"),
        }
        if matches!(example.wrong, Wrong::Request(_) | Wrong::Nothing) {
            let right = read(example.right).unwrap().unwrap();
            assert_eq!((right.tolerated.len(), right.len as usize), (0, example.right.len()), "{code}");
        }
    }
}

#[test]
fn a_rule_is_explained_with_its_examples() {
    let text = one("bw0107").unwrap();
    let expected = "\
BW0107 (400): field-name contains a space

RFC 9110 section 5.1
    field-name = token

Rejected with 400";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("^ not a tchar\n\nRight:\n    GET / HTTP/1.1\\r\\n\n"), "{text}");
    assert_eq!(one("BW9999"), None);
    assert_eq!(one("field-name"), None);
}

#[test]
fn every_rule_is_in_the_list() {
    let text = list();
    for rule in Rule::all() {
        assert!(text.lines().any(|line| line.starts_with(rule.code()) && line.ends_with(rule.title())));
    }
}

#[test]
fn the_reference_page_is_what_the_table_says() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/rules.md"));
    let is_same = page.unwrap_or_default() == markdown();
    assert!(is_same, "make it anew: brickwork explain --markdown > docs/reference/rules.md");
}
