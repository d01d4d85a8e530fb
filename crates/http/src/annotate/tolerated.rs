//! Which of the tolerating rules an accepted message meets, and where.

use alloc::vec::Vec;

use super::{Part, TRAILER_SECTION};
use crate::grammar::{TCHAR, hex_digit};
use crate::h1::RequestHead;
use crate::{FieldLine, FieldName, Rule, Span, TargetForm, Version, list, scan};

/// Each tolerated rule with the offset of what is tolerated, in the order of the bytes.
pub(super) fn tolerated(bytes: &[u8], head: &RequestHead, parts: &[Part]) -> Vec<(Rule, u32)> {
    let mut found = Vec::new();
    in_request_line(bytes, head, &mut found);
    for field in &head.fields {
        in_field(bytes, head, field, &mut found);
    }
    for part in parts {
        match (part.within, part.production) {
            ("empty line", _) => found.push((Rule::LeadingEmptyLineIgnored, part.span.start)),
            (_, "chunk-ext") => found.push((Rule::ChunkExtensionIgnored, part.span.start)),
            (TRAILER_SECTION, "field-name") => found.push((Rule::TrailerDiscarded, part.span.start)),
            _ => {}
        }
    }
    found.sort_by_key(|(_, at)| *at);
    found
}

fn in_request_line(bytes: &[u8], head: &RequestHead, found: &mut Vec<(Rule, u32)>) {
    let target = head.target;
    for span in [Some(target.path), target.query].into_iter().flatten() {
        if let Some(offset) = raw_byte(span.of(bytes)) {
            found.push((Rule::TargetRawByte, span.start + offset as u32));
            break;
        }
    }
    let version = Span { start: target.raw.start + target.raw.len + 1, len: 8 };
    if matches!(version.of(bytes), [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9']) {
        found.push((Rule::MinorVersionAboveOne, version.start + 7));
    }
}

/// The first byte of a path or query that RFC 3986 would have percent-encoded.
fn raw_byte(bytes: &[u8]) -> Option<usize> {
    bytes.iter().enumerate().position(|(at, byte)| match byte {
        b'[' | b']' | b'{' | b'}' | b'|' | b'^' | b'\\' | b'`' => true,
        b'%' => !matches!(bytes.get(at + 1..at + 3), Some([high, low]) if hex_digit(*high).is_some() && hex_digit(*low).is_some()),
        _ => false,
    })
}

fn in_field(bytes: &[u8], head: &RequestHead, field: &FieldLine, found: &mut Vec<(Rule, u32)>) {
    let value = field.value.of(bytes);
    if let Some(offset) = value.iter().position(|byte| !byte.is_ascii()) {
        found.push((Rule::FieldValueObsText, field.value.start + offset as u32));
    }
    let names_host = matches!(head.target.form, TargetForm::Absolute | TargetForm::Authority);
    let rule = match field.known {
        FieldName::Host if value.is_empty() => Some(Rule::HostEmpty),
        FieldName::Host if names_host => Some(Rule::HostOverridden),
        FieldName::Expect if head.version == Version::Http10 => Some(Rule::ExpectationHttp10),
        FieldName::Upgrade => Some(Rule::UpgradeIgnored),
        _ => None,
    };
    found.extend(rule.map(|rule| (rule, field.name.start)));
    if field.known == FieldName::Connection {
        let malformed = list::elements(value).find(|option| scan::end_of(TCHAR, option.bytes, 0) < option.bytes.len());
        let at = |option: list::Element<'_>| field.value.start + option.at as u32;
        found.extend(malformed.map(|option| (Rule::ConnectionOptionMalformed, at(option))));
    }
}
