//! Settings in two stages: [`raw`] is exactly what was typed, [`resolve`] is what a server can be made of.

mod application_name;
mod duration;
mod files;
pub(crate) mod foreign_flags;
mod limits;
mod processes;
mod raw;
mod resolve;
mod size;

pub use application_name::ApplicationName;
pub use duration::DurationText;
pub use files::Mount;
pub(crate) use files::{RawFiles, RawMounts};
pub(crate) use limits::RawLimits;
pub use processes::WorkerCount;
pub(crate) use raw::Raw;
pub use raw::{LogFormat, LogLevel, LogTarget};
pub(crate) use resolve::resolve;
pub use resolve::{Config, Processes, Subject};
pub use size::SizeText;
