//! The head of a request: request-line and field section, parsed whole lines at a time.

use alloc::vec::Vec;

use super::{Framing, Persistence};
use crate::{FieldLine, Limits, Method, Rejection, RequestTarget, Span, Version};

/// A parsed head: offsets into the bytes it was parsed from. Meant to be kept and reused: parsing allocates nothing once
/// `fields` has grown.
#[derive(Clone, Debug, Default)]
pub struct RequestHead {
    /// The method; [`Method::Other`] for any other token.
    pub method: Method,
    /// The method's bytes.
    pub method_span: Span,
    /// The request-target.
    pub target: RequestTarget,
    /// HTTP/1.0 or HTTP/1.1.
    pub version: Version,
    /// The field lines in the order sent.
    pub fields: Vec<FieldLine>,
    /// How the content is delimited.
    pub framing: Framing,
    /// Whether the connection may carry another request.
    pub persistence: Persistence,
    /// Whether `Expect: 100-continue` asks for an interim response before the content is sent (never so in HTTP/1.0).
    pub expects_continue: bool,
    /// Value of the Host field, if there was one.
    pub host: Option<Span>,
    /// Length of the head in bytes, from the first byte given (tolerated empty lines included) to the end of its last CRLF.
    pub len: u32,
}

/// Whether a head is all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More bytes are needed.
    Partial,
    /// The head is complete; what follows `len` bytes is content or the next request.
    Complete,
}

/// Parses one head, resuming where the last call stopped.
#[derive(Clone, Debug, Default)]
pub struct HeadParser {}

impl HeadParser {
    /// Ready for the first byte of a head.
    #[must_use]
    pub const fn new() -> Self {
        HeadParser {}
    }

    /// Parses as much of `input` as is there. `input` is everything received since the first byte of this head, every time.
    ///
    /// # Errors
    /// The first rule that is broken, with its offset in `input`; the same for any split of the bytes.
    pub fn parse(&mut self, input: &[u8], limits: &Limits, head: &mut RequestHead) -> Result<Progress, Rejection> {
        let _ = (input, limits, head);
        todo!()
    }
}
