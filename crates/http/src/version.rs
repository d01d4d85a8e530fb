//! HTTP versions this library speaks, RFC 9112 section 2.3.

/// The protocol version of a request. A minor version above 1 reads as [`Version::Http11`] (RFC 9110 section 2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    #[default]
    Http11,
}
