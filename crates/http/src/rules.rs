//! The one table of rules: what a message can break, where that is written, and what is done about it.
//!
//! A parser refuses only by naming a [`Rule`]; everything said about it (status, report, reference pages) is read from its
//! row. Codes are stable: a rule that is no longer needed leaves a gap. Their first two digits are the part of the message:
//! 00 request-line and line ends, 01 field lines, 02 Host, 03 framing, 04 chunked, 05 limits and deadlines, 06 expectations and
//! connection, 09 our own responses; from x50 on what is tolerated.

mod table;

use table::TABLE;

/// A rule of the specifications that a message can break; a row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
#[non_exhaustive]
#[allow(missing_docs)] // The table's `title` and `help` are their documentation.
pub enum Rule {
    TlsHello,
    BareCr,
    BareLf,
    LeadingEmptyLines,
    MethodNotToken,
    RequestLineShort,
    Http09,
    RequestLineSpace,
    TargetByte,
    TargetForm,
    AsteriskFormMethod,
    AuthorityForm,
    TargetAuthority,
    TargetUserinfo,
    VersionMalformed,
    VersionUnsupported,
    MisdirectedScheme,
    LeadingEmptyLineIgnored,
    TargetRawByte,
    MinorVersionAboveOne,

    FieldNameEmpty,
    FieldNameByte,
    FieldLineNoColon,
    SpaceBeforeColon,
    LineFolding,
    SpaceBeforeFields,
    SpaceInFieldName,
    FieldValueControl,
    FieldValueObsText,

    HostMissing,
    HostRepeated,
    HostMalformed,
    HostEmpty,
    HostOverridden,

    ContentLengthDigits,
    ContentLengthOverflow,
    ContentLengthRepeated,
    ContentLengthList,
    TransferEncodingMalformed,
    ChunkedNotFinal,
    ChunkedTwice,
    TransferCodingUnknown,
    TransferEncodingHttp10,
    TransferEncodingWithLength,

    ChunkSizeDigits,
    ChunkSizeOverflow,
    ChunkExtension,
    ChunkDataEnd,
    ContentCutOff,
    ChunkExtensionIgnored,
    TrailerDiscarded,

    RequestLineTooLong,
    TooManyFields,
    FieldLineTooLong,
    HeadTooLarge,
    ContentTooLarge,
    ChunkLineTooLong,
    TrailerSectionTooLarge,
    HeadDeadline,
    ContentDeadline,

    ExpectationUnknown,
    ConnectMethod,
    ExpectationHttp10,
    ConnectionOptionMalformed,
    UpgradeIgnored,

    StatusCodeRange,
    StatusCodeInterim,
    ReasonPhraseByte,
    ResponseFieldName,
    ResponseFieldValue,
    ResponseContentLength,
    ResponseContentLengthRepeated,
    ResponseLengthForbidden,
    HopByHopField,
    ResponseContentForbidden,
    ContentOverrun,
    ContentShort,
    StatusMalformed,
    ResponseNotLatin1,
    ResponseTransferEncoding,
    ResponseBrokenOff,
}

/// What is done about a message that matches a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// The request is refused with the rule's status and the connection closed.
    Reject,
    /// The request is accepted all the same; the row says how it is read.
    Tolerate,
    /// Our own application broke it in a response.
    Respond,
}

/// Everything that is known of a rule.
struct Row {
    rule: Rule,
    code: &'static str,
    kind: RuleKind,
    status: u16,
    section: &'static str,
    abnf: &'static str,
    title: &'static str,
    label: &'static str,
    help: &'static str,
}

impl Rule {
    /// The stable code, such as `BW0107`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// Whether a message that breaks the rule is refused.
    #[must_use]
    pub fn kind(self) -> RuleKind {
        self.row().kind
    }

    /// The status code that answers a message which broke this rule; 0 where it is tolerated.
    #[must_use]
    pub fn status(self) -> u16 {
        self.row().status
    }

    /// Where it is written, such as `RFC 9112 section 5.1`.
    #[must_use]
    pub fn section(self) -> &'static str {
        self.row().section
    }

    /// The production that the message ought to match; empty where the rule is not one of grammar.
    #[must_use]
    pub fn abnf(self) -> &'static str {
        self.row().abnf
    }

    /// What is wrong, in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// What is wrong with the byte that a rejection points at, in a few words; empty where there is none.
    #[must_use]
    pub fn label(self) -> &'static str {
        self.row().label
    }

    /// What is done about it and why, in one sentence.
    #[must_use]
    pub fn help(self) -> &'static str {
        self.row().help
    }

    /// Every rule, by code.
    pub fn all() -> impl Iterator<Item = Rule> {
        TABLE.iter().map(|row| row.rule)
    }

    /// The rule with such a code, in any case of letters.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Rule> {
        TABLE.iter().find(|row| row.code.eq_ignore_ascii_case(code)).map(|row| row.rule)
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

#[cfg(test)]
mod tests;
