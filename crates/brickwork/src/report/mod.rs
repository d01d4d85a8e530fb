//! What clients sent and what they were told, written for a log: [`escape`] makes bytes harmless, [`render`] arranges
//! them.

mod escape;
mod render;

pub(crate) use escape::{escape_text, push_json_string};
pub(crate) use render::{rejection_line, traffic_lines};
