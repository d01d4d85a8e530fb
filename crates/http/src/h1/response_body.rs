//! How a response's content goes on the wire: counted, chunked, close-delimited, or not at all.

use alloc::vec::Vec;

use crate::Fault;

/// The state of sending one response's content. Pure bookkeeping: the caller sends the bytes.
#[derive(Clone, Copy, Debug)]
pub struct ResponseBody {}

/// How much of an offered block belongs on the wire, and in what wrapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Send only so many of the block's first bytes.
    pub take: u64,
    /// The block ran over the Content-Length (once per response): worth a log line.
    pub overrun: bool,
}

impl ResponseBody {
    /// Offers a block of `len` bytes. Appends to `framing` what must go out in front of the taken bytes (a chunk line); after them the
    /// caller sends [`ResponseBody::block_end`].
    pub fn admit(&mut self, len: u64, framing: &mut Vec<u8>) -> Admitted {
        let _ = (len, framing);
        todo!()
    }

    /// What follows the bytes of every non-empty admitted block: CRLF when chunked, else nothing.
    #[must_use]
    pub fn block_end(&self) -> &'static [u8] {
        todo!()
    }

    /// Ends the content: the bytes that close it (the last chunk when chunked).
    ///
    /// # Errors
    /// Fewer bytes were offered than the Content-Length promised: the connection must be closed so that the client can tell.
    pub fn finish(&mut self) -> Result<&'static [u8], Fault> {
        todo!()
    }

    /// Whether no content may be sent (HEAD, 204, 304).
    #[must_use]
    pub fn is_bodyless(&self) -> bool {
        todo!()
    }

    /// Whether the connection closes after this response.
    #[must_use]
    pub fn closes(&self) -> bool {
        todo!()
    }

    /// Bytes still owed to the Content-Length, if there is one.
    #[must_use]
    pub fn owed(&self) -> Option<u64> {
        todo!()
    }
}
