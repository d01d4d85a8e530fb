//! The content of a request: nothing, bytes in memory, an unlinked file, or bytes yet to come.

use std::io;

/// A request's content, to be read once from front to back. Owned and `Send`: it may outlive the handler's call, and then reads as an error.
#[derive(Debug)]
pub struct RequestContent {}

impl RequestContent {
    /// Whether there is no content at all (and never was).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        todo!()
    }

    /// Bytes left to read, where that is known (not for chunked content that is still to come).
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        todo!()
    }
}

/// Reading. `fill_buf` waits only for content that the client holds back until it sees `100 Continue`: it sends that, gives the event loop up,
/// releases the interpreter lock (the caller must hold it) and waits under the content deadline. An empty buffer is the end. Errors: `UnexpectedEof` when the client
/// left early, `TimedOut`, `InvalidData` for malformed chunks.
impl io::BufRead for RequestContent {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        todo!()
    }
    fn consume(&mut self, n: usize) {
        let _ = n;
        todo!()
    }
}

impl io::Read for RequestContent {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let _ = buf;
        todo!()
    }
}
