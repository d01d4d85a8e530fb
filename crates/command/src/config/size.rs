//! Sizes as people write them: `512KiB`, `20MiB`, `1GiB`; a bare number is bytes.

use std::fmt;

/// Reads a size in bytes.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let Some(&(_, bytes)) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) else {
        return Err(SYNTAX.into());
    };
    if number.is_empty() {
        return Err(SYNTAX.into());
    }
    let total = number.parse::<u64>().ok().and_then(|number| number.checked_mul(bytes));
    total.filter(|&total| total <= LARGEST).ok_or_else(|| "too large: at most 1048576 GiB".into())
}

/// Reads the bound of a part of a head. All of a head is held in memory, for every connection.
pub(super) fn parse_head_size(text: &str) -> Result<u32, String> {
    match parse_size(text)? {
        0 => Err("must be more than 0".into()),
        size if size <= LARGEST_HEAD => Ok(size as u32),
        _ => Err(format!("too large: at most {}", SizeText(LARGEST_HEAD))),
    }
}

const SYNTAX: &str = "a size is a whole number with KiB, MiB or GiB, such as 512KiB; without a unit it is bytes";
const UNITS: [(&str, u64); 5] = [("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
/// A pebibyte: far above any use, and sums of it stay in range.
const LARGEST: u64 = 1 << 50;
const LARGEST_HEAD: u64 = 16 << 20;

/// Writes a size in the largest unit that divides it.
pub struct SizeText(pub u64);

impl fmt::Display for SizeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fitting = UNITS.iter().rev().find(|(_, bytes)| self.0 >= *bytes && self.0.is_multiple_of(*bytes));
        let &(name, bytes) = fitting.unwrap_or(&("B", 1));
        write!(f, "{} {}", self.0 / bytes, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_with_units() {
        let rows = [
            ("0", 0),
            ("8190", 8190),
            ("1B", 1),
            ("512KiB", 524_288),
            ("512kib", 524_288),
            ("20MiB", 20_971_520),
            ("1GiB", 1_073_741_824),
            ("1048576GiB", 1 << 50),
        ];
        for (text, bytes) in rows {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        let rows = [
            "",
            "KiB",
            "-1",
            "+1",
            " 1",
            "1 KiB",
            "1.5MiB",
            "1_000",
            "0x10",
            "1k",
            "1kB",
            "1M",
            "1TiB",
            "1KiB2",
            "1048577GiB",
            "18446744073709551616",
            "18446744073709551615GiB",
        ];
        for text in rows {
            assert!(parse_size(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_head_is_bounded_on_both_sides() {
        assert_eq!(parse_head_size("16MiB"), Ok(16 << 20));
        for text in ["0", "17MiB", "4GiB"] {
            assert!(parse_head_size(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn sizes_are_written_in_the_largest_unit_that_divides_them() {
        for (bytes, text) in [(0, "0 B"), (1, "1 B"), (1025, "1025 B"), (524_288, "512 KiB"), (1 << 30, "1 GiB")] {
            assert_eq!(SizeText(bytes).to_string(), text);
        }
    }
}
