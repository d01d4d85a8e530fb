//! The command `brickwork` and the extension module behind it: command line, configuration, application, log, wiring.
//! What serves is in the crates below; nothing there prints.
#![deny(unsafe_code)]

mod application;
mod check_request;
mod cli;
mod config;
mod control;
mod demo;
mod embedding;
mod explain;
mod files;
mod findings;
mod fork_safety;
mod front;
mod health;
mod http1;
mod last_words;
mod log;
mod main_thread;
mod pulse;
mod recycle;
mod report;
mod responder;
mod serve;
mod sizing;
mod supervise;
mod worker;

/// The extension module `brickwork._brickwork`.
#[pyo3::pymodule(gil_used = true)]
mod _brickwork {
    use std::ffi::OsString;
    use std::io::{self, Write};

    use pyo3::prelude::*;

    use crate::check_request;
    use crate::cli::{self, Stop, Task};
    use crate::config::WorkerCount;
    #[pymodule_export]
    use crate::demo::request_as_understood;
    #[pymodule_export]
    use crate::embedding::{EmbeddedServer, ServerRun};
    #[pymodule_export]
    use crate::http1::{RequestReader, ResponseWriter, RuleBroken, interim_response};
    use crate::sizing::Sizing;
    use crate::{control, supervise, worker};
    #[pymodule_export]
    use brickwork_wsgi::RequestTimeout;

    /// Runs the command with `arguments` (without the program's name) and returns its exit status. Call it from the
    /// main thread.
    #[pyfunction]
    fn main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
        let (handoff, arguments) = supervise::split_handoff(arguments);
        match cli::parse(arguments.clone(), |name| std::env::var(name).ok()) {
            Ok(Task::Serve(config)) => match handoff {
                Some(handoff) => worker::run(py, &config, &handoff),
                None => supervise::run(py, &config, &arguments),
            },
            Ok(Task::Plan(config)) => {
                let auto = Sizing::here();
                let chosen = match config.processes.workers {
                    WorkerCount::Fixed(count) => format!("{count}, by {}", config.processes.workers_from),
                    WorkerCount::Auto => format!("auto, by {}", config.processes.workers_from),
                };
                show(
                    0,
                    &format!("workers: {chosen}\nauto is {auto}\nthreads: up to {} in each worker\n", config.threads),
                )
            }
            Ok(Task::Reload(wanted)) => show_outcome(control::reload(&wanted)),
            Ok(Task::Status(wanted)) => show_outcome(control::status(&wanted)),
            Ok(Task::Stacks(wanted)) => show_outcome(control::stacks(&wanted)),
            Err(Stop::Shown(text)) => show(0, &text),
            Err(Stop::Check(check)) => check_request::run(&check, &mut io::stdout()),
            Err(Stop::Usage(text)) => show(2, &text),
        }
    }

    fn show_outcome(outcome: Result<String, String>) -> u8 {
        match outcome {
            Ok(text) => show(0, &text),
            Err(text) => show(1, &format!("error: {text}")),
        }
    }

    /// What was asked for goes to standard output, what is wrong to standard error.
    fn show(status: u8, text: &str) -> u8 {
        // A stream that nobody reads is no reason to fail.
        let _ = match status {
            0 => io::stdout().write_all(text.as_bytes()),
            _ => io::stderr().write_all(text.as_bytes()),
        };
        status
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
