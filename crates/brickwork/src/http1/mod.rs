//! What `brickwork.http1` stands on: reading requests and building responses, on bytes. The events, the states and the
//! errors that a Python program sees are in `python/brickwork/http1.py`; here is what has to be the same as in the
//! server.

mod reader;
mod rule_broken;
mod writer;

pub(crate) use reader::RequestReader;
pub(crate) use rule_broken::RuleBroken;
pub(crate) use writer::{ResponseWriter, interim_response};
