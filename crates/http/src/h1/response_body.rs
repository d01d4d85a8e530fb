//! How a response's content goes on the wire: counted, chunked, close-delimited, or not at all.

use alloc::vec::Vec;

use crate::{Fault, Rule};

/// The state of sending one response's content. Pure bookkeeping: the caller sends the bytes.
#[derive(Clone, Copy, Debug)]
pub struct ResponseBody {
    delimiting: Delimiting,
    closes: bool,
    /// Whether an overrun was already told.
    is_overrun: bool,
}

/// What tells the client where the content ends, RFC 9112 section 6.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delimiting {
    /// The end of the head does: there is no content (steps 1 and 2).
    Bodyless,
    /// Chunked does (step 4).
    Chunked,
    /// Content-Length does, and so many bytes are still owed (step 6).
    Length(u64),
    /// Closing the connection does (step 8).
    Close,
}

/// How much of an offered block belongs on the wire, and in what wrapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Admitted {
    /// Send only so many of the block's first bytes.
    pub take: u64,
    /// The block ran over the Content-Length (once per response): worth a log line.
    pub overrun: bool,
}

impl ResponseBody {
    pub(super) fn new(delimiting: Delimiting, closes: bool) -> Self {
        ResponseBody { delimiting, closes, is_overrun: false }
    }

    /// Offers a block of `len` bytes. Appends to `framing` what must go out in front of the taken bytes (a chunk line); after them the
    /// caller sends [`ResponseBody::block_end`].
    pub fn admit(&mut self, len: u64, framing: &mut Vec<u8>) -> Admitted {
        match &mut self.delimiting {
            Delimiting::Bodyless => Admitted { take: 0, overrun: false },
            Delimiting::Close => Admitted { take: len, overrun: false },
            Delimiting::Chunked => {
                // A chunk of size 0 would be the last one.
                if len > 0 {
                    push_chunk_line(len, framing);
                }
                Admitted { take: len, overrun: false }
            }
            Delimiting::Length(owed) => {
                let take = len.min(*owed);
                *owed -= take;
                let overrun = take < len && !self.is_overrun;
                self.is_overrun |= overrun;
                Admitted { take, overrun }
            }
        }
    }

    /// What follows the bytes of every non-empty admitted block: CRLF when chunked, else nothing.
    #[must_use]
    pub fn block_end(&self) -> &'static [u8] {
        if self.delimiting == Delimiting::Chunked { b"\r\n" } else { b"" }
    }

    /// Ends the content: the bytes that close it (the last chunk when chunked).
    ///
    /// # Errors
    /// Fewer bytes were offered than the Content-Length promised: the connection must be closed so that the client can tell.
    pub fn finish(&mut self) -> Result<&'static [u8], Fault> {
        match self.delimiting {
            Delimiting::Chunked => Ok(b"0\r\n\r\n"),
            Delimiting::Length(owed) if owed > 0 => {
                self.closes = true;
                Err(Fault::new(Rule::ContentShort, 0))
            }
            Delimiting::Bodyless | Delimiting::Length(_) | Delimiting::Close => Ok(b""),
        }
    }

    /// Whether no content may be sent (HEAD, 204, 205, 304).
    #[must_use]
    pub fn is_bodyless(&self) -> bool {
        self.delimiting == Delimiting::Bodyless
    }

    /// Whether the connection closes after this response.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.closes
    }

    /// Whether only the end of the connection tells the client where the content ends.
    #[must_use]
    pub fn is_close_delimited(&self) -> bool {
        self.delimiting == Delimiting::Close
    }

    /// Bytes still owed to the Content-Length, if there is one.
    #[must_use]
    pub fn owed(&self) -> Option<u64> {
        match self.delimiting {
            Delimiting::Length(owed) => Some(owed),
            Delimiting::Bodyless | Delimiting::Chunked | Delimiting::Close => None,
        }
    }
}

// chunk-size = 1*HEXDIG, then CRLF
fn push_chunk_line(size: u64, out: &mut Vec<u8>) {
    let digits = (u64::BITS - size.leading_zeros()).div_ceil(4);
    for digit in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(size >> (digit * 4)) as usize & 0xf]);
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests;
