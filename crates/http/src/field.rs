//! Field lines, RFC 9110 section 5 and RFC 9112 section 5.

use crate::Span;

/// One field line of a head: name and value as spans into it, optional whitespace excluded from the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldLine {
    /// field-name as sent.
    pub name: Span,
    /// field-value without surrounding OWS.
    pub value: Span,
    /// The name, if it is one of the common ones.
    pub known: FieldName,
}

/// Field names that are common enough to be recognised while parsing, so that nobody looks at their bytes twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum FieldName {
    /// Any other name; look at its bytes.
    #[default]
    Other,
    Accept,
    AcceptCharset,
    AcceptEncoding,
    AcceptLanguage,
    Authorization,
    CacheControl,
    Connection,
    ContentEncoding,
    ContentLength,
    ContentType,
    Cookie,
    Dnt,
    Expect,
    Forwarded,
    Host,
    IfMatch,
    IfModifiedSince,
    IfNoneMatch,
    IfRange,
    IfUnmodifiedSince,
    KeepAlive,
    Origin,
    Pragma,
    Priority,
    ProxyConnection,
    Range,
    Referer,
    SecFetchDest,
    SecFetchMode,
    SecFetchSite,
    SecFetchUser,
    Te,
    Trailer,
    TransferEncoding,
    Upgrade,
    UpgradeInsecureRequests,
    UserAgent,
    Via,
    XForwardedFor,
    XForwardedHost,
    XForwardedProto,
    XRealIp,
    XRequestId,
    XRequestedWith,
}

/// Every known name in lower case, by length, so that a name is compared only with those that are as long.
const NAMES: [(FieldName, &str); FieldName::COUNT - 1] = [
    (FieldName::Te, "te"),
    (FieldName::Dnt, "dnt"),
    (FieldName::Via, "via"),
    (FieldName::Host, "host"),
    (FieldName::Range, "range"),
    (FieldName::Accept, "accept"),
    (FieldName::Cookie, "cookie"),
    (FieldName::Expect, "expect"),
    (FieldName::Origin, "origin"),
    (FieldName::Pragma, "pragma"),
    (FieldName::Referer, "referer"),
    (FieldName::Trailer, "trailer"),
    (FieldName::Upgrade, "upgrade"),
    (FieldName::IfMatch, "if-match"),
    (FieldName::IfRange, "if-range"),
    (FieldName::Priority, "priority"),
    (FieldName::Forwarded, "forwarded"),
    (FieldName::XRealIp, "x-real-ip"),
    (FieldName::Connection, "connection"),
    (FieldName::KeepAlive, "keep-alive"),
    (FieldName::UserAgent, "user-agent"),
    (FieldName::ContentType, "content-type"),
    (FieldName::XRequestId, "x-request-id"),
    (FieldName::Authorization, "authorization"),
    (FieldName::CacheControl, "cache-control"),
    (FieldName::IfNoneMatch, "if-none-match"),
    (FieldName::AcceptCharset, "accept-charset"),
    (FieldName::ContentLength, "content-length"),
    (FieldName::SecFetchDest, "sec-fetch-dest"),
    (FieldName::SecFetchMode, "sec-fetch-mode"),
    (FieldName::SecFetchSite, "sec-fetch-site"),
    (FieldName::SecFetchUser, "sec-fetch-user"),
    (FieldName::AcceptEncoding, "accept-encoding"),
    (FieldName::AcceptLanguage, "accept-language"),
    (FieldName::XForwardedFor, "x-forwarded-for"),
    (FieldName::ContentEncoding, "content-encoding"),
    (FieldName::ProxyConnection, "proxy-connection"),
    (FieldName::XForwardedHost, "x-forwarded-host"),
    (FieldName::XRequestedWith, "x-requested-with"),
    (FieldName::IfModifiedSince, "if-modified-since"),
    (FieldName::TransferEncoding, "transfer-encoding"),
    (FieldName::XForwardedProto, "x-forwarded-proto"),
    (FieldName::IfUnmodifiedSince, "if-unmodified-since"),
    (FieldName::UpgradeInsecureRequests, "upgrade-insecure-requests"),
];

/// Longest known name in bytes.
const LONGEST: usize = NAMES[NAMES.len() - 1].1.len();

/// `STARTS[n]..STARTS[n + 1]` are the names of n bytes.
const STARTS: [u8; LONGEST + 2] = build_starts();

const fn build_starts() -> [u8; LONGEST + 2] {
    let mut starts = [0; LONGEST + 2];
    let mut index = 0;
    while index < NAMES.len() {
        // INVARIANT: NAMES ascends by length; otherwise the build fails here.
        assert!(index == 0 || NAMES[index - 1].1.len() <= NAMES[index].1.len());
        let mut longer = NAMES[index].1.len() + 1;
        while longer < starts.len() {
            starts[longer] += 1;
            longer += 1;
        }
        index += 1;
    }
    starts
}

impl FieldName {
    /// How many variants there are, [`FieldName::Other`] included: the size of a table indexed by `name as usize`.
    pub const COUNT: usize = FieldName::XRequestedWith as usize + 1;

    /// Every name but [`FieldName::Other`].
    pub fn all() -> impl Iterator<Item = FieldName> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// The name in lower case; empty for [`FieldName::Other`].
    #[must_use]
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(name, _)| *name == self).map_or("", |(_, text)| text)
    }

    /// Which name these bytes are, in any case of letters. `name` must be a token.
    #[inline]
    pub(crate) fn of_token(name: &[u8]) -> FieldName {
        if name.len() > LONGEST || name.is_empty() {
            return FieldName::Other;
        }
        let range = STARTS[name.len()] as usize..STARTS[name.len() + 1] as usize;
        for (known, text) in &NAMES[range] {
            if is_same_token(name, text.as_bytes()) {
                return *known;
            }
        }
        FieldName::Other
    }
}

/// Whether `name`, a token, is `text` in lower case but for the case of letters. Setting the bit 0x20 makes letters lower and
/// leaves "-" and digits alone; the bytes that it would confuse with them are not tchars.
#[inline]
fn is_same_token(name: &[u8], text: &[u8]) -> bool {
    (name[0] | 0x20) == text[0] && name.iter().zip(text).all(|(sent, known)| (sent | 0x20) == *known)
}

#[cfg(test)]
mod tests;
