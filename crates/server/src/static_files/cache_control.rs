//! Which files never change: those whose name tells their content's hash, as bundlers and Django's manifest storage
//! write them.

/// The answer to any further request for a name that stands for its content (RFC 9111 section 5.2.2, RFC 8246).
pub(super) const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// Whether a file is named like `app.3f9a2c1b.js` or `app-3f9a2c1b.css`: between a word and an extension, 8 to 64
/// lower-case hexadecimal digits, letters and figures among them.
///
/// Asked too much, a hash is taken for an ordinary name and revalidated, which costs a 304. Asked too little, a changed
/// file would not be seen for a year: so a date (`report.20240115.pdf`), a word (`app.facadedecade.css`) and what UUIDs
/// are made of are no hashes.
pub(super) fn is_hashed(name: &[u8]) -> bool {
    let Some(dot) = name.iter().rposition(|&byte| byte == b'.') else { return false };
    let mut before: &[u8] = &[];
    for part in name[..dot].split(|&byte| byte == b'.') {
        let mut words = part.rsplit(|&byte| byte == b'-');
        let last = words.next().unwrap_or(&[]);
        if is_hash(last) && is_word(words.next().unwrap_or(before)) {
            return true;
        }
        before = last;
    }
    false
}

fn is_word(part: &[u8]) -> bool {
    part.iter().any(|byte| byte.is_ascii_alphabetic() && !byte.is_ascii_hexdigit())
}

fn is_hash(part: &[u8]) -> bool {
    (8..=64).contains(&part.len())
        && part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && part.iter().any(u8::is_ascii_digit)
        && part.iter().any(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_stands_between_a_word_and_an_extension() {
        for name in [
            "app.3f9a2c1b.js",
            "app-3f9a2c1b.js",
            "app.3f9a2c1b.js.map",
            "admin-base.27e20196a850.css",
            "vendor.min.0123456789abcdef0123456789abcdef.js",
            "icons-9e107d9d372bb6826bd81d3542a419d6.svg",
        ] {
            assert!(is_hashed(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn dates_words_and_uuids_are_no_hashes() {
        for name in [
            "app.js",
            "3f9a2c1b.js",
            "app.3f9a2c1b",
            "app.3f9a2c1.js",
            "app.3F9A2C1B.js",
            "app3f9a2c1b.js",
            "report.20240115.pdf",
            "report-20240115.pdf",
            "IMG-20240115123456.jpg",
            "app.deadbeef.js",
            "550e8400-e29b-41d4-a716-4466554400ab.jpg",
            "avatar-550e84ab-e29b-41d4-a716-4466554400ab.jpg",
            ".3f9a2c1b.js",
            "",
            ".",
        ] {
            assert!(!is_hashed(name.as_bytes()), "{name}");
        }
    }
}
