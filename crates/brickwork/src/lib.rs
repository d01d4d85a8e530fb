//! The command `brickwork` and the extension module behind it: command line, configuration, application, log, wiring.
//! What serves is in the crates below; nothing there prints.
#![forbid(unsafe_code)]

mod cli;
mod config;
mod log;
mod report;
