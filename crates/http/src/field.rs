//! Field lines, RFC 9110 section 5 and RFC 9112 section 5.

use crate::Span;
use crate::scan::window::{self, Window};

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
#[allow(missing_docs)] // A variant is the field of that name.
#[non_exhaustive]
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

/// Every known name in lower case.
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
const LONGEST: usize = "upgrade-insecure-requests".len();

/// A known name as it is compared: filled with zeros, and with bit 0x20 of its letters, in which capitals differ.
#[derive(Clone, Copy)]
struct Known {
    bytes: Window,
    letters: Window,
    /// A bit for each byte of the name.
    mask: u32,
    len: u8,
    name: FieldName,
}

/// The one known name that fits each [`slot`], if there is one.
static SLOTS: [Known; 128] = build_slots();

const fn build_slots() -> [Known; 128] {
    let mut slots = [Known { bytes: [0; 32], letters: [0; 32], mask: 0, len: 0, name: FieldName::Other }; 128];
    let mut index = 0;
    while index < NAMES.len() {
        let (name, text) = (NAMES[index].0, NAMES[index].1.as_bytes());
        assert!(text.len() <= LONGEST);
        let (mut bytes, mut letters, mut at) = ([0; 32], [0; 32], 0);
        while at < text.len() {
            bytes[at] = text[at];
            letters[at] = if text[at].is_ascii_lowercase() { 0x20 } else { 0 };
            at += 1;
        }
        let known = &mut slots[slot(text.len(), text[0], text[text.len().saturating_sub(3)])];
        // INVARIANT: no two names share a slot; otherwise the build fails here, and `slot` needs other factors.
        assert!(known.len == 0);
        *known = Known { bytes, letters, mask: (1 << text.len()) - 1, len: text.len() as u8, name };
        index += 1;
    }
    slots
}

/// A number below 128 that tells the known names apart, made of the length, the first byte and the third from the end. The factors
/// were found by trying.
#[inline(always)]
const fn slot(len: usize, first: u8, third_last: u8) -> usize {
    (len + 3 * (first | 0x20) as usize + 8 * (third_last | 0x20) as usize) % 128
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

    /// Which name these bytes are, in any case of letters.
    #[inline]
    pub(crate) fn of(name: &[u8]) -> FieldName {
        let Some(&third_last) = name.get(name.len().saturating_sub(3)) else { return FieldName::Other };
        let known = &SLOTS[slot(name.len(), name[0], third_last)];
        let expected = known.bytes.iter().zip(known.letters);
        let is_same = usize::from(known.len) == name.len()
            && name.iter().zip(expected).all(|(sent, (known, letter))| sent | letter == *known);
        if is_same { known.name } else { FieldName::Other }
    }

    /// Which name the first `len` of these bytes are, in any case of letters.
    #[inline(always)]
    pub(crate) fn of_window(window: &Window, len: usize) -> FieldName {
        if len == 0 || len > LONGEST {
            return FieldName::Other;
        }
        let known = &SLOTS[slot(len, window[0], window[len.saturating_sub(3) % 32])];
        if usize::from(known.len) != len {
            return FieldName::Other;
        }
        let same = match len {
            ..=16 => window::same_in_half(window, &known.bytes, &known.letters),
            _ => window::same(window, &known.bytes, &known.letters),
        };
        if same & known.mask == known.mask { known.name } else { FieldName::Other }
    }
}

#[cfg(test)]
mod tests;
