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

pub(crate) use application_name::ApplicationName;
pub(crate) use duration::DurationText;
pub(crate) use files::{Mount, RawFiles, RawMounts};
pub(crate) use limits::RawLimits;
pub(crate) use processes::WorkerCount;
pub(crate) use raw::{LogFormat, LogLevel, LogTarget, Raw};
pub(crate) use resolve::{Config, Subject, resolve};
pub(crate) use size::SizeText;
