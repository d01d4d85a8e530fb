//! Whether a connection outlives a message, RFC 9112 section 9.3.

/// What the request allows for the connection after its response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persistence {
    /// Another request may follow.
    #[default]
    Persistent,
    /// The connection closes after the response.
    Close,
}
