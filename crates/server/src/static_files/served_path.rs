//! From the path of a request-target to a path beneath the served directory: decoded once, segment by segment. Nothing
//! here asks the file system; that a path stays beneath the directory whatever its names are is the work of `tree.rs`.
//!
//! RFC 3986 sections 2.1 (percent-encoding) and 3.3 (segments).

/// Names of directories and at last of a file, joined by "/". No name is empty, ".", or "..", or holds "/" or NUL.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ServedPath {
    joined: Vec<u8>,
    /// It ended in "/": it means a directory.
    pub(super) is_directory: bool,
}

/// Why a path is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathFault {
    /// A "%" without two hexadecimal digits behind it: no URI at all.
    Malformed,
    /// No file can have this path, or it is one that is not shown.
    NotServed,
}

/// Whether names that begin with a dot are served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dotfiles {
    /// They look as if they were not there; `/.well-known` (RFC 8615) is.
    #[default]
    Hidden,
    /// They are files like all others.
    Served,
}

impl ServedPath {
    /// Reads the path of a request-target, or what follows a prefix of it.
    ///
    /// ```text
    /// path-abempty = *( "/" segment )
    /// pct-encoded  = "%" HEXDIG HEXDIG
    /// ```
    ///
    /// Empty segments are passed over. A client resolves dot segments itself (RFC 3986 section 5.2.4): one that
    /// arrives, encoded or not, names nothing. Bytes are not read as text: an over-long UTF-8 sequence is a name that
    /// nobody gave to a file.
    pub(super) fn decode(path: &[u8], dotfiles: Dotfiles) -> Result<ServedPath, PathFault> {
        let mut joined = Vec::with_capacity(path.len());
        for segment in path.split(|&byte| byte == b'/').filter(|segment| !segment.is_empty()) {
            if !joined.is_empty() {
                joined.push(b'/');
            }
            let start = joined.len();
            decode_segment(segment, &mut joined)?;
            let name = &joined[start..];
            let is_hidden = dotfiles == Dotfiles::Hidden && is_dotfile(name) && !(start == 0 && name == b".well-known");
            // A decoded "/" would be a separator that the split did not see, and the file system knows no name with
            // NUL.
            if matches!(name, b"." | b"..") || is_hidden || name.iter().any(|byte| matches!(byte, b'/' | 0)) {
                return Err(PathFault::NotServed);
            }
        }
        Ok(ServedPath { joined, is_directory: path.is_empty() || path.ends_with(b"/") })
    }

    /// The path relative to the served directory; empty for that directory.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.joined
    }

    /// The last name; empty for the served directory.
    pub(super) fn name(&self) -> &[u8] {
        self.joined.rsplit(|&byte| byte == b'/').next().unwrap_or(&[])
    }

    /// The path of a file in this directory.
    pub(super) fn join(&self, name: &[u8]) -> ServedPath {
        let mut joined = self.joined.clone();
        if !joined.is_empty() {
            joined.push(b'/');
        }
        joined.extend_from_slice(name);
        ServedPath { joined, is_directory: false }
    }
}

/// Whether a file name begins with a dot.
pub(super) fn is_dotfile(name: &[u8]) -> bool {
    name.starts_with(b".")
}

fn decode_segment(segment: &[u8], out: &mut Vec<u8>) -> Result<(), PathFault> {
    let mut rest = segment;
    while let [byte, behind @ ..] = rest {
        rest = behind;
        if *byte != b'%' {
            out.push(*byte);
            continue;
        }
        let [high, low, behind @ ..] = rest else { return Err(PathFault::Malformed) };
        let (Some(high), Some(low)) = (hex_digit(*high), hex_digit(*low)) else { return Err(PathFault::Malformed) };
        out.push(high << 4 | low);
        rest = behind;
    }
    Ok(())
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// What follows `prefix` (decoded, without a "/" at its end) in the path of a request-target, from its "/" on, still
/// encoded. Percent-encoded bytes count as what they stand for (RFC 3986 section 6.2.2.2), except for "/".
pub(super) fn strip_prefix<'a>(path: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let mut rest = path;
    for expected in prefix {
        let (byte, len) = match rest {
            [b'%', high, low, ..] => (hex_digit(*high)? << 4 | hex_digit(*low)?, 3),
            [byte, ..] => (*byte, 1),
            [] => return None,
        };
        if byte != *expected || (byte == b'/' && len == 3) {
            return None;
        }
        rest = &rest[len..];
    }
    (rest.is_empty() || rest.starts_with(b"/")).then_some(rest)
}

