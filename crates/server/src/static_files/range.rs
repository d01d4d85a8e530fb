//! Which bytes a Range field asks for, RFC 9110 sections 14.1 and 14.2.

use std::ops::Range;

use super::list;

/// What is to be sent of a representation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Selection {
    /// All of it: no range was asked for, or not one that is understood or sensible.
    Whole,
    /// These bytes, in the order asked for; none is empty. One of them, or several.
    Ranges(Vec<Range<u64>>),
    /// The ranges are in order, but the representation has none of these bytes.
    Unsatisfiable,
}

/// More ranges than this in one request are the sign of an attack: browsers and PDF readers ask for a few.
const MOST_RANGES: usize = 16;

/// Reads the value of the one Range field.
///
/// ```text
/// ranges-specifier = range-unit "=" range-set
/// range-set        = 1#range-spec
/// ```
///
/// Section 14.2 lets a server ignore a field that is invalid, or a set that costs more than it saves; section 17.15
/// asks for it. Ranges that together are longer than the representation must overlap, so that an answer is never longer
/// than the file and some part heads.
pub(super) fn select(value: &[u8], complete_length: u64) -> Selection {
    let Some(set) = value.split_at_checked(6).filter(|(unit, _)| unit.eq_ignore_ascii_case(b"bytes=")) else {
        return Selection::Whole;
    };
    let mut ranges = Vec::new();
    let mut specs = 0;
    for spec in list::elements(set.1) {
        specs += 1;
        match range(spec, complete_length) {
            Some(range) if !range.is_empty() => ranges.push(range),
            Some(_) => {}
            None => return Selection::Whole,
        }
    }
    // Of an empty representation only a suffix-range is satisfiable, by no bytes at all: section 14.2 allows to ignore
    // the field.
    if specs == 0 || specs > MOST_RANGES || complete_length == 0 {
        return Selection::Whole;
    }
    if ranges.is_empty() {
        return Selection::Unsatisfiable;
    }
    let total = ranges.iter().map(|range| range.end - range.start).fold(0, u64::saturating_add);
    if total > complete_length { Selection::Whole } else { Selection::Ranges(ranges) }
}

// range-spec   = int-range / suffix-range
// int-range    = first-pos "-" [ last-pos ]
// suffix-range = "-" suffix-length
/// The bytes of a range-spec; empty if it cannot be satisfied, None if it is invalid.
fn range(spec: &[u8], complete_length: u64) -> Option<Range<u64>> {
    let hyphen = spec.iter().position(|&byte| byte == b'-')?;
    let (first, last) = (&spec[..hyphen], &spec[hyphen + 1..]);
    if first.is_empty() {
        let suffix_length = number(last)?;
        return Some(complete_length.saturating_sub(suffix_length)..complete_length);
    }
    let first = number(first)?;
    let end = if last.is_empty() {
        complete_length
    } else {
        let last = number(last)?;
        if last < first {
            return None;
        }
        last.saturating_add(1).min(complete_length)
    };
    Some(first..end.max(first))
}

/// 1*DIGIT; what is over 64 bits is as good as the greatest number (section 14.1.2 warns of overflows).
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let append = |value: u64, digit: &u8| value.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(digits.iter().fold(0, append))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(value: &str, length: u64) -> Selection {
        select(value.as_bytes(), length)
    }

    #[test]
    fn the_examples_of_section_14_1_2() {
        let rows: [(&str, &[(u64, u64)]); 9] = [
            ("bytes=0-499", &[(0, 499)]),
            ("bytes=500-999", &[(500, 999)]),
            ("bytes=-500", &[(9500, 9999)]),
            ("bytes=9500-", &[(9500, 9999)]),
            ("bytes=0-0,-1", &[(0, 0), (9999, 9999)]),
            ("bytes= 0-999, 4500-5499, -1000", &[(0, 999), (4500, 5499), (9000, 9999)]),
            ("bytes=500-600,601-999", &[(500, 600), (601, 999)]),
            ("bytes=500-700,601-999", &[(500, 700), (601, 999)]),
            ("bytes=7000-7999,500-999", &[(7000, 7999), (500, 999)]),
        ];
        for (value, expected) in rows {
            let expected = expected.iter().map(|(first, last)| *first..last + 1).collect();
            assert_eq!(selected(value, 10_000), Selection::Ranges(expected), "{value}");
        }
    }

    #[test]
    fn ranges_end_where_the_representation_does() {
        let rows = [
            ("bytes=0-", 0..10),
            ("bytes=9-", 9..10),
            ("bytes=5-10", 5..10),
            ("bytes=5-99999999999999999999999999", 5..10),
            ("bytes=0-18446744073709551615", 0..10),
            ("bytes=-10", 0..10),
            ("bytes=-11", 0..10),
            ("bytes=-99999999999999999999999999", 0..10),
            ("BYTES=3-4", 3..5),
            ("bytes=,3-4, ,", 3..5),
            ("bytes=3-4,20-30", 3..5),
            ("bytes=00003-04", 3..5),
        ];
        for (value, range) in rows {
            assert_eq!(selected(value, 10), Selection::Ranges(vec![range]), "{value}");
        }
    }

    #[test]
    fn bytes_that_are_not_there_are_unsatisfiable() {
        for value in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=10-,-0", "bytes=99999999999999999999999999-"] {
            assert_eq!(selected(value, 10), Selection::Unsatisfiable, "{value}");
        }
    }

    #[test]
    fn what_is_invalid_or_of_another_unit_is_ignored() {
        let rows = [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=a-b",
            "bytes=0-9x",
            "bytes=1",
            "bytes=5-4",
            "bytes=0-1,5-4",
            "bytes=0-1;2-3",
            "bytes=+0-1",
            "bytes=0x0-1",
            "bytes=--1",
            "bytes=0--1",
            "bytes = 0-1",
            "bytes=0 - 1",
            "octets=0-1",
            "items=1",
            "bytes:0-1",
        ];
        for value in rows {
            assert_eq!(selected(value, 10), Selection::Whole, "{value}");
        }
    }

    #[test]
    fn floods_and_ranges_longer_than_the_whole_are_ignored() {
        let many = |count: usize| format!("bytes={}", vec!["0-0"; count].join(","));
        assert!(matches!(selected(&many(16), 100), Selection::Ranges(ranges) if ranges.len() == 16));
        assert_eq!(selected(&many(17), 100), Selection::Whole);
        assert_eq!(selected(&format!("bytes=0-0{}", ",200-".repeat(1000)), 100), Selection::Whole);
        for value in ["bytes=0-,0-", "bytes=0-,-1", "bytes=0-60,40-99", "bytes=-99,-2"] {
            assert_eq!(selected(value, 100), Selection::Whole, "{value}");
        }
    }

    #[test]
    fn of_nothing_all_is_sent() {
        for value in ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0"] {
            assert_eq!(selected(value, 0), Selection::Whole, "{value}");
        }
    }
}
