//! The request target in its four forms, RFC 9112 section 3.2. Its bytes were checked while the request-line was scanned; here
//! it is taken apart. Nothing is decoded.

use crate::authority;
use crate::grammar::SCHEME;
use crate::scan;
use crate::{Method, Rejection, Rule, Span};

/// Which of the four forms a request-target has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetForm {
    /// `/path?query`, the usual one (section 3.2.1).
    #[default]
    Origin,
    /// `http://host/path?query` (section 3.2.2).
    Absolute,
    /// `host:port`, of CONNECT (section 3.2.3).
    Authority,
    /// `*`, of OPTIONS (section 3.2.4).
    Asterisk,
}

/// A request-target, as spans into the head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestTarget {
    /// The form it was sent in.
    pub form: TargetForm,
    /// All of it, as sent.
    pub raw: Span,
    /// Scheme of an absolute-form target, empty otherwise.
    pub scheme: Span,
    /// Authority of an absolute- or authority-form target, empty otherwise.
    pub authority: Span,
    /// Path, still percent-encoded; may be empty in absolute-form; `*` is not a path.
    pub path: Span,
    /// What follows the first `?`, without it.
    pub query: Option<Span>,
}

impl RequestTarget {
    /// Takes `target`, which starts `start` bytes into the head, apart.
    #[inline]
    pub(crate) fn parse(method: Method, target: &[u8], start: u32) -> Result<RequestTarget, Rejection> {
        let raw = Span { start, len: target.len() as u32 };
        match (target, method) {
            (_, Method::Connect) => authority_form(target, raw),
            ([b'/', ..], _) => Ok(origin_form(target, raw)),
            (b"*", Method::Options) => {
                Ok(RequestTarget { form: TargetForm::Asterisk, raw, ..RequestTarget::default() })
            }
            (b"*", _) => Err(Rejection::new(Rule::AsteriskFormMethod, start)),
            _ => absolute_form(target, raw),
        }
    }
}

// origin-form = absolute-path [ "?" query ]
fn origin_form(target: &[u8], raw: Span) -> RequestTarget {
    let (path, query) = split_query(target, raw.start);
    RequestTarget { form: TargetForm::Origin, raw, path, query, ..RequestTarget::default() }
}

// authority-form = uri-host ":" port
fn authority_form(target: &[u8], raw: Span) -> Result<RequestTarget, Rejection> {
    let fault = |at: usize| Rejection::new(Rule::AuthorityForm, raw.start + at as u32);
    let host_len = authority::host_len(target).map_err(fault)?;
    let port_start = host_len + 1;
    if port_start >= target.len() {
        return Err(fault(target.len() - 1)); // no ":", or nothing behind it
    }
    Ok(RequestTarget { form: TargetForm::Authority, raw, authority: raw, ..RequestTarget::default() })
}

// absolute-form = absolute-URI; absolute-URI = scheme ":" hier-part [ "?" query ]
// Of the hier-parts only "//" authority path-abempty: no other names a host that a server could be responsible for.
fn absolute_form(target: &[u8], raw: Span) -> Result<RequestTarget, Rejection> {
    let scheme_len = scan::end_of(SCHEME, target, 0);
    let authority_start = scheme_len + 3;
    // scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
    if !target[0].is_ascii_alphabetic() || target.get(scheme_len..authority_start) != Some(b"://") {
        return Err(Rejection::new(Rule::TargetForm, raw.start));
    }
    let is_end = |byte: &u8| matches!(byte, b'/' | b'?');
    let rest = &target[authority_start..];
    let authority_len = rest.iter().position(is_end).unwrap_or(rest.len());
    let (authority, path_and_query) = rest.split_at(authority_len);
    let at = |offset: usize| raw.start + (authority_start + offset) as u32;
    if let Some(sign) = authority.iter().position(|&byte| byte == b'@') {
        return Err(Rejection::new(Rule::TargetUserinfo, at(sign)));
    }
    authority::host_len(authority).map_err(|offset| Rejection::new(Rule::TargetAuthority, at(offset)))?;
    let (path, query) = split_query(path_and_query, at(authority_len));
    Ok(RequestTarget {
        form: TargetForm::Absolute,
        raw,
        scheme: Span { start: raw.start, len: scheme_len as u32 },
        authority: Span { start: at(0), len: authority_len as u32 },
        path,
        query,
    })
}

#[inline]
fn split_query(bytes: &[u8], start: u32) -> (Span, Option<Span>) {
    let path_len = scan::find(b'?', bytes).unwrap_or(bytes.len());
    let path = Span { start, len: path_len as u32 };
    let query = (path_len < bytes.len()).then(|| {
        let query_start = path_len + 1;
        Span { start: start + query_start as u32, len: (bytes.len() - query_start) as u32 }
    });
    (path, query)
}

#[cfg(test)]
mod tests;
