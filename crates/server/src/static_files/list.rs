//! Fields as lists, RFC 9110 section 5.6.1, as far as static files need them.

use brickwork_http::FieldName;

use crate::RequestView;

/// The values of every field line of a name, in order.
pub(super) fn values(request: RequestView<'_>, name: FieldName) -> impl Iterator<Item = &[u8]> {
    request.head.fields.iter().filter(move |field| field.known == name).map(move |field| request.text(field.value))
}

/// The value of a field that is no list. None if there is no such field line, or several: then none of them counts.
pub(super) fn single(request: RequestView<'_>, name: FieldName) -> Option<&[u8]> {
    let mut values = values(request, name);
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// Whether there is a field line of this name.
pub(super) fn has(request: RequestView<'_>, name: FieldName) -> bool {
    values(request, name).next().is_some()
}

/// The members of a list whose members hold no comma; empty ones are passed over.
pub(super) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim_ows).filter(|element| !element.is_empty())
}

/// The bytes without OWS = *( SP / HTAB ) around them.
pub(super) fn trim_ows(bytes: &[u8]) -> &[u8] {
    let is_ows = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes.iter().position(|byte| !is_ows(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_ows(byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}
