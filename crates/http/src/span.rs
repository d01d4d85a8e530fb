//! A place in a buffer, held without borrowing it.

/// `len` bytes that start `start` bytes into the buffer in hand.
///
/// A parsed head is spans into the receive buffer, so it crosses threads and the FFI without a lifetime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Number of bytes.
    pub len: u32,
}

impl Span {
    /// The bytes of `buffer` that this span covers; empty if the span does not lie inside it.
    #[must_use]
    pub fn of(self, buffer: &[u8]) -> &[u8] {
        let start = self.start as usize;
        buffer.get(start..start + self.len as usize).unwrap_or(&[])
    }

    /// Whether the span covers no byte.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}
