//! HTTP/1.1 as a sans-I/O library: bytes to values and back by the grammar of RFC 9110 and RFC 9112.
//!
//! No sockets, no clock, no threads: the caller owns the buffers. Input is a slice plus "discard n"; output is appended to a
//! `Vec<u8>`. What breaks a rule is a [`Rejection`]: which rule, and at which byte.
//!
//! A server reads a head with [`h1::HeadParser`], the content behind it with [`h1::BodyReader`], and writes its answer
//! with [`h1::ResponseHead`] and the [`h1::ResponseBody`] that comes out of it:
//!
//! ```
//! use brickwork_http::Limits;
//! use brickwork_http::h1::{BodyReader, HeadParser, Progress, RequestHead, ResponseHead, ResponseLength, Step};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let received = b"POST /greet HTTP/1.1\r\nHost: example.org\r\nContent-Length: 3\r\n\r\nAda";
//! let (limits, mut head) = (Limits::default(), RequestHead::default());
//! let progress = HeadParser::new().parse(received, &limits, &mut head).map_err(|rejection| rejection.rule.title())?;
//! assert_eq!(progress, Progress::Complete); // Partial: receive more, and call again with all of it
//! assert_eq!(head.target.path.of(received), b"/greet");
//!
//! let content = &received[head.len as usize..];
//! let mut reader = BodyReader::new(head.framing);
//! let step = reader.step(content, &limits).map_err(|rejection| rejection.rule.title())?;
//! let Step::Content { skip, len } = step else { return Err("no content yet".into()) };
//! let name = &content[skip..skip + len];
//!
//! let mut response = ResponseHead::new();
//! response.start(200, b"OK").map_err(|fault| fault.rule.title())?;
//! response.field(b"Content-Type", b"text/plain").map_err(|fault| fault.rule.title())?;
//! let length = ResponseLength::Known(name.len() as u64);
//! let date = b"Sun, 06 Nov 1994 08:49:37 GMT";
//! let mut body = response.finish((head.method, head.version), length, true, date, b"");
//! let mut output = response.as_bytes().to_vec();
//! body.admit(name.len() as u64, &mut output);
//! output.extend_from_slice(name);
//! output.extend_from_slice(body.block_end());
//! output.extend_from_slice(body.finish().map_err(|fault| fault.rule.title())?);
//! assert!(output.starts_with(b"HTTP/1.1 200 OK\r\n") && output.ends_with(b"\r\n\r\nAda"));
//! # Ok(())
//! # }
//! ```
//!
//! There is one strictness: what could be read in two ways is refused, by a rule with a stable code ([`Rule`]).
#![no_std]
#![deny(unsafe_code)]
#![deny(missing_docs)]
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
