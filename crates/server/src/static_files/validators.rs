//! What tells one state of a file from another: ETag and Last-Modified, RFC 9110 section 8.8.

use std::hash::{DefaultHasher, Hash, Hasher};

use brickwork_http::write_imf_fixdate;
use rustix::fs::Stat;

/// The validators of one representation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Validators {
    pub(super) entity_tag: EntityTag,
    /// Seconds since 1970; None where there is no such thing.
    pub(super) last_modified: Option<u64>,
}

/// An entity-tag.
///
/// ```text
/// entity-tag = [ weak ] opaque-tag
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EntityTag {
    pub(super) is_weak: bool,
    /// With its quotes.
    pub(super) opaque_tag: String,
}

/// Seconds in which a file may change once more without its change time showing it: file systems count in steps of up
/// to two seconds.
const SETTLED: u64 = 2;

impl Validators {
    /// Those of a file in this state, looked at now (seconds since 1970).
    ///
    /// The tag is made of what no program can set at will: which file it is and when the kernel last saw it change
    /// (ctime), with its size. A modification time alone is no witness: archives and reproducible builds set it to a
    /// constant. It is a hash, so that it tells nobody an inode number. The tag is strong once a further change could
    /// not keep it; of a file that changed a moment ago it is weak.
    pub(super) fn of_file(stat: &Stat, now: u64) -> Validators {
        let mut hasher = DefaultHasher::new();
        (stat.st_dev, stat.st_ino, stat.st_size).hash(&mut hasher);
        (stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec).hash(&mut hasher);
        let changed = u64::try_from(stat.st_ctime).unwrap_or(0);
        Validators {
            entity_tag: EntityTag::new(hasher.finish(), changed.saturating_add(SETTLED) > now),
            // Section 8.8.2.1: never later than the message's own date.
            last_modified: Some(u64::try_from(stat.st_mtime).unwrap_or(0).min(now)),
        }
    }

    /// Those of content that was made for the request.
    pub(super) fn of_content(content: &[u8]) -> Validators {
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        Validators { entity_tag: EntityTag::new(hasher.finish(), false), last_modified: None }
    }

    /// Whether this is the Last-Modified date, and one that a client can have relied on (section 8.8.2.2): in the
    /// second of a change, two states of a file have the same date.
    pub(super) fn is_exact_date(&self, date: u64, now: u64) -> bool {
        self.last_modified == Some(date) && date < now
    }
}

impl EntityTag {
    fn new(hash: u64, is_weak: bool) -> EntityTag {
        EntityTag { is_weak, opaque_tag: format!("\"{hash:016x}\"") }
    }

    /// The field value.
    pub(super) fn to_text(&self) -> String {
        format!("{}{}", if self.is_weak { "W/" } else { "" }, self.opaque_tag)
    }

    /// The comparison of section 8.8.3.2 by which two tags are equivalent only if both are strong.
    pub(super) fn matches_strongly(&self, other: SentTag<'_>) -> bool {
        !self.is_weak && !other.is_weak && self.matches_weakly(other)
    }

    /// The comparison for which it makes no difference whether a tag is weak.
    pub(super) fn matches_weakly(&self, other: SentTag<'_>) -> bool {
        self.opaque_tag.as_bytes() == other.opaque_tag
    }
}

/// An entity-tag in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SentTag<'a> {
    pub(super) is_weak: bool,
    pub(super) opaque_tag: &'a [u8],
}

impl<'a> SentTag<'a> {
    /// Reads the tag at the start of `bytes`, and what follows it. A comma may be part of a tag.
    ///
    /// ```text
    /// weak       = %s"W/"
    /// opaque-tag = DQUOTE *etagc DQUOTE
    /// etagc      = %x21 / %x23-7E / obs-text
    /// ```
    pub(super) fn read(bytes: &'a [u8]) -> Option<(SentTag<'a>, &'a [u8])> {
        let (is_weak, quoted) = match bytes.strip_prefix(b"W/") {
            Some(rest) => (true, rest),
            None => (false, bytes),
        };
        let inside = quoted.strip_prefix(b"\"")?;
        let is_etagc = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..=0xff);
        let len = inside.iter().position(|byte| !is_etagc(byte))?;
        if inside[len] != b'"' {
            return None;
        }
        let (opaque_tag, rest) = quoted.split_at(len + 2);
        Some((SentTag { is_weak, opaque_tag }, rest))
    }
}

