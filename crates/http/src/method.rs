//! Request methods, RFC 9110 section 9.

/// A request method: the registered ones by name, every other token as [`Method::Other`] (its bytes are the head's method span).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Method {
    #[default]
    Get,
    Head,
    Post,
    Put,
    Delete,
    Connect,
    Options,
    Trace,
    Patch,
    Other,
}