/// Writes a file name as a segment of a URI reference: everything but unreserved characters encoded, so that no name is
/// read as a scheme, a host, a query or mark-up.
pub(super) fn encode_segment(name: &[u8], out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in name {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(path: &str, dotfiles: Dotfiles) -> Result<(String, bool), PathFault> {
        let served = ServedPath::decode(path.as_bytes(), dotfiles)?;
        Ok((String::from_utf8_lossy(served.as_bytes()).into_owned(), served.is_directory))
    }

    #[test]
    fn a_path_is_decoded_once() {
        let rows = [
            ("", "", true),
            ("/", "", true),
            ("/a", "a", false),
            ("/a/", "a", true),
            ("/a/b.txt", "a/b.txt", false),
            ("//a///b//", "a/b", true),
            ("/%61%2Eb", "a.b", false),
            ("/a%20b+c", "a b+c", false),
            ("/%252e%252e/x", "%2e%2e/x", false),
            ("/..%5c..%5cx", "..\\..\\x", false),
            ("/...", "...", false),
        ];
        for (path, expected, is_directory) in rows {
            assert_eq!(decoded(path, Dotfiles::Served), Ok((expected.into(), is_directory)), "{path}");
        }
    }

    #[test]
    fn what_no_file_is_named_is_not_served() {
        let rows = [
            "/.",
            "/..",
            "/a/..",
            "/a/../b",
            "/%2e",
            "/%2E%2e/x",
            "/.%2e/x",
            "/%2e./x",
            "/a%2fb",
            "/a%2Fb",
            "/%2f",
            "/..%2f..%2fx",
            "/a%00",
            "/%00",
            "/a%00.txt",
        ];
        for path in rows {
            assert_eq!(decoded(path, Dotfiles::Served), Err(PathFault::NotServed), "{path}");
        }
    }

    #[test]
    fn percent_encoding_that_is_none_is_malformed() {
        for path in ["/%", "/%2", "/%g0", "/%0g", "/a%", "/%%", "/%-1", "/%+1", "/%u002e"] {
            assert_eq!(decoded(path, Dotfiles::Served), Err(PathFault::Malformed), "{path}");
        }
    }

    #[test]
    fn dotfiles_are_hidden_wherever_they_are() {
        for path in
            ["/.git/config", "/a/.env", "/%2eenv", "/a/.well-known/x", "/.well-known/.env", "/...", "/.well-knownx"]
        {
            assert_eq!(decoded(path, Dotfiles::Hidden), Err(PathFault::NotServed), "{path}");
        }
        for path in ["/.well-known/security.txt", "/%2ewell-known/acme-challenge/x", "/a.b/c.", "/a..b"] {
            assert!(decoded(path, Dotfiles::Hidden).is_ok(), "{path}");
        }
    }

    #[test]
    fn a_prefix_ends_where_a_segment_does() {
        let rows = [
            ("/static", "/static", Some("")),
            ("/static/", "/static", Some("/")),
            ("/static/a%20b", "/static", Some("/a%20b")),
            ("/%73tatic/a", "/static", Some("/a")),
            ("/staticx", "/static", None),
            ("/stati", "/static", None),
            ("/static%2fa", "/static", None),
            ("/a%2fb/c", "/a/b", None),
            ("/a/b/c", "/a/b", Some("/c")),
            ("/anything", "", Some("/anything")),
            ("/%7", "/~x", None),
        ];
        for (path, prefix, rest) in rows {
            assert_eq!(strip_prefix(path.as_bytes(), prefix.as_bytes()), rest.map(str::as_bytes), "{path} {prefix}");
        }
    }

    #[test]
    fn a_name_becomes_a_segment_and_nothing_else() {
        let mut segment = String::new();
        encode_segment("javascript:a/\\?#\"<é.txt".as_bytes(), &mut segment);
        assert_eq!(segment, "javascript%3Aa%2F%5C%3F%23%22%3C%C3%A9.txt");
    }
}