/// The field value of a date.
pub(super) fn http_date(seconds: u64) -> [u8; 29] {
    let mut text = [0; 29];
    write_imf_fixdate(seconds, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes, and the tag and the rest read from them.
    type Row<'a> = (&'a str, Option<(bool, &'a str, &'a str)>);

    #[test]
    fn reads_entity_tags() {
        let rows: [Row<'_>; 13] = [
            (r#""xyzzy""#, Some((false, r#""xyzzy""#, ""))),
            (r#"W/"xyzzy""#, Some((true, r#""xyzzy""#, ""))),
            (r#""""#, Some((false, r#""""#, ""))),
            (r#""a,b" , "c""#, Some((false, r#""a,b""#, r#" , "c""#))),
            (r#""a\" x"#, Some((false, r#""a\""#, " x"))),
            (r#""a"b"#, Some((false, r#""a""#, "b"))),
            (r#"w/"a""#, None),
            (r#"W/a"#, None),
            (r#"a"#, None),
            (r#""a"#, None),
            (r#""a b""#, None),
            (r#"""#, None),
            ("", None),
        ];
        for (bytes, expected) in rows {
            let expected =
                expected.map(|(is_weak, tag, rest)| (SentTag { is_weak, opaque_tag: tag.as_bytes() }, rest.as_bytes()));
            assert_eq!(SentTag::read(bytes.as_bytes()), expected, "{bytes}");
        }
    }

    #[test]
    fn compares_as_the_table_of_section_8_8_3_2() {
        // The tags, and whether they match by the strong and by the weak comparison.
        let rows = [
            ((true, "1"), (true, "1"), false, true),
            ((true, "1"), (true, "2"), false, false),
            ((true, "1"), (false, "1"), false, true),
            ((false, "1"), (true, "1"), false, true),
            ((false, "1"), (false, "1"), true, true),
        ];
        for ((ours_is_weak, ours), (is_weak, theirs), strongly, weakly) in rows {
            let ours = EntityTag { is_weak: ours_is_weak, opaque_tag: format!("\"{ours}\"") };
            let opaque_tag = format!("\"{theirs}\"");
            let theirs = SentTag { is_weak, opaque_tag: opaque_tag.as_bytes() };
            assert_eq!(
                (ours.matches_strongly(theirs), ours.matches_weakly(theirs)),
                (strongly, weakly),
                "{ours:?} {theirs:?}"
            );
        }
    }

    #[test]
    fn a_tag_is_strong_when_no_further_change_could_keep_it() {
        let file = tempfile::tempfile().unwrap();
        let stat = rustix::fs::fstat(&file).unwrap();
        let changed = stat.st_ctime as u64;
        for (now, is_weak) in
            [(changed, true), (changed + 1, true), (changed + 2, false), (changed + 1000, false), (0, true)]
        {
            assert_eq!(
                Validators::of_file(&stat, now).entity_tag.is_weak,
                is_weak,
                "{} s later",
                now as i64 - changed as i64
            );
        }
    }

    #[test]
    fn every_change_of_a_file_changes_its_tag() {
        let file = tempfile::tempfile().unwrap();
        let stat = rustix::fs::fstat(&file).unwrap();
        let tag = |change: fn(&mut Stat)| {
            let mut changed = stat;
            change(&mut changed);
            Validators::of_file(&changed, u64::MAX).entity_tag
        };
        let same = tag(|_| {});
        let changes: [fn(&mut Stat); 5] = [
            |stat| stat.st_size += 1,
            |stat| stat.st_ino += 1,
            |stat| stat.st_mtime -= 1,
            |stat| stat.st_mtime_nsec += 1,
            |stat| stat.st_ctime_nsec += 1,
        ];
        for (index, change) in changes.into_iter().enumerate() {
            assert_ne!(tag(change), same, "change {index}");
        }
    }
}
