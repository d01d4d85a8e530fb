//! Dates go out and come back.

use super::*;
use alloc::string::ToString;

const NOW: u64 = 1_790_000_000; // in September 2026

fn written(seconds: u64) -> [u8; 29] {
    let mut out = [0; 29];
    write_imf_fixdate(seconds, &mut out);
    out
}

#[test]
fn known_instants_are_written() {
    let rows = [
        (0, b"Thu, 01 Jan 1970 00:00:00 GMT"),
        (784_111_777, b"Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400, b"Tue, 29 Feb 2000 00:00:00 GMT"),
        (951_868_800, b"Wed, 01 Mar 2000 00:00:00 GMT"),
        (4_107_542_399, b"Sun, 28 Feb 2100 23:59:59 GMT"),
        (4_107_542_400, b"Mon, 01 Mar 2100 00:00:00 GMT"),
        (253_402_300_799, b"Fri, 31 Dec 9999 23:59:59 GMT"),
        (u64::MAX, b"Fri, 31 Dec 9999 23:59:59 GMT"),
    ];
    for (seconds, expected) in rows {
        assert_eq!(written(seconds).escape_ascii().to_string(), expected.escape_ascii().to_string());
    }
}

#[test]
fn every_day_of_four_centuries_comes_back() {
    for day in 0..146_097 {
        let seconds = day * SECONDS_PER_DAY + day % SECONDS_PER_DAY;
        assert_eq!(parse_http_date(&written(seconds), NOW), Some(seconds), "day {day}");
    }
}

#[test]
fn all_three_formats_are_read() {
    let rows: [(&str, u64); 6] = [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
        ("Sun Nov  6 08:49:37 1994", 784_111_777),
        ("Sun Nov 16 08:49:37 1994", 784_975_777),
        ("Friday, 06-Nov-26 08:49:37 GMT", 1_793_954_977),
        ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
    ];
    for (text, seconds) in rows {
        assert_eq!(parse_http_date(text.as_bytes(), NOW), Some(seconds), "{text}");
    }
}

#[test]
fn a_two_digit_year_far_in_the_future_lies_in_the_past() {
    let year_of = |text: &str| parse_http_date(text.as_bytes(), NOW).map(|at| civil_date(at / SECONDS_PER_DAY).0);
    assert_eq!(year_of("Friday, 06-Nov-76 08:49:37 GMT"), Some(2076));
    assert_eq!(year_of("Sunday, 06-Nov-77 08:49:37 GMT"), Some(1977));
}

#[test]
fn anything_else_is_no_date() {
    let rows = [
        "",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 30 Feb 1994 08:49:37 GMT",
        "Sun, 29 Feb 2100 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1969 08:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "784111777",
    ];
    for text in rows {
        assert_eq!(parse_http_date(text.as_bytes(), NOW), None, "{text}");
    }
}
