//! Why a response could not be sent as the handler wanted.

/// What went wrong while sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The client has left, or did not take the bytes within the write deadline.
    Gone,
    /// The server already answered this request itself (a deadline passed); the handler's answer is discarded.
    Superseded,
    /// The content ran over its Content-Length and was cut there.
    Overrun,
    /// So many bytes less than Content-Length came; the connection is closed.
    Short(u64),
}
