//! HTTP/1.1 on the wire, RFC 9112.

mod body_reader;
mod chunked;
mod field_line;
mod framing;
mod line;
mod persistence;
mod request_head;
mod request_line;
mod response_body;
mod response_head;

pub use body_reader::{BodyReader, Step};
pub use framing::Framing;
pub use persistence::Persistence;
pub use request_head::{HeadParser, Progress, RequestHead};
pub use response_body::{Admitted, ResponseBody};
pub use response_head::{FieldFate, ResponseHead, ResponseLength};
