//! What clients sent and what they were told, written for people: [`rejection`] explains a refusal like a compiler, [`traffic`] shows
//! the heads that go by, [`redact`] hides secrets, [`allowance`] keeps a flood out of the log.

mod allowance;
mod excerpt;
mod redact;
mod rejection;
mod traffic;

pub(crate) use allowance::Allowance;
pub(crate) use excerpt::{Excerpt, Shown};
pub(crate) use rejection::Report;
pub(crate) use traffic::{peer_name, traffic_lines};
