//! Sections 13.1 and 13.2.2 of RFC 9110 as tables.

use super::Verdict::{Failed, NotModified, Perform};
use super::*;
use crate::static_files::test_request::TestRequest;

/// A representation with the tag "now", last modified Sun, 06 Nov 1994 08:49:37 GMT.
const MODIFIED: u64 = 784_111_777;
const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
const NOW: u64 = MODIFIED + 1000;

fn validators(is_weak: bool) -> Validators {
    let entity_tag = EntityTag { is_weak, opaque_tag: "\"now\"".into() };
    Validators { entity_tag, last_modified: Some(MODIFIED) }
}

fn request(fields: &[(&str, &str)]) -> TestRequest {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    TestRequest::get("/", &fields)
}

fn verdict(is_weak: bool, fields: &[(&str, &str)]) -> Verdict {
    evaluate(request(fields).view(), &validators(is_weak), NOW)
}

#[test]
fn each_precondition_alone() {
    let rows: [(&str, &str, Verdict); 31] = [
        ("If-Match", "*", Perform),
        ("If-Match", "\"now\"", Perform),
        ("If-Match", "\"then\"", Failed),
        ("If-Match", "\"then\", \"now\"", Perform),
        ("If-Match", "\"the,n\" ,\t\"now\"", Perform),
        ("If-Match", ", ,\"now\",", Perform),
        ("If-Match", "W/\"now\"", Failed),
        ("If-Match", "now", Failed),
        ("If-Match", "\"now", Failed),
        ("If-Match", "\"then\" \"now\"", Failed),
        ("If-Match", "", Failed),
        ("If-None-Match", "*", NotModified),
        ("If-None-Match", "\"now\"", NotModified),
        ("If-None-Match", "W/\"now\"", NotModified),
        ("If-None-Match", "\"then\", W/\"now\"", NotModified),
        ("If-None-Match", "\"then\"", Perform),
        ("If-None-Match", "now", Perform),
        ("If-None-Match", "", Perform),
        ("If-None-Match", "*, \"now\"", Perform),
        ("If-Modified-Since", SAME, NotModified),
        ("If-Modified-Since", LATER, NotModified),
        ("If-Modified-Since", EARLIER, Perform),
        ("If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT", NotModified),
        ("If-Modified-Since", "Sun Nov  6 08:49:37 1994", NotModified),
        ("If-Modified-Since", "yesterday", Perform),
        ("If-Modified-Since", "784111777", Perform),
        ("If-Unmodified-Since", SAME, Perform),
        ("If-Unmodified-Since", LATER, Perform),
        ("If-Unmodified-Since", EARLIER, Failed),
        ("If-Unmodified-Since", "yesterday", Perform),
        ("If-Range", "\"then\"", Perform),
    ];
    for (name, value, expected) in rows {
        assert_eq!(verdict(false, &[(name, value)]), expected, "{name}: {value}");
    }
}

#[test]
fn several_preconditions_in_the_order_of_section_13_2_2() {
    let rows: [(&[(&str, &str)], Verdict); 12] = [
        (&[], Perform),
        // Step 1 before 3: a failed If-Match is 412 whatever If-None-Match says.
        (&[("If-None-Match", "\"now\""), ("If-Match", "\"then\"")], Failed),
        (&[("If-None-Match", "\"now\""), ("If-Match", "\"now\"")], NotModified),
        (&[("If-Match", "\"now\""), ("If-Modified-Since", SAME)], NotModified),
        // Step 2 only without If-Match.
        (&[("If-Match", "\"now\""), ("If-Unmodified-Since", EARLIER)], Perform),
        (&[("If-Match", "\"then\""), ("If-Unmodified-Since", LATER)], Failed),
        // Step 2 before 3 and 4.
        (&[("If-Unmodified-Since", EARLIER), ("If-None-Match", "\"now\"")], Failed),
        (&[("If-Unmodified-Since", SAME), ("If-Modified-Since", SAME)], NotModified),
        // Step 4 only without If-None-Match, also when that is of no use.
        (&[("If-None-Match", "\"then\""), ("If-Modified-Since", LATER)], Perform),
        (&[("If-None-Match", "\"now\""), ("If-Modified-Since", EARLIER)], NotModified),
        (&[("If-None-Match", "rubbish"), ("If-Modified-Since", LATER)], Perform),
        // Two lines of a list are one list; two dates are none.
        (&[("If-None-Match", "\"then\""), ("If-None-Match", "\"now\"")], NotModified),
    ];
    for (fields, expected) in rows {
        assert_eq!(verdict(false, fields), expected, "{fields:?}");
    }
    assert_eq!(verdict(false, &[("If-Modified-Since", LATER), ("If-Modified-Since", LATER)]), Perform);
    assert_eq!(verdict(false, &[("If-Unmodified-Since", EARLIER), ("If-Unmodified-Since", EARLIER)]), Perform);
}

#[test]
fn a_weak_tag_of_ours_satisfies_if_none_match_only() {
    assert_eq!(verdict(true, &[("If-Match", "\"now\"")]), Failed);
    assert_eq!(verdict(true, &[("If-Match", "W/\"now\"")]), Failed);
    assert_eq!(verdict(true, &[("If-Match", "*")]), Perform);
    assert_eq!(verdict(true, &[("If-None-Match", "\"now\"")]), NotModified);
    assert_eq!(verdict(true, &[("If-None-Match", "W/\"now\"")]), NotModified);
}

#[test]
fn dates_mean_nothing_where_there_is_no_modification_date() {
    let undated = Validators { last_modified: None, ..validators(false) };
    for name in ["If-Modified-Since", "If-Unmodified-Since"] {
        for date in [EARLIER, SAME, LATER] {
            assert_eq!(evaluate(request(&[(name, date)]).view(), &undated, NOW), Perform, "{name}: {date}");
        }
    }
    assert!(!permits_range(request(&[("If-Range", SAME)]).view(), &undated, NOW));
}

#[test]
fn if_range_wants_a_strong_match() {
    let rows: [(&str, bool, bool); 12] = [
        // Value; whether it permits ranges when our tag is strong, and when it is weak.
        ("\"now\"", true, false),
        ("W/\"now\"", false, false),
        ("\"then\"", false, false),
        ("\"now\", \"then\"", false, false),
        ("*", false, false),
        ("now", false, false),
        ("", false, false),
        (SAME, true, true),
        ("Sun Nov  6 08:49:37 1994", true, true),
        (EARLIER, false, false),
        (LATER, false, false),
        ("yesterday", false, false),
    ];
    for (value, if_strong, if_weak) in rows {
        let request = request(&[("Range", "bytes=0-1"), ("If-Range", value)]);
        assert_eq!(permits_range(request.view(), &validators(false), NOW), if_strong, "{value}");
        assert_eq!(permits_range(request.view(), &validators(true), NOW), if_weak, "{value}, ours weak");
    }
    assert!(permits_range(request(&[("Range", "bytes=0-1")]).view(), &validators(true), NOW));
    let twice = request(&[("If-Range", "\"now\""), ("If-Range", "\"now\"")]);
    assert!(!permits_range(twice.view(), &validators(false), NOW));
}

#[test]
fn in_the_second_of_the_change_its_date_permits_no_range() {
    let request = request(&[("If-Range", SAME)]);
    assert!(!permits_range(request.view(), &validators(false), MODIFIED));
    assert!(permits_range(request.view(), &validators(false), MODIFIED + 1));
}
