//! Which bytes belong to which production: one table of 256 bytes, built from the patterns of RFC 9110 section 5.6, RFC 9112 and
//! RFC 3986 section 2. Everything that decides about a single byte asks here.

/// A set of bytes: one bit in [`CLASSES`].
#[derive(Clone, Copy)]
pub(crate) struct Class(u8);

/// tchar, RFC 9110 section 5.6.2.
pub(crate) const TCHAR: Class = Class(1);
/// What may stand in a request-target: the bytes of RFC 3986 (see [`is_target_byte`]) and those browsers send raw.
pub(crate) const TARGET: Class = Class(1 << 1);
/// field-vchar / SP / HTAB, RFC 9110 section 5.5; also the bytes of a reason-phrase, RFC 9112 section 4.
pub(crate) const FIELD_VALUE: Class = Class(1 << 2);
/// unreserved / sub-delims, RFC 3986 section 2: the bytes of a reg-name other than pct-encoded.
pub(crate) const REG_NAME: Class = Class(1 << 3);
/// qdtext, RFC 9110 section 5.6.4.
pub(crate) const QDTEXT: Class = Class(1 << 4);
/// ALPHA / DIGIT / "+" / "-" / ".", RFC 3986 section 3.1.
pub(crate) const SCHEME: Class = Class(1 << 5);

impl Class {
    /// Whether the class has this byte.
    #[inline(always)]
    pub(crate) const fn has(self, byte: u8) -> bool {
        CLASSES[byte as usize] & self.0 != 0
    }

    /// Whether the class has all of these bytes. Branches once, not at every byte: for names, which are short.
    #[inline(always)]
    pub(crate) fn has_all(self, bytes: &[u8]) -> bool {
        bytes.iter().fold(self.0, |common, &byte| common & CLASSES[byte as usize]) != 0
    }
}

static CLASSES: [u8; 256] = build_classes();

const fn build_classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        classes[index] = (is_tchar(byte) as u8 * TCHAR.0)
            | (is_target_byte(byte) as u8 * TARGET.0)
            | (is_field_value_byte(byte) as u8 * FIELD_VALUE.0)
            | (is_reg_name_byte(byte) as u8 * REG_NAME.0)
            | (is_qdtext(byte) as u8 * QDTEXT.0)
            | (is_scheme_byte(byte) as u8 * SCHEME.0);
        index += 1;
    }
    classes
}

// tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA
const fn is_tchar(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
    ) || byte.is_ascii_alphanumeric()
}

// reserved (without "#": a fragment is never sent) / unreserved / "%", and what browsers send raw beyond RFC 3986:
// "{" / "}" / "|" / "^" / "\" / "`". That leaves out the controls, SP, DQUOTE, "#", "<", ">", DEL and 0x80-0xff.
const fn is_target_byte(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e) && !matches!(byte, b'"' | b'#' | b'<' | b'>')
}

// field-vchar = VCHAR / obs-text, and SP / HTAB between them
const fn is_field_value_byte(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x20..=0x7e | 0x80..=0xff)
}

// unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~"
// sub-delims = "!" / "$" / "&" / "'" / "(" / ")" / "*" / "+" / "," / ";" / "="
const fn is_reg_name_byte(byte: u8) -> bool {
    matches!(byte, b'-' | b'.' | b'_' | b'~')
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
        || byte.is_ascii_alphanumeric()
}

// qdtext = HTAB / SP / %x21 / %x23-5B / %x5D-7E / obs-text
const fn is_qdtext(byte: u8) -> bool {
    matches!(byte, b'\t' | b' ' | 0x21 | 0x23..=0x5b | 0x5d..=0x7e | 0x80..=0xff)
}

const fn is_scheme_byte(byte: u8) -> bool {
    matches!(byte, b'+' | b'-' | b'.') || byte.is_ascii_alphanumeric()
}

/// OWS = *( SP / HTAB )
#[inline(always)]
pub(crate) const fn is_ows(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// 1*DIGIT as a number.
pub(crate) fn decimal(digits: &[u8]) -> Result<u64, DecimalFault> {
    if digits.is_empty() {
        return Err(DecimalFault::NotDigit(0));
    }
    if let Some(at) = digits.iter().position(|byte| !byte.is_ascii_digit()) {
        return Err(DecimalFault::NotDigit(at));
    }
    let append = |value: u64, digit: &u8| value.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
    digits.iter().try_fold(0, append).ok_or(DecimalFault::Overflow)
}

/// Why bytes are no decimal number of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecimalFault {
    /// The byte at this offset is no DIGIT, or there is none.
    NotDigit(usize),
    /// More than 64 bits.
    Overflow,
}

/// HEXDIG as a number.
#[inline]
pub(crate) const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
