//! Whether a connection outlives a message, RFC 9112 section 9.3.

use crate::grammar::TCHAR;
use crate::{Version, list, scan};

/// What the request allows for the connection after its response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persistence {
    /// Another request may follow.
    #[default]
    Persistent,
    /// The connection closes after the response.
    Close,
}

/// The connection options of a message, over all its Connection field lines, as far as we act upon them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ConnectionOptions {
    pub(super) has_close: bool,
    pub(super) has_keep_alive: bool,
    pub(super) has_other: bool,
}

impl ConnectionOptions {
    /// Adds one field line's value.
    ///
    /// ```text
    /// Connection        = #connection-option
    /// connection-option = token
    /// ```
    #[inline]
    pub(super) fn add(&mut self, value: &[u8]) {
        // What nearly every sender says, at once.
        if is_keep_alive(value) {
            self.has_keep_alive = true;
        } else {
            self.add_options(value);
        }
    }

    #[inline(never)]
    fn add_options(&mut self, value: &[u8]) {
        for option in list::elements(value) {
            match option.bytes {
                b"" => {} // empty list elements count for nothing, RFC 9110 section 5.6.1.2
                bytes if bytes.eq_ignore_ascii_case(b"keep-alive") => self.has_keep_alive = true,
                bytes if bytes.eq_ignore_ascii_case(b"close") => self.has_close = true,
                // What is no token may have been meant as anything; closing is right for all of it.
                bytes if scan::end_of(TCHAR, bytes, 0) != bytes.len() => self.has_close = true,
                _ => self.has_other = true,
            }
        }
    }

    /// RFC 9112 section 9.3, the list of what a recipient goes by.
    pub(super) fn persistence(self, version: Version) -> Persistence {
        if self.has_close {
            Persistence::Close
        } else if version == Version::Http11 || self.has_keep_alive {
            Persistence::Persistent
        } else {
            Persistence::Close
        }
    }
}

/// Whether these bytes are `keep-alive`, in any case of letters.
#[inline(always)]
fn is_keep_alive(value: &[u8]) -> bool {
    const LETTERS: [u8; 10] = [0x20, 0x20, 0x20, 0x20, 0, 0x20, 0x20, 0x20, 0x20, 0x20];
    value.first_chunk::<10>().is_some_and(|first| {
        let differing =
            first.iter().zip(b"keep-alive").zip(LETTERS).map(|((sent, known), letter)| (sent | letter) ^ known);
        value.len() == 10 && differing.fold(0, |all, one| all | one) == 0
    })
}

#[cfg(test)]
mod tests;
