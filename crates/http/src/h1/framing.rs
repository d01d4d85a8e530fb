//! Message body length of a request, RFC 9112 section 6.3, in its numbered steps.

use crate::grammar::{self, DecimalFault, TCHAR};
use crate::{FieldLine, FieldName, Rejection, Rule, Span, Version, list, scan};

/// How the content of a request is delimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// No content (step 7).
    #[default]
    None,
    /// Content-Length: so many bytes (step 6).
    Length(u64),
    /// Transfer-Encoding: chunked (step 4).
    Chunked,
}

/// The fields that frame a message, as noted while the field section was parsed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FramingFields {
    /// The one Content-Length and where its value starts.
    pub(super) content_length: Option<(u64, u32)>,
    /// Where the value of the first Transfer-Encoding starts.
    pub(super) transfer_encoding: Option<u32>,
}

impl FramingFields {
    /// Notes a Content-Length field line.
    ///
    /// Step 5 is taken here: an invalid Content-Length is an unrecoverable error. The exception that the step allows, a list or
    /// several lines of one and the same value, is not made.
    pub(super) fn note_content_length(&mut self, line: &FieldLine, input: &[u8]) -> Result<(), Rejection> {
        if self.content_length.is_some() {
            return Err(Rejection::new(Rule::ContentLengthRepeated, line.name.start));
        }
        let value = line.value.of(input);
        let start = line.value.start;
        let length = grammar::decimal(value).map_err(|fault| match fault {
            DecimalFault::Overflow => Rejection::new(Rule::ContentLengthOverflow, start),
            DecimalFault::NotDigit(at) if value.contains(&b',') => {
                let comma = value.iter().position(|&byte| byte == b',').unwrap_or(at);
                Rejection::new(Rule::ContentLengthList, start + comma as u32)
            }
            DecimalFault::NotDigit(at) => Rejection::new(Rule::ContentLengthDigits, start + at as u32),
        })?;
        self.content_length = Some((length, start));
        Ok(())
    }

    /// Notes a Transfer-Encoding field line.
    pub(super) fn note_transfer_encoding(&mut self, line: &FieldLine) {
        self.transfer_encoding.get_or_insert(line.value.start);
    }

    /// Decides how the message is framed, once the whole field section is known.
    #[inline]
    pub(super) fn decide(
        &self,
        version: Version,
        fields: &[FieldLine],
        input: &[u8],
        content_limit: u64,
    ) -> Result<Framing, Rejection> {
        // Steps 1 and 2 are about responses.
        match (self.transfer_encoding, self.content_length) {
            // RFC 9112 section 6.1: in HTTP/1.0 the framing is to be treated as faulty, even if there is a Content-Length.
            (Some(at), _) if version == Version::Http10 => Err(Rejection::new(Rule::TransferEncodingHttp10, at)),
            // Step 3: both. "Ought to be handled as an error."
            (Some(at), Some(_)) => Err(Rejection::new(Rule::TransferEncodingWithLength, at)),
            // Step 4: Transfer-Encoding, and it must end in chunked.
            (Some(_), None) => check_transfer_codings(fields, input).map(|()| Framing::Chunked),
            // Step 5 was taken when the field line was read.
            // Step 6: Content-Length.
            (None, Some((length, at))) if length > content_limit => Err(Rejection::new(Rule::ContentTooLarge, at)),
            (None, Some((length, _))) => Ok(Framing::Length(length)),
            // Step 7: neither.
            (None, None) => Ok(Framing::None),
            // Step 8 is about responses.
        }
    }
}

/// Accepts exactly one `chunked` over all Transfer-Encoding lines; otherwise says what is wrong.
///
/// ```text
/// Transfer-Encoding = #transfer-coding
/// transfer-coding   = token *( OWS ";" OWS transfer-parameter )
/// ```
fn check_transfer_codings(fields: &[FieldLine], input: &[u8]) -> Result<(), Rejection> {
    let mut first_chunked = None;
    let mut second_chunked = None;
    let mut first_unknown = None;
    let mut not_final = None;
    let values = fields.iter().filter(|line| line.known == FieldName::TransferEncoding).map(|line| line.value);
    for (at, coding) in values.flat_map(|value| codings(value, input)) {
        match transfer_coding(coding).ok_or_else(|| Rejection::new(Rule::TransferEncodingMalformed, at))? {
            TransferCoding::Chunked => {
                if first_chunked.is_some() {
                    second_chunked.get_or_insert(at);
                }
                first_chunked.get_or_insert(at);
                not_final = None;
            }
            TransferCoding::Unknown => {
                first_unknown.get_or_insert(at);
                not_final = Some(at);
            }
        }
    }
    // A chunked that is not final is a MUST (step 4), an unknown coding a SHOULD (section 6.1): the former is said first.
    let broken = [
        (not_final, Rule::ChunkedNotFinal),
        (second_chunked, Rule::ChunkedTwice),
        (first_unknown, Rule::TransferCodingUnknown),
    ];
    match broken.into_iter().find_map(|(at, rule)| at.map(|at| Rejection::new(rule, at))) {
        Some(rejection) => Err(rejection),
        None => Ok(()),
    }
}

fn codings(value: Span, input: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    list::elements(value.of(input)).map(move |element| (value.start + element.at as u32, element.bytes))
}

enum TransferCoding {
    Chunked,
    Unknown,
}

/// The coding that a list element names; none if the element is empty or no coding, or gives parameters to chunked, which
/// defines none (RFC 9112 section 7.1).
fn transfer_coding(element: &[u8]) -> Option<TransferCoding> {
    let name_end = scan::end_of(TCHAR, element, 0);
    let has_parameters = match element.get(scan::ows_end(element, name_end)) {
        None => false,
        Some(b';') => true,
        Some(_) => return None,
    };
    match &element[..name_end] {
        b"" => None,
        name if !name.eq_ignore_ascii_case(b"chunked") => Some(TransferCoding::Unknown),
        _ if has_parameters => None,
        _ => Some(TransferCoding::Chunked),
    }
}
