//! The command `brickwork` and the extension module behind it: command line, configuration, application, log, wiring.
//! What serves is in the crates below; nothing there prints.
#![deny(unsafe_code)]

mod application;
mod check_request;
mod demo;
mod embedding;
mod explain;
mod files;
mod fork_safety;
mod front;
mod health;
mod http1;
mod interpreter;
mod last_words;
mod main_thread;
mod pulse;
mod recycle;
mod report;
mod responder;
mod serve;
mod worker;

/// The extension module `brickwork._brickwork`.
#[pyo3::pymodule(gil_used = true)]
mod _brickwork {
    use std::ffi::OsString;
    use std::io::{self, Write};

    use pyo3::prelude::*;

    use brickwork_command::{Explain, Sizing, Stop, Task, WorkerCount, parse, reload, stacks, status};
    #[pymodule_export]
    use brickwork_wsgi::RequestTimeout;

    #[pymodule_export]
    use crate::demo::request_as_understood;
    #[pymodule_export]
    use crate::embedding::{EmbeddedServer, ServerRun};
    #[pymodule_export]
    use crate::http1::{RequestReader, ResponseWriter, RuleBroken, interim_response};
    use crate::{check_request, explain, interpreter, worker};

    /// Runs the command with `arguments` (without the program's name) and returns its exit status. Call it from the
    /// main thread. To serve, this process becomes a supervisor, and nothing returns.
    #[pyfunction]
    #[pyo3(pass_module)]
    fn main(module: &Bound<'_, PyModule>, arguments: Vec<OsString>) -> PyResult<u8> {
        let py = module.py();
        let (handoff, arguments) = worker::split_handoff(arguments);
        let status = match parse(arguments.clone(), |name| std::env::var(name).ok()) {
            Ok(Task::Serve(config)) => match handoff {
                Some(handoff) => worker::run(py, &config, &handoff),
                None => return interpreter::supervise(module, &config, arguments),
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
            Ok(Task::Reload(wanted)) => show_outcome(reload(&wanted)),
            Ok(Task::Status(wanted)) => show_outcome(status(&wanted)),
            Ok(Task::Stacks(wanted)) => show_outcome(stacks(&wanted)),
            Ok(Task::Check(check)) => check_request::run(&check, &mut io::stdout()),
            Ok(Task::Explain(Explain { markdown: true, .. })) => show(0, &explain::markdown()),
            Ok(Task::Explain(Explain { code: None, .. })) => show(0, &explain::list()),
            Ok(Task::Explain(Explain { code: Some(code), .. })) => match explain::one(&code) {
                Some(text) => show(0, &text),
                None => show(2, &format!("error: {code} is no rule: 'brickwork explain' lists all\n")),
            },
            Err(Stop::Shown(text)) => show(0, &text),
            Err(Stop::Usage(text)) => show(2, &text),
        };
        Ok(status)
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
