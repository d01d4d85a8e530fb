//! The command `brickwork` and the extension module behind it: command line, configuration, application, log, wiring.
//! What serves is in the crates below; nothing there prints.
#![deny(unsafe_code)]

mod application;
mod check_request;
mod cli;
mod config;
mod demo;
mod embedding;
mod explain;
mod files;
mod http1;
mod log;
mod main_thread;
mod report;
mod serve;

/// The extension module `brickwork._brickwork`.
#[pyo3::pymodule(gil_used = true)]
mod _brickwork {
    use std::ffi::OsString;
    use std::io::{self, Write};

    use pyo3::prelude::*;

    use crate::check_request;
    use crate::cli::{self, Stop};
    #[pymodule_export]
    use crate::demo::request_as_understood;
    #[pymodule_export]
    use crate::embedding::{EmbeddedServer, ServerRun};
    #[pymodule_export]
    use crate::http1::{RequestReader, ResponseWriter, RuleBroken, interim_response};
    use crate::serve;

    /// Runs the command with `arguments` (without the program's name) and returns its exit status. Call it from the
    /// main thread.
    #[pyfunction]
    fn main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
        match cli::parse(arguments, |name| std::env::var(name).ok()) {
            Ok(config) => serve::serve(py, &config),
            // A stream that nobody reads is no reason to fail.
            Err(Stop::Shown(text)) => {
                let _ = io::stdout().write_all(text.as_bytes());
                0
            }
            Err(Stop::Check(check)) => check_request::run(&check, &mut io::stdout()),
            Err(Stop::Usage(text)) => {
                let _ = io::stderr().write_all(text.as_bytes());
                2
            }
        }
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
