//! What is said of a message that breaks a rule: by the peer ([`Rejection`]) or by our own application ([`Fault`]).

use crate::Rule;

/// The peer broke a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The rule that was broken.
    pub rule: Rule,
    /// Offset in bytes from the start of the head, chunk line or trailer section in hand. It may be one past the last byte
    /// received, where the rule is about a byte that is missing or not allowed to come.
    pub at: u32,
}

impl Rejection {
    /// Cold, so that the code of accepted messages stays together.
    #[cold]
    pub(crate) fn new(rule: Rule, at: u32) -> Rejection {
        Rejection { rule, at }
    }
}

/// Our own application broke a rule in its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The rule that was broken.
    pub rule: Rule,
    /// Offset in bytes within the offending piece (status, field name or field value).
    pub at: u32,
}

impl Fault {
    #[cold]
    pub(crate) fn new(rule: Rule, at: usize) -> Fault {
        Fault { rule, at: u32::try_from(at).unwrap_or(u32::MAX) }
    }
}
