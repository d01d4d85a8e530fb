//! Durations as people write them: `30s`, `2m`, `500ms`, `1h`; a bare number is seconds.

use std::fmt;
use std::time::Duration;

/// Reads a duration.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(SYNTAX.into()),
    };
    if number.is_empty() {
        return Err(SYNTAX.into());
    }
    let total = number.parse::<u64>().ok().and_then(|number| number.checked_mul(milliseconds));
    match total.map(Duration::from_millis) {
        Some(duration) if duration <= LONGEST => Ok(duration),
        _ => Err("too long: at most 8760h, a year".into()),
    }
}

/// Reads a duration that a deadline can be made of: nobody keeps a deadline of no time.
pub(super) fn parse_deadline(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("a deadline must be more than 0".into()),
        deadline => Ok(deadline),
    }
}

const SYNTAX: &str = "a duration is a whole number with ms, s, m or h, such as 30s; without a unit it is seconds";

/// A bound that keeps every sum of a time and a duration in range.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Writes a duration the way [`parse_duration`] reads it.
pub struct DurationText(pub Duration);

impl fmt::Display for DurationText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.0.as_millis();
        if milliseconds.is_multiple_of(1_000) {
            write!(f, "{}s", milliseconds / 1_000)
        } else {
            write!(f, "{milliseconds}ms")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_with_units() {
        let rows = [
            ("0", 0),
            ("30", 30_000),
            ("30s", 30_000),
            ("500ms", 500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("8760h", 31_536_000_000),
        ];
        for (text, milliseconds) in rows {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        let rows = [
            "",
            "s",
            "-1",
            "+1",
            " 1",
            "1 ",
            "1 s",
            "1.5s",
            "1_000",
            "0x10",
            "1d",
            "1S",
            "30sec",
            "１",
            "1s2",
            "8761h",
            "18446744073709551616",
            "18446744073709551615h",
        ];
        for text in rows {
            assert!(parse_duration(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_deadline_is_more_than_nothing() {
        for text in ["0", "0ms", "0h"] {
            assert!(parse_deadline(text).is_err(), "{text:?} was accepted");
        }
        assert_eq!(parse_deadline("1ms"), Ok(Duration::from_millis(1)));
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        for text in ["0s", "500ms", "30s", "120s"] {
            let duration = parse_duration(text).unwrap();
            assert_eq!(DurationText(duration).to_string(), text);
        }
    }
}
