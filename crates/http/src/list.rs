//! Comma-separated lists, RFC 9110 section 5.6.1, for lists of tokens. Commas inside a quoted-string are not spared: no list we
//! act upon has a member with one.

use crate::grammar::is_ows;

/// One element of a list: where it starts in the field value, and its bytes without OWS around them; may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) at: usize,
    pub(crate) bytes: &'a [u8],
}

/// The elements of a list, the empty ones too.
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let mut next = 0;
    value.split(|&byte| byte == b',').map(move |part| {
        let start = next;
        next += part.len() + 1;
        let leading = part.iter().take_while(|&&byte| is_ows(byte)).count();
        Element { at: start + leading, bytes: trim_ows(part) }
    })
}

/// The bytes without OWS around them.
pub(crate) fn trim_ows(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_ows(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && is_ows(*last)
    {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests;
