//! What is said of a message that breaks a rule: by the peer ([`Rejection`]) or by our own application ([`Fault`]).

use crate::Rule;

/// The peer broke a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The rule that was broken.
    pub rule: Rule,
    /// Offset in bytes from the start of the head, chunk line or trailer section in hand.
    pub at: u32,
}

/// Our own application broke a rule in its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The rule that was broken.
    pub rule: Rule,
    /// Offset in bytes within the offending piece (status, field name or field value).
    pub at: u32,
}
