//! Status codes and their reason phrases, RFC 9110 section 15.

/// The registered reason phrase of a status code, or an empty string (a reason-phrase may be empty, RFC 9112 section 4).
#[must_use]
pub fn reason_phrase(status_code: u16) -> &'static str {
    todo!("{status_code}")
}
