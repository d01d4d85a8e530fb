//! Message body length of a request, RFC 9112 section 6.3.

/// How the content of a request is delimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// No content (step 7).
    #[default]
    None,
    /// Content-Length: so many bytes (step 6).
    Length(u64),
    /// Transfer-Encoding: chunked (step 4).
    Chunked,
}
