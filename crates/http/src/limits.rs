//! How much of each part of a message is accepted.

/// Bounds on a request, all in bytes except [`fields`](Limits::fields).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// request-line without its CRLF; past it 414.
    pub request_line: u32,
    /// Number of field lines in the head; past it 431.
    pub fields: u32,
    /// One field line without its CRLF; past it 431.
    pub field_line: u32,
    /// The whole head with its final CRLF; past it 431.
    pub head: u32,
    /// Content, declared or counted; past it 413.
    pub content: u64,
    /// One chunk line without its CRLF; past it 400.
    pub chunk_line: u32,
    /// The trailer section; past it 431.
    pub trailer_section: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            request_line: 8190,
            fields: 100,
            field_line: 8190,
            head: 64 * 1024,
            content: 1 << 30,
            chunk_line: 256,
            trailer_section: 8 * 1024,
        }
    }
}
