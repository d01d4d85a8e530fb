//! The one table of rules.

/// A rule of the specifications that a message can break; a row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Rule {
    ContentTooLarge,
    HeadDeadline,
    ContentDeadline,
}

impl Rule {
    /// The status code that answers a message which broke this rule.
    #[must_use]
    pub fn status(self) -> u16 {
        todo!()
    }
    /// The stable code, such as `BW0107`.
    #[must_use]
    pub fn code(self) -> &'static str {
        todo!()
    }
    /// What is wrong, in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        todo!()
    }
}
