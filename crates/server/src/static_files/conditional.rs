//! Conditional requests, RFC 9110 section 13, for GET and HEAD of a representation that exists.

use brickwork_http::{FieldName, parse_http_date};

use super::list::{has, single, trim_ows, values};
use super::validators::{EntityTag, SentTag, Validators};
use crate::RequestView;

/// What the preconditions say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Perform the method.
    Perform,
    /// 304: the client has this representation.
    NotModified,
    /// 412: the client did not expect this representation.
    Failed,
}

/// Evaluates the preconditions in the order of section 13.2.2, whose step numbers these are. `now` is seconds since
/// 1970.
pub(super) fn evaluate(request: RequestView<'_>, validators: &Validators, now: u64) -> Verdict {
    let date = |name| single(request, name).and_then(|value| parse_http_date(value, now));
    let last_modified = validators.last_modified;
    // 1. If-Match: not any of the tags, 412.
    if has(request, FieldName::IfMatch) {
        if !any_matches(request, FieldName::IfMatch, &validators.entity_tag, EntityTag::matches_strongly) {
            return Verdict::Failed;
        }
    // 2. If-Unmodified-Since, without If-Match: modified later, 412. What is no date is ignored (section 13.1.4).
    } else if let (Some(date), Some(modified)) = (date(FieldName::IfUnmodifiedSince), last_modified)
        && modified > date
    {
        return Verdict::Failed;
    }
    // 3. If-None-Match: any of the tags, 304 (412 is for other methods).
    if has(request, FieldName::IfNoneMatch) {
        if any_matches(request, FieldName::IfNoneMatch, &validators.entity_tag, EntityTag::matches_weakly) {
            return Verdict::NotModified;
        }
    // 4. If-Modified-Since, without If-None-Match: not modified later, 304. What is no date is ignored (section
    // 13.1.3).
    } else if let (Some(date), Some(modified)) = (date(FieldName::IfModifiedSince), last_modified)
        && modified <= date
    {
        return Verdict::NotModified;
    }
    // 5. is `permits_range`. 6.
    Verdict::Perform
}

/// Step 5: whether If-Range lets Range be applied. Only a strong validator does: bytes of two states must not be put
/// together.
///
/// ```text
/// If-Range = entity-tag / HTTP-date
/// ```
pub(super) fn permits_range(request: RequestView<'_>, validators: &Validators, now: u64) -> bool {
    if !has(request, FieldName::IfRange) {
        return true;
    }
    let Some(value) = single(request, FieldName::IfRange) else { return false };
    match SentTag::read(value) {
        Some((tag, rest)) => rest.is_empty() && validators.entity_tag.matches_strongly(tag),
        None => parse_http_date(value, now).is_some_and(|date| validators.is_exact_date(date, now)),
    }
}

// If-Match      = "*" / #entity-tag
// If-None-Match = "*" / #entity-tag
/// Whether one of the tags of a field is that of the representation. What follows a fault in the field counts as no
/// match, which makes the client's cache useless and never wrong.
fn any_matches(
    request: RequestView<'_>,
    name: FieldName,
    ours: &EntityTag,
    matches: fn(&EntityTag, SentTag<'_>) -> bool,
) -> bool {
    values(request, name).any(|value| value == b"*" || tags(value).any(|tag| matches(ours, tag)))
}

fn tags(value: &[u8]) -> impl Iterator<Item = SentTag<'_>> {
    let mut rest = value;
    std::iter::from_fn(move || {
        rest = trim_ows(rest);
        while let Some(behind) = rest.strip_prefix(b",") {
            rest = trim_ows(behind);
        }
        let (tag, behind) = SentTag::read(rest)?;
        rest = trim_ows(behind);
        // Without a comma, what comes is not the next tag.
        if !rest.is_empty() && !rest.starts_with(b",") {
            rest = &[];
        }
        Some(tag)
    })
}

#[cfg(test)]
#[path = "conditional_tests.rs"]
mod tests;
