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
