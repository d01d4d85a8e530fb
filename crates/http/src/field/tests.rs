//! Known names are recognised in any case, and nothing else is.

use super::*;

#[test]
fn every_known_name_is_recognised_in_any_case() {
    assert_eq!(FieldName::all().count(), FieldName::COUNT - 1);
    for name in FieldName::all() {
        let text = name.as_str();
        assert_eq!(FieldName::of(text.as_bytes()), name);
        assert_eq!(FieldName::of(text.to_ascii_uppercase().as_bytes()), name);
    }
}

#[test]
fn near_misses_are_other() {
    for name in [
        "",
        "x",
        "hosts",
        "hos",
        "h_st",
        "content_length",
        "content-lengtj",
        "x-forwarded-fo",
        "upgrade-insecure-requestsx",
    ] {
        assert_eq!(FieldName::of(name.as_bytes()), FieldName::Other, "{name}");
    }
}

#[test]
fn no_other_byte_is_taken_for_a_byte_of_a_known_name() {
    for name in FieldName::all() {
        let text = name.as_str().as_bytes();
        for index in 0..text.len() {
            for byte in 0..=255 {
                let mut changed = text.to_vec();
                changed[index] = byte;
                let is_same = byte.eq_ignore_ascii_case(&text[index]);
                let found = FieldName::of(&changed);
                assert!(is_same == (found == name), "{}", changed.escape_ascii());
            }
        }
    }
}
