//! Names of environ variables: which key a field name becomes, and percent-decoding of what PATH_INFO is made of.
//!
//! A field name in the environ is `HTTP_`, then the name in upper case with `-` as `_` (RFC 3875 section 4.1.18);
//! Content-Type and Content-Length have no prefix (PEP 3333, "environ Variables"). Since `-` and `_` fall together, a
//! name that contains `_` could pass for another that a proxy in front has vouched for: such fields are left out.

use std::borrow::Cow;

use brickwork_http::FieldName;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// The keys of the field names that the parser knows, as interned strings, at the name's number.
pub(crate) struct FieldKeys([Option<Py<PyString>>; FieldName::COUNT]);

impl FieldKeys {
    pub(crate) fn new(py: Python<'_>) -> FieldKeys {
        let mut keys = [const { None }; FieldName::COUNT];
        for name in FieldName::all() {
            // A field name is ASCII.
            let key = environ_key(name.as_str().as_bytes()).and_then(|key| String::from_utf8(key).ok());
            keys[name as usize] = key.map(|key| PyString::intern(py, &key).unbind());
        }
        FieldKeys(keys)
    }

    /// The key of a known name; None for [`FieldName::Other`], whose key is made of its bytes.
    pub(crate) fn of<'py>(&self, py: Python<'py>, name: FieldName) -> Option<&Bound<'py, PyString>> {
        Some(self.0.get(name as usize)?.as_ref()?.bind(py))
    }
}

/// The key that any field name becomes, or None if it contains `_`.
pub fn environ_key(field_name: &[u8]) -> Option<Vec<u8>> {
    if field_name.contains(&b'_') {
        return None;
    }
    let mut key = Vec::with_capacity(5 + field_name.len());
    if !field_name.eq_ignore_ascii_case(b"content-type") && !field_name.eq_ignore_ascii_case(b"content-length") {
        key.extend_from_slice(b"HTTP_");
    }
    key.extend(field_name.iter().map(|byte| if *byte == b'-' { b'_' } else { byte.to_ascii_uppercase() }));
    Some(key)
}

/// The octets that a percent-encoded path stands for (RFC 3986 section 2.1). A `%` that two hexadecimal digits do not
/// follow stands for itself, as browsers and every other server read it.
pub fn percent_decoded(path: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = path.iter().position(|byte| *byte == b'%') else {
        return Cow::Borrowed(path);
    };
    let mut decoded = Vec::with_capacity(path.len());
    decoded.extend_from_slice(&path[..first]);
    let mut rest = &path[first..];
    while let [byte, tail @ ..] = rest {
        if let [b'%', high, low, after @ ..] = rest
            && high.is_ascii_hexdigit()
            && low.is_ascii_hexdigit()
        {
            decoded.push(hex_value(*high) << 4 | hex_value(*low));
            rest = after;
        } else {
            decoded.push(*byte);
            rest = tail;
        }
    }
    Cow::Owned(decoded)
}

fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_has_a_key() {
        for name in FieldName::all() {
            let key = environ_key(name.as_str().as_bytes());
            assert!(key.is_some_and(|key| key.len() > 1), "{name:?}");
        }
    }

    #[test]
    fn names_become_keys() {
        let rows: &[(&[u8], Option<&[u8]>)] = &[
            (b"X-Foo", Some(b"HTTP_X_FOO")),
            (b"x-fOO", Some(b"HTTP_X_FOO")),
            (b"X", Some(b"HTTP_X")),
            (b"DNT", Some(b"HTTP_DNT")),
            (b"!#$%&'*+.^`|~9", Some(b"HTTP_!#$%&'*+.^`|~9")),
            (b"Content-type", Some(b"CONTENT_TYPE")),
            (b"CONTENT-LENGTH", Some(b"CONTENT_LENGTH")),
            (b"Content_Length", None),
            (b"X_Forwarded-For", None),
            (b"_", None),
        ];
        for &(name, key) in rows {
            assert_eq!(environ_key(name).as_deref(), key, "{}", name.escape_ascii());
        }
    }

    #[test]
    fn percent_encoded_octets_are_decoded_and_everything_else_is_kept() {
        let rows: &[(&[u8], &[u8])] = &[
            (b"", b""),
            (b"/", b"/"),
            (b"/a/b", b"/a/b"),
            (b"/a%20b", b"/a b"),
            (b"/%C3%a9", b"/\xc3\xa9"),
            (b"/%2F%2f", b"///"),
            (b"/%00%ff", b"/\x00\xff"),
            (b"/a+b", b"/a+b"),
            (b"/../x//y", b"/../x//y"),
            (b"%", b"%"),
            (b"%4", b"%4"),
            (b"/%zz%4g%g4", b"/%zz%4g%g4"),
            (b"%%41", b"%A"),
            (b"%2541", b"%41"),
            (b"%41%", b"A%"),
        ];
        for &(path, decoded) in rows {
            assert_eq!(&*percent_decoded(path), decoded, "{}", path.escape_ascii());
        }
    }

    #[test]
    fn a_path_without_percent_is_not_copied() {
        assert!(matches!(percent_decoded(b"/plain"), Cow::Borrowed(b"/plain")));
    }
}
