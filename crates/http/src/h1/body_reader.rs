//! Takes the content out of a request's message body.

use super::Framing;
use crate::{Limits, Rejection};

/// What one step of reading found at the start of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `input[skip..skip + len]` is content; discard `skip + len` bytes and call again.
    Content {
        /// Bytes of framing in front of the content.
        skip: usize,
        /// Bytes of content, at least one.
        len: usize,
    },
    /// Discard `skip` bytes; the rest is an unfinished line: call again when more has come.
    Partial {
        /// Bytes of framing that are done with.
        skip: usize,
    },
    /// The message is complete; discard `skip` bytes. What follows is the next request.
    Complete {
        /// Bytes of framing that end the message.
        skip: usize,
    },
}

/// Reads a request's content by its framing. The caller discards what a step tells it to.
#[derive(Clone, Debug)]
pub struct BodyReader {}

impl BodyReader {
    /// A reader for content framed so.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        let _ = framing;
        todo!()
    }

    /// Looks at the start of `input`: everything received and not yet discarded. Content of chunked framing is counted against
    /// `limits.content`.
    ///
    /// # Errors
    /// The rule that is broken; the offset counts from the start of the chunk line or trailer section in hand.
    pub fn step(&mut self, input: &[u8], limits: &Limits) -> Result<Step, Rejection> {
        let _ = (input, limits);
        todo!()
    }

    /// Bytes of content still to come, where the framing says so.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        todo!()
    }

    /// Whether the message's end was reached.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        todo!()
    }
}
