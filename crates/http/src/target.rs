//! The request target in its four forms, RFC 9112 section 3.2.

use crate::Span;

/// Which of the four forms a request-target has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TargetForm {
    #[default]
    Origin,
    Absolute,
    Authority,
    Asterisk,
}

/// A request-target, as spans into the head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
