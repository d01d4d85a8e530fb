//! HTTP/1.1 as a sans-I/O library: bytes to values and back by the grammar of RFC 9110 and RFC 9112.
//!
//! No sockets, no clock, no threads: the caller owns the buffers. Input is a slice plus "discard n"; output is appended to a
//! `Vec<u8>`. What breaks a rule is a [`Rejection`]: which rule, and at which byte.
#![no_std]
#![forbid(unsafe_code)]
// The rows of table-driven tests are tuples; naming each type would only hide what a row is.
#![cfg_attr(test, allow(clippy::type_complexity))]

extern crate alloc;

mod annotate;
mod authority;
mod date;
mod diagnose;
mod field;
mod grammar;
pub mod h1;
mod limits;
mod list;
mod method;
mod rejection;
mod rules;
mod scan;
mod span;
mod status;
mod target;
mod version;

pub use annotate::{Annotation, FramingDecision, Part, Refused, annotate};
pub use date::{parse_http_date, write_imf_fixdate};
pub use diagnose::{Diagnosis, Piece, diagnose};
pub use field::{FieldLine, FieldName};
pub use limits::Limits;
pub use method::Method;
pub use rejection::{Fault, Rejection};
pub use rules::{Rule, RuleKind};
pub use span::Span;
pub use status::reason_phrase;
pub use target::{RequestTarget, TargetForm};
pub use version::Version;
