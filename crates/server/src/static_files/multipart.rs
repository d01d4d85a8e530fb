//! Several ranges in one answer: multipart/byteranges, RFC 9110 section 14.6 and RFC 2046 section 5.1.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::ops::Range;

/// What separates the parts: a text that their content does not have.
#[derive(Debug)]
pub(super) struct Boundary(String);

impl Boundary {
    /// 128 bits that nobody can foresee, and so cannot have put into a file.
    pub(super) fn random() -> Boundary {
        let bits = || RandomState::new().build_hasher().finish();
        Boundary(format!("{:016x}{:016x}", bits(), bits()))
    }

    /// Value of the message's Content-Type.
    pub(super) fn content_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.0)
    }

    /// What comes before a part's bytes. Every part but the first ends the one before.
    ///
    /// ```text
    /// delimiter = CRLF "--" boundary
    /// ```
    pub(super) fn part_head(
        &self,
        is_first: bool,
        content_type: &[u8],
        range: &Range<u64>,
        complete_length: u64,
    ) -> Vec<u8> {
        let end = if is_first { "" } else { "\r\n" };
        let mut head = format!("{end}--{}\r\nContent-Type: ", self.0).into_bytes();
        head.extend_from_slice(content_type);
        let content_range = content_range(range, complete_length);
        head.extend_from_slice(format!("\r\nContent-Range: {content_range}\r\n\r\n").as_bytes());
        head
    }

    /// What comes after the last part's bytes.
    pub(super) fn end(&self) -> String {
        format!("\r\n--{}--\r\n", self.0)
    }
}

/// The value of Content-Range for a part (section 14.4).
///
/// ```text
/// range-resp = first-pos "-" last-pos "/" complete-length
/// ```
pub(super) fn content_range(range: &Range<u64>, complete_length: u64) -> String {
    format!("bytes {}-{}/{complete_length}", range.start, range.end - 1)
}
