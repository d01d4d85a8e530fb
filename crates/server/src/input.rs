//! The receive buffer of one exchange: what came and has not been used yet.

use crate::transport::{Moved, Transport};

/// Received bytes. The used ones at the front are dropped lazily, so that sixteen pipelined requests cost no sixteen moves.
///
/// A head stays at the front until its request is over, because the parsed head points into it; content is taken from behind it.
#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    used: usize,
}

/// First size of the buffer: a browser's head with its cookies fits, or a smaller head and 16 KiB of content, in one receive.
const FIRST: usize = 24 * 1024;
/// A buffer that grew past this is given back when its connection goes idle.
const KEEP: usize = 32 * 1024;

impl Input {
    /// The bytes not yet used.
    pub(crate) fn unused(&self) -> &[u8] {
        self.bytes.get(self.used..).unwrap_or(&[])
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.used >= self.bytes.len()
    }

    /// Drops the first `n` unused bytes.
    pub(crate) fn discard(&mut self, n: usize) {
        self.used += n;
        if self.is_empty() {
            self.bytes.clear();
            self.used = 0;
        }
    }

    /// Lets `f` use what lies behind the first `kept` unused bytes, as if they were not there: content behind a head that is still needed.
    pub(crate) fn behind<R>(&mut self, kept: usize, f: impl FnOnce(&mut Behind<'_>) -> R) -> R {
        let mut behind = Behind { start: self.used + kept, done: 0, bytes: &self.bytes };
        let result = f(&mut behind);
        let (start, done) = (behind.start, behind.done);
        // A content that shared a receive with its head is small: moving what follows it costs less than a second buffer.
        self.bytes.drain(start.min(self.bytes.len())..(start + done).min(self.bytes.len()));
        result
    }

    /// Gives away the buffer, in which what lies behind the first `kept` unused bytes starts where the result says; keeps a copy of those.
    pub(crate) fn split_off(&mut self, kept: usize) -> (Vec<u8>, usize) {
        let start = self.used + kept;
        let mut other = Vec::with_capacity(FIRST);
        other.extend_from_slice(&self.bytes[self.used..start]);
        self.used = 0;
        (std::mem::replace(&mut self.bytes, other), start)
    }

    /// Receives what is there, making room for at least `room` bytes first. Says also whether the room was filled: then there may be more.
    pub(crate) fn fill(&mut self, transport: &Transport, room: usize) -> (Moved, bool) {
        if self.bytes.capacity() - self.bytes.len() < room {
            self.compact();
            self.bytes.reserve(room.max(FIRST));
        }
        let moved = transport.receive(&mut self.bytes);
        (moved, self.bytes.len() == self.bytes.capacity())
    }

    /// Puts bytes behind the unused ones.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn compact(&mut self) {
        if self.used > 0 {
            self.bytes.drain(..self.used);
            self.used = 0;
        }
    }

    /// Forgets everything, and an oversized buffer too.
    pub(crate) fn reset(&mut self) {
        self.bytes.clear();
        self.used = 0;
        if self.bytes.capacity() > KEEP {
            self.bytes = Vec::new();
        }
    }
}

/// See [`Input::behind`].
#[derive(Debug)]
pub(crate) struct Behind<'a> {
    bytes: &'a [u8],
    start: usize,
    done: usize,
}

impl Behind<'_> {
    /// The bytes not yet used.
    pub(crate) fn unused(&self) -> &[u8] {
        self.bytes.get(self.start + self.done..).unwrap_or(&[])
    }

    /// Drops the first `n` unused bytes.
    pub(crate) fn discard(&mut self, n: usize) {
        self.done += n;
    }
}
