//! The part of the command `brickwork` that needs no Python: the command line and the configuration made of it, the log,
//! and the supervisor, which is a program of its own so that it has no interpreter.
//!
//! Start at [`parse`] and [`supervise`].
#![deny(unsafe_code)]

mod cli;
mod config;
mod control;
mod escape;
mod findings;
mod interpreter;
mod log;
mod process;
mod sizing;
mod supervise;
mod takeover;

pub use cli::{CheckRequest, Explain, Format, Reload, Stop, Task, Which, parse, parse_settings};
pub use config::{
    ApplicationName, Config, DurationText, LogFormat, LogLevel, LogTarget, Mount, Processes, SizeText, Subject,
    WorkerCount,
};
pub use control::{reload, stacks, status};
pub use escape::{escape_text, push_json_string};
pub use interpreter::InterpreterCommand;
pub use log::{Log, open as open_log, reopen as reopen_log};
pub use process::prepare;
pub use sizing::Sizing;
pub use supervise::supervise;
pub use takeover::run_supervisor;
