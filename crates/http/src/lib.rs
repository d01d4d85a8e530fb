//! HTTP/1.1 as a sans-I/O library: bytes to values and back by the grammar of RFC 9110 and RFC 9112.
//!
//! No sockets, no clock, no threads: the caller owns the buffers. Input is a slice plus "discard n"; output is appended to a
//! `Vec<u8>`. What breaks a rule is a [`Rejection`]: which rule, and at which byte.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod field;
pub mod h1;
mod limits;
mod method;
mod rejection;
mod rules;
mod span;
mod status;
mod target;
mod version;

pub use field::{FieldLine, FieldName};
pub use limits::Limits;
pub use method::Method;
pub use rejection::{Fault, Rejection};
pub use rules::Rule;
pub use span::Span;
pub use status::reason_phrase;
pub use target::{RequestTarget, TargetForm};
pub use version::Version;
